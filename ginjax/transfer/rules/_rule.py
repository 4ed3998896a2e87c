"""The interface of a transfer rule."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry
from ginjax.transfer._system import FilterPair


@runtime_checkable
class Rule(Protocol):
    """Turns the weights of one path `(out, in, n_old)` into those of the next dimension `(out, in, n_new)`.

    A rule with remarks about paths is a `RemarkingRule`.
    """

    @property
    def name(self) -> str:
        """Name of the rule on the command line."""
        ...

    @property
    def promises_compatibility(self) -> bool:
        """Whether a residual of condition (C) above the tolerance is a failure."""
        ...

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        """Compute the weights in the new dimension, in float64."""
        ...


@runtime_checkable
class RemarkingRule(Rule, Protocol):
    """A rule with remarks about paths, for example that it leaves a path to another rule."""

    def remark(self, pair: FilterPair) -> str:
        """The remark about a path in the certificate, as a sentence; `""` for none."""
        ...


@runtime_checkable
class PlainRule(Protocol):
    """Gives the kernel of a plain convolution one more axis.

    The result does not depend on strides and paddings, unless the rule is a `ProfiledRule`.
    """

    @property
    def name(self) -> str:
        """Name of the rule on the command line."""
        ...

    @property
    def promises_compatibility(self) -> bool:
        """Whether the sum of the new kernel over the new axis is the old kernel."""
        ...

    @property
    def spreads(self) -> bool:
        """Whether it uses taps beside the middle of the new axis, which zeros beyond a boundary cut off."""
        ...

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """Turn a kernel `(out, in, *(M,)*D)` into one `(out, in, *(M,)*(D+1))`, in the same precision."""
        ...


@runtime_checkable
class ProfiledRule(PlainRule, Protocol):
    """A rule for plain convolutions that takes strides and paddings along the new axis into account."""

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """The number for each tap of the new axis that multiplies the kernel, `(taps,)`."""
        ...


def by_name(
    weights: np.ndarray, pair: FilterPair, apply: Callable[[np.ndarray, FilterPair], np.ndarray]
) -> np.ndarray:
    """Apply a rule that matches filters by name, independently of the signs of the given filters.

    **Arguments:**

    - `weights`: weights of one path, `(out, in, n_old)`.
    - `pair`: the filters before and after, as given.
    - `apply`: the rule for filters in the orientation of their names, `(weights, pair) -> (out, in, n_new)`.
    """
    return apply(weights * pair.old.signs, pair.unflipped()) * pair.new.signs
