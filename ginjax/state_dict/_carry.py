"""The conversion of one kernel to another dimension, and its residual."""

import math
from collections.abc import Sequence

import numpy as np

from ginjax.transfer import AxisGeometry


def carried_up(kernel: np.ndarray, place: int, profiles: Sequence[np.ndarray]) -> np.ndarray:
    """The kernel with new axes: $K'[\\ldots, t_1, t_2, \\ldots] = w_{t_1} w_{t_2} K[\\ldots]$.

    **Arguments:**

    - `kernel`: the kernel as stored. Its precision is kept; 16-bit values are multiplied in 32 bits.
    - `place`: the index of the first new axis.
    - `profiles`: the profile of the rule along each new axis, see `ginjax.transfer.rules.profile`.
    """
    sides = tuple(len(each) for each in profiles)
    outer = math.prod(kernel.shape[:place])
    # Rows of three axes are copied ten times as fast as kernels of five.
    rows = kernel.reshape(outer, -1)
    wide = rows if kernel.dtype.itemsize >= 4 else rows.astype(np.float32)
    weights = profiles[0]
    for each in profiles[1:]:
        weights = np.multiply.outer(weights, each).reshape(-1)
    result = np.zeros((outer, len(weights), rows.shape[1]), kernel.dtype)
    for tap in np.flatnonzero(weights):
        factor = float(weights[tap])
        result[:, tap] = rows if factor == 1 else (wide * wide.dtype.type(factor)).astype(kernel.dtype)
    return result.reshape(*kernel.shape[:place], *sides, *kernel.shape[place:])


def carried_down(kernel: np.ndarray, place: int, axes: Sequence[AxisGeometry]) -> np.ndarray:
    """The kernel without some axes: the sum of the taps that an output point meets, computed in float64.

    In a transposed convolution, output points meet different taps in turn; the result is the mean of their sums.
    """
    met = widened(kernel)
    for axis in axes:
        met = np.moveaxis(met, place, 0)
        if axis.transposed:
            turns = [range(r, axis.taps, axis.stride) for r in range(min(axis.stride, axis.taps))]
            met = np.sum([met[list(turn)].sum(axis=0) for turn in turns], axis=0) / axis.stride
        else:
            met = met.sum(axis=0)
    return met.astype(kernel.dtype)


def kernel_gap(
    low: np.ndarray, high: np.ndarray, place: int, axes: Sequence[AxisGeometry], divides: bool
) -> float:
    """The largest deviation of a kernel from that of the lower dimension, on fields that do not vary along the new axes.

    At each output point, the taps of `high` that meet the field have to add up to `low`. The largest difference is divided by
    the largest entry of `low`.

    **Arguments:**

    - `low`, `high`: the kernels as the layers use them.
    - `place`, `axes`: the index of the first new axis, and the geometry of the convolution along the new axes.
    - `divides`: whether depths are multiples of the stride.
    """
    met = _sets_of_taps(axes, divides)
    outer, taps = math.prod(low.shape[:place]), math.prod(axis.taps for axis in axes)
    old, new = low.reshape(outer, -1), high.reshape(outer, taps, -1)
    at_once = max(_AT_ONCE // max(new[:1].size, 1), 1)
    gap = 0.0
    for start in range(0, outer, at_once):
        part = slice(start, start + at_once)
        there = {tap: values for tap in range(taps) if (values := new[part, tap]).any()}
        for kept in {frozenset(tap for tap in each if tap in there) for each in met}:
            if len(kept) == 1 and np.array_equal(there[min(kept)], old[part]):
                continue  # a single slice holds the kernel: nothing to add up
            total = -widened(old[part])
            for tap in sorted(kept):
                total += widened(there[tap])
            gap = max(gap, float(np.abs(total).max(initial=0.0)))
    scale = float(np.abs(widened(old)).max(initial=0.0)) if gap else 0.0
    return gap / scale if scale > 0 else gap


_AT_ONCE = 2**16
"""Number of entries processed together, few enough for the caches of a processor."""


def _sets_of_taps(axes: Sequence[AxisGeometry], divides: bool) -> set[frozenset[int]]:
    """All sets of taps, numbered over all new axes, that an output point can meet."""
    found = {frozenset({0})}
    for axis in axes:
        patterns = [np.flatnonzero(row) for row in axis.patterns(divides)]
        found = {
            frozenset(int(tap * axis.taps + t) for tap in taps for t in row)
            for taps in found
            for row in patterns
        }
    return found


def widened(array: np.ndarray) -> np.ndarray:
    """The array in float64, or complex128 if it is complex."""
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
