"""The convolution as an operation of JAX: derivatives of both orders and modes, batches, slabs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FULL2, FULL3, SV, bank
from sweeps import all_but, few

from ginjax.geometric import ConvGeometry, inner, mix_channels, scale
from ginjax.geometric.conv._bank_conv import bank_conv
from ginjax.geometric.conv._basis_first import (
    JOINED,
    _among,
    _groups,
    _product,
    gradients,
    mix,
    weight_gradient,
)
from ginjax.geometric.conv._mixing import make_mixing
from ginjax.geometric.conv._slabs import slab_thickness
from ginjax.geometric.conv._ways import use_way

GEOMETRIES = {
    "torus": (FULL3, 6, {}),
    "stride that divides the period": (FULL2, 6, {"stride": 2}),
    "stride that does not": (FULL3, 5, {"stride": 2}),
    "transposed": (FULL2, 4, {"lhs_dilation": 2, "padding": ((1, 1), (1, 1))}),
}


def setting(name: str, dtype=np.float64):
    recipe, side, options = GEOMETRIES[name]
    filters = bank(2, recipe)
    mixing = make_mixing(filters, SV, SV)
    axes = ConvGeometry.resolve(2, (True, True), **options).axes((side, side), filters.side)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, sum(s.channels for s in mixing.inputs), side, side)).astype(dtype)
    w = rng.standard_normal(mixing.weights).astype(dtype)
    return x, w, mixing, axes


@pytest.mark.parametrize("name", all_but(GEOMETRIES, "torus", "stride that divides the period"))
def test_derivatives_of_both_modes_and_orders(name):
    """Against the other way of computing and, being bilinear, against the operation itself."""
    with jax.enable_x64(True):
        x, w, mixing, axes = setting(name)

        def f(x, w):
            return bank_conv(x, w, mixing, axes)

        def loss(x, w):
            return (f(x, w) ** 2).sum()

        def dense_loss(x, w):
            with use_way("dense"):
                return (bank_conv(x, w, mixing, axes) ** 2).sum()

        found, expected = (jax.jit(jax.grad(each, (0, 1)))(x, w) for each in (loss, dense_loss))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
        _, change = jax.jit(lambda x, w: jax.jvp(f, (x, w), (x, 2 * w)))(x, w)
        np.testing.assert_allclose(change, 3 * f(x, w), rtol=1e-10, atol=1e-10)
        # Forwards over backwards, in the direction of (x, w) itself: the loss is of degree four.
        _, second = jax.jit(lambda x, w: jax.jvp(jax.grad(loss, (0, 1)), (x, w), (x, w)))(x, w)
        for a, b in zip(second, found, strict=True):
            np.testing.assert_allclose(a, 3 * np.asarray(b), rtol=1e-9, atol=1e-9)
        back = jax.jit(jax.grad(lambda x: (jax.grad(loss)(x, w) * x).sum()))(x)
        np.testing.assert_allclose(back, 2 * found[0], rtol=1e-9, atol=1e-9)


def test_batches_of_weights_and_of_gradients():
    x, w, mixing, axes = setting("torus", np.float32)
    many = np.stack([w, 2 * w, -w])

    @jax.jit
    def f(x, w):
        return bank_conv(x[None], w, mixing, axes)[0]

    y = jax.jit(jax.vmap(f, (None, 0)))(x[0], many)
    np.testing.assert_allclose(y, np.stack([f(x[0], each) for each in many]), rtol=1e-5, atol=1e-4)
    per_sample = jax.jit(jax.vmap(jax.grad(lambda w, x: (f(x, w) ** 2).sum()), (None, 0)))(w, x)
    together = jax.jit(jax.grad(lambda w: sum((f(each, w) ** 2).sum() for each in x)))(w)
    np.testing.assert_allclose(per_sample.sum(0), together, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("room", [1, 500, 2000])
def test_slabs_change_nothing(room):
    x, w, mixing, axes = setting("torus")
    with jax.enable_x64(True):
        g = jnp.asarray(np.random.default_rng(1).standard_normal(x.shape))
        x, w = jnp.asarray(x), jnp.asarray(w)

        def three(x, w, g, size):
            return (
                mix(x, w, mixing, axes, None, size),
                *gradients(x, w, g, mixing, axes, None, size),
                weight_gradient(x, g, mixing, axes, None, size),
            )

        whole, slabs = (jax.jit(three, static_argnums=3)(x, w, g, size) for size in (10**9, room))
        for a, b in zip(whole, slabs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        # Not a comparison of zeros.
        assert all(np.abs(a).max() > 0.1 for a in whole)


@pytest.mark.parametrize(
    ("pixels", "planes", "most", "thickness"),
    [(10, 32, 1000, 32), (10, 32, 170, 32), (10, 32, 100, 8), (10, 7, 20, 2), (10, 32, 1, 1), (0, 5, 3, 5)],
)
def test_thickness_of_slabs(pixels, planes, most, thickness):
    assert slab_thickness(pixels, planes, most) == thickness


def test_channels_are_mixed_alike_in_every_component():
    rng = np.random.default_rng(0)
    x, w = (
        rng.standard_normal((3, 4, 2, 5)).astype(np.float32),
        rng.standard_normal((6, 4)).astype(np.float32),
    )
    np.testing.assert_allclose(mix_channels(x, w), np.einsum("oi,cixy->coxy", w, x), rtol=1e-5, atol=1e-5)
    batched = jax.vmap(mix_channels, (0, None))(np.stack([x, 2 * x]), w)
    np.testing.assert_allclose(batched[1], 2 * batched[0], rtol=1e-5, atol=1e-5)


def test_products_over_components_and_their_derivatives():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    k = rng.standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_allclose(inner(a, b), (a * b).sum(0), rtol=1e-5)
    np.testing.assert_allclose(scale(k, a), k * a, rtol=1e-6)

    def ours(k, a, b):
        return jnp.sin(inner(scale(k, a), b)).sum()

    def plain(k, a, b):
        return jnp.sin((k * a * b).sum(0)).sum()

    for x, y in zip(jax.grad(ours, (0, 1, 2))(k, a, b), jax.grad(plain, (0, 1, 2))(k, a, b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
    together = jax.vmap(inner, (0, None))(np.stack([a, 2 * a]), b)
    np.testing.assert_allclose(together[1], 2 * inner(a, b), rtol=1e-5)


@pytest.mark.parametrize("way", ["basis", "dense"])
@pytest.mark.parametrize("name", ["transposed", *few("torus")])
def test_any_number_of_batch_axes(name, way):
    x, w, mixing, axes = setting(name, np.float32)
    with use_way(way):
        y = bank_conv(x, w, mixing, axes)
        np.testing.assert_allclose(bank_conv(x[1], w, mixing, axes), y[1], rtol=1e-4, atol=1e-4)
        more = np.stack([x, 2 * x, -x])
        np.testing.assert_allclose(bank_conv(more, w, mixing, axes)[1], 2 * y, rtol=1e-4, atol=1e-4)
        outer = jax.vmap(lambda x: bank_conv(x, w, mixing, axes), -1, -1)(np.moveaxis(more, 0, -1))
        np.testing.assert_allclose(outer[..., 2], -y, rtol=1e-4, atol=1e-4)
        gx, gw = jax.grad(lambda x, w: (bank_conv(x, w, mixing, axes) ** 2).sum(), (0, 1))(more, w)
        one_x, one_w = jax.grad(lambda x, w: (bank_conv(x, w, mixing, axes) ** 2).sum(), (0, 1))(x, w)
    np.testing.assert_allclose(gx[1], 2 * one_x, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(gw, 6 * one_w, rtol=1e-3, atol=1e-1)


def test_a_batch_of_none():
    x, w, mixing, axes = setting("torus", np.float32)
    gx, gw = jax.grad(lambda x, w: bank_conv(x, w, mixing, axes).sum(), (0, 1))(x[:0], w)
    assert gx.shape == x[:0].shape and not gw.any()
    assert (
        mix_channels(x.reshape(2, -1, *x.shape[2:])[:0], np.ones((1, x.shape[1]), np.float32)).shape[0] == 0
    )


def test_the_way_back_is_made_of_the_same_operations():
    """An odd filter and its mirror image are scaled to the same one, so that one compiled kernel serves both."""
    _, _, mixing, _ = setting("torus")
    pairs = list(zip(mixing.features, mixing.adjoint.features, strict=True))
    assert any(
        np.any(np.sign(a.sizes) != np.sign(b.sizes))
        for a, b in zip(mixing.paths, mixing.adjoint.paths, strict=True)
    )
    for (_, features), (_, mirrored) in pairs:
        forms = [
            sorted(stencil.forms.round(9).tobytes() for f in each for *_, stencil in f.stencils)
            for each in (features, mirrored)
        ]
        assert forms[0] == forms[1]


@pytest.mark.parametrize("count", [1, 8, 9, 11, 17])
def test_groups_of_images(count):
    groups = _groups(list(range(count)))
    assert [image for group in groups for image in group] == list(range(count))
    sizes = [len(group) for group in groups]
    assert max(sizes) <= JOINED and max(sizes) - min(sizes) <= 1 and len(sizes) == -(-count // JOINED)


def test_sums_over_groups_are_rounded_once():
    """Half precision: many images, summed in single precision, however they are grouped."""
    rng = np.random.default_rng(0)
    images = [jnp.asarray(rng.standard_normal((1, 8, 16)), jnp.bfloat16) for _ in range(6)]
    weights = [jnp.asarray(rng.standard_normal((1, 4, 8)), jnp.bfloat16) for _ in range(6)]
    exact = sum(
        np.asarray(w[0], float) @ np.asarray(x[0], float) for w, x in zip(weights, images, strict=True)
    )
    found = np.asarray(_product(weights, images, None), float)[0]
    once = np.asarray(jnp.asarray(exact, jnp.bfloat16), float)
    assert np.mean(found != once) < 0.02
    by_parts = sum(_product([w], [x], None) for w, x in zip(weights, images, strict=True))
    assert np.mean(np.asarray(by_parts, float)[0] != once) > 0.1


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_on_a_processor_is_rounded_once(dtype):
    x, w, mixing, axes = setting("torus", np.float32)
    x, w = (jnp.asarray(z, dtype) for z in (x, w))

    def value_and_gradients(x, w):
        y, back = jax.vjp(lambda x, w: bank_conv(x, w, mixing, axes), x, w)
        return y, *back(y)

    halves = jax.jit(value_and_gradients)(x, w)
    y, *_ = wide = value_and_gradients(x.astype(jnp.float32), w.astype(jnp.float32))
    assert all(half.dtype == dtype for half in halves)
    np.testing.assert_array_equal(halves[0], y.astype(dtype))
    rounding = float(jnp.finfo(dtype).eps)
    for half, exact in zip(halves[1:], wide[1:], strict=True):  # of a y that was rounded, so twice
        np.testing.assert_allclose(
            half.astype(jnp.float32), exact, rtol=0, atol=2 * rounding * np.abs(exact).max()
        )


def test_rows_among_others_keep_what_is_not_finite_to_themselves():
    part = jnp.asarray([[[jnp.inf]], [[1.0]]])
    np.testing.assert_array_equal(_among(part, (0, 2), 4)[:, 0, 0], [jnp.inf, 0, 1, 0])
