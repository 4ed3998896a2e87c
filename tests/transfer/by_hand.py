"""Convolution on a torus and the embedding, restated tap by tap and independent of the library."""

import numpy as np

from ginjax.filters import BankRecipe, make_block
from ginjax.transfer import FilterPair


def make_pair(
    recipe: BankRecipe,
    dims: tuple[int, int],
    orders: tuple[int, int],
    p: int = 0,
    input_dilation: int = 1,
    filter_dilation: int = 1,
    lifts: tuple[bool, bool] = (False, False),
) -> FilterPair:
    old, new = (
        make_block(D, recipe, k, p) for D, k in zip(dims, (sum(orders), sum(orders + lifts)), strict=True)
    )
    return FilterPair(old, new, *dims, *orders, p, input_dilation, filter_dilation, *lifts)


def random_weights(pair: FilterPair, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((1, 1, len(pair.old)))


def convolve(
    x: np.ndarray,
    C: np.ndarray,
    D: int,
    k_in: int,
    stride: int = 1,
    input_dilation: int = 1,
    filter_dilation: int = 1,
) -> np.ndarray:
    """`y(i) = sum_t C(t) . x(i + t)` for `x` `(*spatial, *(D,)*k_in)`, the first `k_in` axes of `C(t)` contracted."""
    space = tuple(range(D))
    spread = np.zeros((*(input_dilation * n for n in x.shape[:D]), *x.shape[D:]))
    spread[(slice(None, None, input_dilation),) * D] = x
    y = 0.0
    for tap in np.ndindex(C.shape[:D]):
        offset = [-(t - (C.shape[0] - 1) // 2) * filter_dilation for t in tap]
        y = y + np.tensordot(np.roll(spread, offset, space), C[tap], k_in)
    return y[(slice(None, None, stride),) * D]


def lift(x: np.ndarray, D: int, D_new: int, k: int, side: int, parity_lift: bool = False) -> np.ndarray:
    """`E x`: `side` equal slices along each added axis, zeros in the new components.

    With `parity_lift` the values stand in the last place of one more index.
    """
    if parity_lift:
        plain = lift(x, D, D_new, k, side)[..., None]
        return np.concatenate([np.zeros_like(plain)] * D + [plain], axis=-1)
    lifted = np.zeros((*x.shape[:D], *(side,) * (D_new - D), *(D_new,) * k))
    slices = x.reshape(*x.shape[:D], *(1,) * (D_new - D), *x.shape[D:])
    lifted[(..., *(slice(0, D),) * k)] = slices
    return lifted


def lift_error(
    pair: FilterPair, old_weights: np.ndarray, new_weights: np.ndarray, stride: int = 1, side: int = 5
) -> tuple[float, float]:
    """`max |f'(E x) - E f(x)| / max |E f(x)|` of one convolution, on old output components and on the rest."""
    D, D_new = pair.D_old, pair.D_new
    geometry = {
        "stride": stride,
        "input_dilation": pair.input_dilation,
        "filter_dilation": pair.filter_dilation,
    }
    x = np.random.default_rng(7).standard_normal((*range(side, side + D), *(D,) * pair.k_in))
    C = np.tensordot(old_weights[0, 0], pair.old.filters, 1)
    C_new = np.tensordot(new_weights[0, 0], pair.new.filters, 1)
    low = convolve(x, C, D, pair.k_in, **geometry)
    high = lift(x, D, D_new, pair.k_in, side - 1, pair.lift_in)
    got = convolve(high, C_new, D_new, pair.k_in + pair.lift_in, **geometry)
    wanted = lift(low, D, D_new, pair.k_out, got.shape[D_new - 1], pair.lift_out)
    error = np.abs(got - wanted) / np.abs(low).max()
    old = (..., *(slice(0, D),) * pair.k_out, *(D,) * pair.lift_out)
    on_old = error[old].max()
    error[old] = 0.0
    return float(on_old), float(error.max())
