"""One kernel on its way to another dimension, and how exactly it got there."""

import math
from collections.abc import Sequence

import numpy as np

from ginjax.transfer import AxisGeometry


def carried_up(kernel: np.ndarray, place: int, profiles: Sequence[np.ndarray]) -> np.ndarray:
    """The kernel with new axes: $K'[\\ldots, t_1, t_2, \\ldots] = w_{t_1} w_{t_2} K[\\ldots]$.

    **Arguments:**

    - `kernel`: as stored; its precision is kept, and 16 bits are multiplied in 32.
    - `place`: the index of the first new axis.
    - `profiles`: the numbers of each new axis, see `ginjax.transfer.rules.profile`.
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
    """The kernel without some axes: the sum of the taps that an output point meets, summed in float64.

    Output points of a transposed convolution meet different taps by turns; the mean of their sums is taken.
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
    """The largest deviation of a kernel from the one of the lower dimension, on fields that do not vary along the new axes.

    At each output point the taps of `high` that meet the field have to add up to `low`. The largest difference is divided by
    the largest entry of `low`.

    **Arguments:**

    - `low`, `high`: kernels as the layers use them.
    - `place`, `axes`: where the new axes are and what the convolution does along them.
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
                continue  # as where one slice holds the kernel: nothing is to be added up
            total = -widened(old[part])
            for tap in sorted(kept):
                total += widened(there[tap])
            gap = max(gap, float(np.abs(total).max(initial=0.0)))
    scale = float(np.abs(widened(old)).max(initial=0.0)) if gap else 0.0
    return gap / scale if scale > 0 else gap


_AT_ONCE = 2**16
"""Entries that are looked at together, few enough to stay in the caches of a processor."""


def _sets_of_taps(axes: Sequence[AxisGeometry], divides: bool) -> set[frozenset[int]]:
    """The sets of taps, numbered over all new axes, that some output point meets."""
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
    """The array in 64 bits, twice that if it is complex."""
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
