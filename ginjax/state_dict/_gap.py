"""The distance between a kernel and the one it was made of, as their layers use them."""

import numpy as np

from ginjax.transfer import AxisGeometry, tolerance_of

from ._carry import kernel_gap
from ._kernels import Form, effective
from ._record import Holds


def measured_holds(
    form: Form,
    low: tuple[np.ndarray, ...],
    high: tuple[np.ndarray, ...],
    place: int,
    axes: tuple[AxisGeometry, ...],
) -> Holds:
    """For which depths two kernels agree, to the precision in which they are stored."""
    limit = tolerance_of(low[0].dtype)
    if form_gap(form, low, high, place, axes, "always") <= limit:
        return "always"
    return "divides" if form_gap(form, low, high, place, axes, "divides") <= limit else "no"


def form_gap(
    form: Form,
    low: tuple[np.ndarray, ...],
    high: tuple[np.ndarray, ...],
    place: int,
    axes: tuple[AxisGeometry, ...],
    holds: Holds,
) -> float:
    """`kernel_gap` for kernels as their layers use them; each is given with the arrays of its norm."""
    if form != "plain":
        turned = axes[0].transposed
        low = (effective(low[0], form, low[1:], turned),)
        high = (effective(high[0], form, high[1:], turned),)
    return kernel_gap(low[0], high[0], place, axes, divides=holds == "divides")
