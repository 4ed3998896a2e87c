r"""Rounding of converted weights with the smallest error in condition (C).

If each weight is rounded by itself, the error of `A a'` is the rounding error of its largest terms. If weights are rounded one
after the other, later weights can compensate the errors of earlier ones (Babai's nearest plane): with `A = Q R`,
`x_j = round(a'_j + sum_{i > j} R_ji (a'_i - x_i) / R_jj)` from the last to the first. The remaining error has the size of
`R_jj` times the last place of weight `j`, so the order matters: weights whose last place changes `A a'` most go first.
Free directions of (C) help, too: from a start that is a few last places away along one of them, the same conditions round
differently. For every pair of channels the best of a few such starts is kept. A sensitive network is then lifted several times
more exactly.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.filters import FilterBank

from ._layers import ConvLayer
from ._pairs import path_pair
from ._system import RANK_TOLERANCE, FilterPair, cached_condition, solutions

SHIFTS = 4
"""Number of starting points along the free directions, if there are any; more gain little and cost time."""


def compatible_rounding(pair: FilterPair, weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Round weights `(out, in, n_new)` to a precision, with a smaller change of `A a'` than by plain rounding.

    A weight changes by no more than a few units in the last place of the largest weight; a weight that is zero stays zero.
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
    """Round the arrays of a converted model to the precision of a file, the weights of every path by `compatible_rounding`.

    **Arguments:**

    - `arrays`: the arrays by name, with convolution weights in float64.
    - `layers`: the layer table; `low`, `high`: the banks by role before and after.
    - `dtypes`: dtype of each array in the file.

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
    """An order of the columns. The first one, which is rounded last, changes `A a'` least, and so on.

    The columns are chosen one by one, by their length orthogonal to those already chosen, in last places of their weight.
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
    """The weights, and further ones a few last places away with the same `A a'`: `(starts, out, in, n_new)`."""
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
    """Round weights `(starts, out, in, n_new)` one after the other, the last of the order first; the result is float64."""
    R = np.asarray(np.linalg.qr(A[:, order], mode="r"))
    smallest = RANK_TOLERANCE * np.abs(R).max(initial=0.0)
    rounded, left_over = np.zeros_like(starts), np.zeros_like(starts)
    for j in reversed(range(len(order))):
        wanted = starts[..., order[j]]
        # A column that depends on those before it (a free direction) cannot compensate anything of its own.
        if j < len(R) and abs(R[j, j]) > smallest:
            wanted = wanted + left_over[..., j + 1 :] @ R[j, j + 1 :] / R[j, j]
        nearest = np.where(zero[..., order[j]], 0.0, wanted).astype(dtype).astype(starts.dtype)
        rounded[..., order[j]] = nearest
        left_over[..., j] = starts[..., order[j]] - nearest
    return rounded
