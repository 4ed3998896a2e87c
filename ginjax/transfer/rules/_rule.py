"""The interface of a transfer rule."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry
from ginjax.transfer._system import FilterPair


@runtime_checkable
class Rule(Protocol):
    """Turns the weights of one path `(out, in, n_old)` into those of the next dimension `(out, in, n_new)`.

    One that has something to say of its paths is a `RemarkingRule`.
    """

    @property
    def name(self) -> str:
        """What the command line calls the rule."""
        ...

    @property
    def promises_compatibility(self) -> bool:
        """Whether a residual of condition (C) above the tolerance is a failure."""
        ...

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        """The weights in the new dimension, in float64."""
        ...


@runtime_checkable
class RemarkingRule(Rule, Protocol):
    """A rule that says something of its paths, such as that it leaves one to another rule."""

    def remark(self, pair: FilterPair) -> str:
        """What the certificate says of a path, in a sentence; `""` for nothing."""
        ...


@runtime_checkable
class PlainRule(Protocol):
    """Gives the kernel of a plain convolution one more axis.

    Strides and paddings make no difference to it, unless it is a `ProfiledRule`.
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


@runtime_checkable
class ProfiledRule(PlainRule, Protocol):
    """A rule for plain convolutions that looks at strides and paddings along the new axis."""

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """For each tap of the new axis the number by which it multiplies the kernel, `(taps,)`."""
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
