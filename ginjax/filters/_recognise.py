"""Recognition of filters among other arrays by their symmetry."""

import math
from collections.abc import Sequence

import numpy as np

from ._bank import FilterKey
from ._match import MATCH_TOLERANCE

DIMENSIONS = (1, 2, 3, 4)
"""The dimensions in which filters are looked for."""


def filter_key(array: np.ndarray, D: int) -> FilterKey | None:
    r"""Return the order and parity of an array of filters; None if the array does not hold filters.

    Filters are $(n, M^D, D^k)$ with $M \ge 2$, and every filter is invariant under each reflection of the grid:
    $(-1)^p\, R_d^{\otimes k}\, C(R_d^{-1} x) = C(x)$. Other arrays, such as weights, do not have this symmetry. The parity is
    unique, because a filter with both parities is zero.

    **Arguments:**

    - `array`: any array.
    - `D`: the dimension.
    """
    k = array.ndim - 1 - D
    if k < 0 or array.dtype.kind != "f" or not len(array):
        return None
    sides, components = array.shape[1 : D + 1], array.shape[D + 1 :]
    if len(set(sides)) != 1 or sides[0] < 2 or set(components) - {D}:
        return None
    values = array.astype(np.float64)
    sizes = np.abs(values).reshape(len(values), -1).max(axis=1)
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        return None
    scale = sizes.reshape(-1, *(1,) * (array.ndim - 1))
    parities = {_parity_under(values / scale, axis, D) for axis in range(D)}
    found = parities.pop() if len(parities) == 1 else None
    return None if found is None else (k, found)


def filters_among(arrays: Sequence[np.ndarray]) -> dict[int, list[tuple[int, int, int]]]:
    """Find the filters among some arrays: for each dimension, the `(order, parity, side)` of each kind once.

    **Arguments:**

    - `arrays`: any arrays, such as all arrays of a checkpoint.
    """
    found: dict[int, list[tuple[int, int, int]]] = {}
    for D in DIMENSIONS:
        keys = ((filter_key(array, D), array) for array in arrays)
        kinds = [(*key, array.shape[1]) for key, array in keys if key is not None]
        if kinds:
            found[D] = list(dict.fromkeys(kinds))
    return found


def _parity_under(filters: np.ndarray, axis: int, D: int) -> int | None:
    """Return 0 or 1 if the reflection of an axis leaves all filters as they are or changes their sign, else None."""
    moved = np.flip(filters, axis=1 + axis)
    signs = np.where(np.arange(D) == axis, -1.0, 1.0)
    for tensor_axis in range(1 + D, filters.ndim):
        moved = moved * signs.reshape(-1, *(1,) * (filters.ndim - 1 - tensor_axis))
    for parity, sign in ((0, 1.0), (1, -1.0)):
        if np.abs(sign * moved - filters).max() <= 2 * MATCH_TOLERANCE:
            return parity
    return None


def in_terms_of(known: np.ndarray, given: np.ndarray) -> np.ndarray | None:
    r"""Compute $T$ with $G_i = \sum_j T_{ij} K_j$ for filters $G$ (`given`) and $K$ (`known`); None if there is none.

    Weights $w$ of the filters $G$ become weights $w T$ of the filters $K$.

    **Arguments:**

    - `known`, `given`: `(n, *(M,)*D, *(D,)*k)` and `(m, ...)` of the same order, side and dimension.

    **Returns:** `(m, n)`. If all entries are 0, 1 or -1 up to the rounding of stored filters, they are exactly so.
    """
    if known.shape[1:] != given.shape[1:] or not len(known):
        return None
    size = math.prod(known.shape[1:])
    rows, targets = known.reshape(-1, size).astype(np.float64), given.reshape(-1, size).astype(np.float64)
    solved, _, rank, _ = np.linalg.lstsq(rows.T, targets.T, rcond=None)
    if rank < len(rows):
        return None
    left = np.abs(solved.T @ rows - targets).max(initial=0.0)
    if left > MATCH_TOLERANCE * max(1.0, np.abs(targets).max(initial=0.0)):
        return None
    matrix = solved.T
    whole = np.clip(np.round(matrix), -1, 1)
    return whole if np.abs(matrix - whole).max(initial=0.0) <= 3 * MATCH_TOLERANCE else matrix
