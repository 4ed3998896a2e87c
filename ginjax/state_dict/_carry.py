"""One kernel on its way to another dimension, and how exactly it got there."""

import itertools
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
    result = np.zeros((*kernel.shape[:place], *sides, *kernel.shape[place:]), kernel.dtype)
    wide = kernel if kernel.dtype.itemsize >= 4 else kernel.astype(np.float32)
    for taps in itertools.product(*(np.flatnonzero(each) for each in profiles)):
        factor = float(np.prod([each[tap] for each, tap in zip(profiles, taps, strict=True)]))
        index = (slice(None),) * place + tuple(int(tap) for tap in taps)
        if factor == 1:
            result[index] = kernel
        else:
            result[index] = (wide * wide.dtype.type(factor)).astype(kernel.dtype)
    return result


def carried_down(kernel: np.ndarray, place: int, axes: Sequence[AxisGeometry]) -> np.ndarray:
    """The kernel without some axes: the sum of the taps that an output point meets, summed in float64.

    Output points of a transposed convolution meet different taps by turns; the mean of their sums is taken.
    """
    met = kernel.astype(np.float64)
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
    scale = float(np.abs(low.astype(np.float64)).max(initial=0.0))
    taps = np.moveaxis(high, range(place, place + len(axes)), range(len(axes)))
    slices = {
        index: taps[index].astype(np.float64)
        for index in np.ndindex(taps.shape[: len(axes)])
        if taps[index].any()
    }
    wanted = low.astype(np.float64)
    gap = 0.0
    done = set()
    for rows in itertools.product(*(axis.patterns(divides) for axis in axes)):
        met = frozenset(
            index for index in slices if all(row[tap] for row, tap in zip(rows, index, strict=True))
        )
        if met in done:
            continue
        done.add(met)
        total = -wanted
        for index in met:
            total += slices[index]
        gap = max(gap, float(np.abs(total).max(initial=0.0)))
    return gap / scale if scale > 0 else gap
