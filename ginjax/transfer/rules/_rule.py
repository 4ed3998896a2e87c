"""The interface of a transfer rule."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ginjax.transfer._system import FilterPair


@runtime_checkable
class Rule(Protocol):
    """Turns the weights of one path `(out, in, n_old)` into those of the next dimension `(out, in, n_new)`.

    It may have a method `remark(pair)` as well: what the certificate should say of a path, in a sentence, or `""`.
    """

    @property
    def name(self) -> str:
        """What the command line calls the rule."""
        ...

    @property
    def promises_compatibility(self) -> bool:
        """Whether a residual of condition (C) above the tolerance is a failure."""
        ...

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray: ...


@runtime_checkable
class PlainRule(Protocol):
    """Gives the kernel of a plain convolution one more axis.

    It may have a method `profile(axis)` as well, with an `AxisGeometry`: the number for each tap of the new axis by which
    it multiplies the kernel. Without it strides and paddings make no difference to it, see `ginjax.transfer.rules.profile`.
    """

    @property
    def name(self) -> str:
        """What the command line calls the rule."""
        ...

    @property
    def promises_compatibility(self) -> bool:
        """Whether the new kernel, summed over the new axis, is the old one."""
        ...

    @property
    def spreads(self) -> bool:
        """Whether it uses taps beside the middle of the new axis, which zeros beyond a boundary cut off."""
        ...

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """From `(out, in, *(M,)*D)` to `(out, in, *(M,)*(D+1))`, in the same precision."""
        ...


def by_name(
    weights: np.ndarray, pair: FilterPair, apply: Callable[[np.ndarray, FilterPair], np.ndarray]
) -> np.ndarray:
    """Apply a rule that goes by the names of the filters, whatever the signs of the filters as given.

    **Arguments:**

    - `weights`: of one path, `(out, in, n_old)`.
    - `pair`: the filters before and after, as given.
    - `apply`: the rule on filters with signs of their own, `(weights, pair) -> (out, in, n_new)`.
    """
    return apply(weights * pair.old.signs, pair.unflipped()) * pair.new.signs
