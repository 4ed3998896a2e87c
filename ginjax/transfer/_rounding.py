r"""Rounding converted weights so that condition (C) suffers least.

To round each weight by itself leaves `A a'` off by the rounding of its largest terms. Rounded one after the other, the
later weights take up what the earlier ones left over (Babai's nearest plane): with `A = Q R`,
`x_j = round(a'_j + sum_{i > j} R_ji (a'_i - x_i) / R_jj)` from the last to the first. What is left is of the size of
`R_jj` times the last place of weight `j`, so the order matters: weights whose last place moves `A a'` most go first.
Free directions of (C) help too: started a few last places away along one of them, the same conditions round otherwise.
Of a few such starts every pair of channels keeps the best. A sensitive network then lifts several times closer.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.filters import FilterBank

from ._layers import ConvLayer
from ._pairs import path_pair
from ._system import RANK_TOLERANCE, FilterPair, cached_condition, solutions

SHIFTS = 4
"""Starting points along the free directions, where there are any; more gain little and cost time."""


def compatible_rounding(pair: FilterPair, weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Weights `(out, in, n_new)` in a precision, with `A a'` closer to what it was than by plain rounding.

    Every weight moves by a few units in the last place of the largest; one that is zero stays zero.
    """
    if weights.size == 0 or np.dtype(dtype) == weights.dtype:
        return weights.astype(dtype)
    A = np.asarray(np.linalg.qr(cached_condition(pair).A, mode="r"))  # the same lengths in fewer rows
    size = np.abs(weights).mean(axis=(0, 1))
    orders = (_finest_last(A, size), np.argsort(size, kind="stable"))
    starts = _starts(pair, weights, dtype)
    candidates = np.concatenate([_nearest_plane(A, order, starts, weights == 0, dtype) for order in orders])
    errors = np.square((candidates - weights) @ A.T).sum(axis=-1)
    best = np.argmin(errors, axis=0)  # the first of equals, so that equal weights give equal bytes
    return np.take_along_axis(candidates, best[None, ..., None], axis=0)[0].astype(dtype)


def round_converted(
    arrays: Mapping[str, np.ndarray],
    layers: Sequence[ConvLayer],
    low: Mapping[str, FilterBank],
    high: Mapping[str, FilterBank],
    dtypes: Mapping[str, np.dtype],
) -> dict[str, np.ndarray]:
    """The arrays of a converted model in the precision of a file, those of every path by `compatible_rounding`.

    **Arguments:**

    - `arrays`: by name, convolution weights in float64.
    - `layers`: the layer table; `low`, `high`: the banks by role before and after.
    - `dtypes`: of each array in the file.

    **Raises:** `ArgumentError` for a weight beyond the largest number of its precision.
    """
    for name, array in arrays.items():
        kind, largest = dtypes[name], np.abs(array).max(initial=0.0)
        if np.issubdtype(kind, np.floating) and np.isfinite(largest) and largest > np.finfo(kind).max:
            raise ArgumentError(
                f"precision of {name}",
                got=np.dtype(kind).name,
                expected=f"one with room for {largest:.3g}",
                hint="Choose a wider `dtype`.",
            )
    result = {name: np.asarray(array, dtypes[name]) for name, array in arrays.items()}
    for layer in layers:
        for source, _, target, _ in layer.paths():
            name = layer.weight_name(source, target)
            if name in arrays:
                pair = path_pair(layer, source, target, low[layer.role], high[layer.role])
                result[name] = compatible_rounding(pair, arrays[name], dtypes[name])
    return result


def _finest_last(A: np.ndarray, size: np.ndarray) -> np.ndarray:
    """An order of the columns in which the one that is rounded last (the first) moves `A a'` least, and so on.

    One column after the other is taken by its length orthogonal to those taken, in last places of its weight.
    """
    remaining, order = A * size, []
    left = list(range(len(size)))
    while left:
        lengths = np.linalg.norm(remaining[:, left], axis=0)
        chosen = left.pop(int(np.argmin(lengths)))
        order.append(chosen)
        length = lengths.min()
        if length > RANK_TOLERANCE:
            direction = remaining[:, chosen] / length
            remaining = remaining - np.outer(direction, direction @ remaining)
    return np.array(order)


def _starts(pair: FilterPair, weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The weights themselves, and others a few last places away with the same `A a'`: `(starts, out, in, n_new)`."""
    null = solutions(pair).null
    if not null.shape[1]:
        return weights[None]
    unit = float(np.spacing(np.ones((), dtype))) * np.abs(weights).max(axis=-1, keepdims=True)
    # Parts of one irrational number, as good as random here; the first start is no shift.
    shifts = np.outer(np.arange(SHIFTS), np.arange(1, null.shape[1] + 1)) * (np.sqrt(5) / 2) % 1
    return weights + (shifts @ null.T)[:, None, None] * unit


def _nearest_plane(
    A: np.ndarray, order: np.ndarray, starts: np.ndarray, zero: np.ndarray, dtype: np.dtype
) -> np.ndarray:
    """Weights `(starts, out, in, n_new)` rounded one after the other, the last of the order first, as float64."""
    R = np.asarray(np.linalg.qr(A[:, order], mode="r"))
    smallest = RANK_TOLERANCE * np.abs(R).max(initial=0.0)
    rounded, left_over = np.zeros_like(starts), np.zeros_like(starts)
    for j in reversed(range(len(order))):
        wanted = starts[..., order[j]]
        # A column that depends on those before it (a free direction) has no share of its own to take up.
        if j < len(R) and abs(R[j, j]) > smallest:
            wanted = wanted + left_over[..., j + 1 :] @ R[j, j + 1 :] / R[j, j]
        nearest = np.where(zero[..., order[j]], 0.0, wanted).astype(dtype).astype(starts.dtype)
        rounded[..., order[j]] = nearest
        left_over[..., j] = starts[..., order[j]] - nearest
    return rounded
