"""The profile of a rule along a new axis, for any stride: a number for each tap, which multiplies the old kernel."""

from dataclasses import replace

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.transfer._axis_geometry import AxisGeometry

from ._rule import PlainRule, ProfiledRule


def profile(rule: PlainRule, axis: AxisGeometry) -> np.ndarray:
    """The profile `w` of a rule along a new axis, in float64.

    $K'[\\ldots, t] = w_t K[\\ldots]$.

    A `ProfiledRule` gives its profile itself; any other rule is applied to a kernel of ones. For transposed convolutions the
    profile is the same for every rule, see `one_tap_each`.

    **Raises:** `ArgumentError` for a rule that does not give one finite number for each tap.
    """
    if axis.transposed:
        return one_tap_each(axis)
    if isinstance(rule, ProfiledRule):
        found = rule.profile(axis)
    else:
        kernel = np.ones((1, 1, axis.taps))
        found = np.asarray(rule.along_new_axis(kernel))[0, 0].reshape(-1, axis.taps)[0]
    found = np.asarray(found, np.float64)
    if found.shape != (axis.taps,) or not np.all(np.isfinite(found)):
        raise ArgumentError(
            f"what rule {rule.name!r} makes of {axis.taps} taps",
            got=f"shape {found.shape}",
            expected="one finite number a tap",
        )
    return found


def central_tap(axis: AxisGeometry) -> np.ndarray:
    """1 at a single tap: of those that meet the field at every output point of any depth, the one nearest to the middle.

    If there is no such tap, because the padding is wider than the kernel, it is the middle tap, and the residual shows the error.
    """
    always = _met(axis, divides=False)
    return _even(axis, _nearest(axis, always, 1))


def tiling_taps(axis: AxisGeometry) -> np.ndarray:
    """Equal weights on as many taps as are needed to read all slices equally often.

    With stride `s` and dilation `e` these are `s / gcd(s, e)` neighbouring taps, without dilation and with padding `p` the taps
    `p .. p + s - 1`. Every output point meets them if the stride divides the depth. If the padding leaves a choice, taps that
    are met at every depth and lie nearest to the middle are taken.
    """
    count = max(axis.stride // int(np.gcd(axis.stride, axis.dilation)), 1)
    always, met = (_met(axis, divides) for divides in (False, True))
    return _even(axis, _nearest(axis, always if len(always) >= count else met, count))


def one_tap_each(axis: AxisGeometry) -> np.ndarray:
    """For a transposed convolution: 1 on the taps `p .. p + s - 1`, of which every output point meets one.

    It is exact up to both ends if `n` points become `s n`.
    """
    taps = axis.dilation * np.arange(axis.taps)
    met = ((taps >= axis.before) & (taps < axis.before + axis.stride)).astype(np.float64)
    return met[::-1].copy() if axis.mirrored else met


def _met(axis: AxisGeometry, divides: bool) -> np.ndarray:
    """The taps that every output point meets, as if the padding were zeros: so the choice stays aligned if it repeats values."""
    return np.flatnonzero(replace(axis, repeats=False).patterns(divides).all(axis=0))


def _nearest(axis: AxisGeometry, taps: np.ndarray, count: int) -> np.ndarray:
    """`count` neighbouring taps nearest to the middle of the kernel; of two equally near choices, the lower one."""
    if not len(taps):
        return np.array([(axis.taps - 1) // 2])
    count = min(count, len(taps))
    gaps = [
        abs(taps[start] + taps[start + count - 1] - (axis.taps - 1)) for start in range(len(taps) - count + 1)
    ]
    start = int(np.argmin(gaps))
    return taps[start : start + count]


def _even(axis: AxisGeometry, taps: np.ndarray) -> np.ndarray:
    weights = np.zeros(axis.taps)
    weights[taps] = 1 / len(taps)
    return weights
