r"""Rounding converted weights so that condition (C) suffers least.

To round each weight by itself leaves `A a'` off by the rounding of its largest terms. Rounded one after the other,
largest first, the later and smaller weights, whose digits are finer, take up what the earlier ones left over (Babai's
nearest plane): with `A = Q R`, `x_j = round(a'_j + sum_{i > j} R_ji (a'_i - x_i) / R_jj)` from the last to the first.
A sensitive network then lifts several times closer.
"""

import numpy as np

from ._system import RANK_TOLERANCE, FilterPair, cached_condition


def compatible_rounding(pair: FilterPair, weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Weights `(out, in, n_new)` in a precision, with `A a'` closer to what it was than by plain rounding.

    Every weight moves by a few units in the last place of the largest; one that is zero stays zero.
    """
    if weights.size == 0 or np.dtype(dtype) == weights.dtype:
        return weights.astype(dtype)
    # Stable, so that equal weights give equal bytes; the largest come last and are rounded first.
    order = np.argsort(np.abs(weights).mean(axis=(0, 1)), kind="stable")
    R = np.asarray(np.linalg.qr(cached_condition(pair).A[:, order], mode="r"))
    exact, rounded = weights[..., order], np.zeros_like(weights)
    size = np.abs(R).max(initial=0.0)
    left_over = np.zeros_like(exact)
    for j in reversed(range(len(order))):
        wanted = exact[..., j]
        # A column that depends on those before it (a free direction) has no share of its own to take up.
        if j < len(R) and abs(R[j, j]) > RANK_TOLERANCE * size:
            wanted = wanted + left_over[..., j + 1 :] @ R[j, j + 1 :] / R[j, j]
        nearest = np.where(exact[..., j] == 0, 0.0, wanted).astype(dtype)
        rounded[..., order[j]] = nearest
        left_over[..., j] = exact[..., j] - nearest.astype(weights.dtype)
    return rounded.astype(dtype)
