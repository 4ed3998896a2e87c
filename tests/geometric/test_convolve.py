"""Convolution against sums over taps written out in NumPy."""

import itertools
import math

import jax
import numpy as np
import pytest
from jax import lax

from ginjax.errors import ArgumentError
from ginjax.geometric import convolve, convolve_contract


def taps(n: int, side: int, padding, wraps: bool, stride: int, dilation: int, spread: int) -> np.ndarray:
    """`(out, side, n)`: 1 where tap `t` of output pixel `o` sees input pixel `i` of one axis."""
    reach, period = (side - 1) * spread, n * dilation
    length = period if padding == "TORUS" and wraps else (n - 1) * dilation + 1
    if padding == "TORUS":
        low, high = reach // 2, reach - reach // 2
    elif isinstance(padding, str):
        ((low, high),) = lax.padtype_to_pads((length,), (reach + 1,), (stride,), padding)
    else:
        low, high = padding
    out = (length + low + high - reach - 1) // stride + 1
    seen = np.zeros((out, side, n))
    for o, t in itertools.product(range(out), range(side)):
        place = o * stride + t * spread - low
        place = place % period if padding == "TORUS" and wraps else place
        if place % dilation == 0 and 0 <= place // dilation < n:
            seen[o, t, place // dilation] = 1
    return seen


def reference(D, x, filters, torus, padding, stride, dilation, spread) -> np.ndarray:
    """`y_o(x)_{IJ} = sum_{i,t} x_i(x + t)_I f_{oi}(t)_J` with `I` and `J` flattened: `(b, o, *spatial, I, J)`."""
    side = filters.shape[2]
    patches = x.reshape(*x.shape[: D + 2], -1)
    for axis in range(D):
        n = x.shape[2 + axis]
        pad = padding if isinstance(padding, str) else padding[axis]
        seen = taps(n, side, pad, torus[axis], stride[axis], dilation[axis], spread[axis])
        patches = np.tensordot(patches, seen, (2, 2))
    patches = np.moveaxis(patches, range(3, 3 + 2 * D, 2), range(2, 2 + D))  # (b, i, *out, I, *taps)
    patches = patches.reshape(*patches.shape[: 3 + D], side**D)
    f = filters.reshape(*filters.shape[:2], side**D, -1)
    return np.moveaxis(np.einsum("bi...It,oitJ->b...IoJ", patches, f), -2, 1)


GEOMETRIES = {
    "torus": (True, {}),
    "no torus": (False, {}),
    "mixed torus": ((True, False), {}),
    "torus, stride and filter dilation": (True, {"stride": 2, "rhs_dilation": 2}),
    "valid, stride": (True, {"padding": "VALID", "stride": 2}),
    "same, stride": (True, {"padding": "SAME", "stride": 2}),
    "one number": (True, {"padding": 2}),
    "pairs": (False, {"padding": ((0, 2), (1, 0))}),
    "transposed": (True, {"padding": ((1, 1), (1, 1)), "lhs_dilation": (2, 2)}),
    "transposed on a torus": (True, {"padding": "TORUS", "lhs_dilation": 2}),
}


def sizes(D: int, k: int, k_filter: int, side: int):
    rng = np.random.default_rng(D + 10 * k + 100 * k_filter)
    x = rng.standard_normal((2, 3, *(5, 4)[:D], *(D,) * k)).astype(np.float32)
    return x, rng.standard_normal((2, 3, *(side,) * D, *(D,) * k_filter)).astype(np.float32)


def compiled(D, x, filters, torus, given):
    def both(x, filters):
        return convolve(D, x, filters, torus, **given), convolve_contract(D, x, filters, torus, **given)

    return jax.jit(both)(x, filters)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("D, k, k_filter, side", [(2, 0, 0, 2), (1, 1, 1, 3), (2, 1, 2, 3)])
def test_sums_over_taps(name, D, k, k_filter, side):
    torus, given = GEOMETRIES[name]
    cut = {n: v[:D] if isinstance(v, tuple) else v for n, v in given.items()}
    torus = torus[:D] if isinstance(torus, tuple) else (torus,) * D
    x, filters = sizes(D, k, k_filter, side)
    padding = cut.get("padding") or ("TORUS" if any(torus) else "SAME")
    padding = ((padding, padding),) * D if isinstance(padding, int) else padding
    spelled = [
        np.broadcast_to(cut.get(n) or 1, D).tolist() for n in ("stride", "lhs_dilation", "rhs_dilation")
    ]
    wanted = reference(D, x, filters, torus, padding, *spelled)
    y, z = compiled(D, x, filters, torus, cut)
    assert y.shape == (*wanted.shape[: D + 2], *(D,) * (k + k_filter))
    np.testing.assert_allclose(y.reshape(wanted.shape), wanted, atol=2e-5)
    # Contraction takes the diagonal of the image's components and the first ones of the filter.
    split = wanted.reshape(*wanted.shape[:-1], D**k, -1)
    contracted = np.einsum("...IIJ->...J", split)
    assert z.shape == (*wanted.shape[: D + 2], *(D,) * (k_filter - k))
    np.testing.assert_allclose(z.reshape(contracted.shape), contracted, atol=2e-5)


@pytest.mark.parametrize("D", [1, 2])
def test_a_delta_filter_is_the_identity_and_a_shifted_one_is_a_shift(D):
    x = np.random.default_rng(0).standard_normal((1, 1, *(4,) * D, D)).astype(np.float32)
    delta = np.zeros((1, 1, *(3,) * D), np.float32)
    delta[(0, 0, *(1,) * D)] = 1
    np.testing.assert_array_equal(convolve(D, x, delta, True), x)
    unit = delta[..., None, None] * np.eye(D, dtype=np.float32)
    np.testing.assert_array_equal(convolve_contract(D, x, unit, True), x)
    # Cross-correlation: a one at tap +1 brings the next pixel.
    np.testing.assert_array_equal(convolve(D, x, np.roll(delta, 1, 2), True), np.roll(x, -1, 2))
    assert not np.array_equal(convolve(D, x, np.roll(delta, 1, 2), False), np.roll(x, -1, 2))


def test_gradients_pass_through_the_transposed_case():
    x, filters = sizes(1, 0, 0, 2)
    kwargs = {"padding": ((1, 1),), "lhs_dilation": 2}
    gradient = jax.grad(lambda x: (convolve(1, x, filters, True, **kwargs) ** 2).sum())(x)
    step = np.zeros_like(x)
    step[0, 1, 2] = 1e-2

    def energy(x):
        return float((reference(1, x, filters, (True,), ((1, 1),), (1,), (2,), (1,)) ** 2).sum())

    slope = (energy(x + step) - energy(x - step)) / 2e-2
    assert math.isclose(float(gradient[0, 1, 2]), slope, rel_tol=1e-3)


def test_errors_name_what_does_not_fit(wrong_arrays):
    x, filters = sizes(2, 1, 1, 3)
    with pytest.raises(ArgumentError, match="channels of the image: got 2, expected 3"):
        convolve(2, x[:, :2], filters, True)
    with pytest.raises(ArgumentError, match="order of the filter: got 0, expected at least the image's, 1"):
        convolve_contract(2, x, filters[..., 0], True)
    with pytest.raises(ArgumentError, match="tensor axes of length 2"):
        convolve(2, np.repeat(x, 2, -1), filters, True)
    with pytest.raises(ArgumentError, match="is_torus"):
        convolve(2, x, filters, (True,))
