"""The fused convolution, run operation by operation: equal to the other ways, exactly zero where they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FULL3, bank
from sweeps import all_but

from ginjax.filters import BankRecipe
from ginjax.geometric import ConvGeometry, Signature
from ginjax.geometric.conv import _fused_kernel
from ginjax.geometric.conv._bank_conv import bank_conv
from ginjax.geometric.conv._fused import covers
from ginjax.geometric.conv._fused_plan import images_of, make_plan, matrices_of, symbols, weights_of
from ginjax.geometric.conv._mixing import make_mixing
from ginjax.geometric.conv._ways import use_way


def fields(*channels: int) -> Signature:
    """So many channels of each order."""
    return Signature([((order, 0), count) for order, count in enumerate(channels) if count])


SIDE5 = BankRecipe(5)
CASES = {
    "1D": (1, FULL3, fields(2, 3), fields(2, 3), 10, (True,), {}),
    "1D, side 5, more channels than a block": (1, SIDE5, fields(18), fields(3, 33), 9, (False,), {}),
    "2D, dilated, one axis padded": (
        2,
        FULL3,
        fields(2, 1),
        fields(1, 2),
        9,
        (True, False),
        {"rhs_dilation": 2},
    ),
    "2D, side 5, without padding": (2, SIDE5, fields(1), fields(2), 12, (False, False), {"padding": "VALID"}),
    "2D, of tensors": (2, FULL3, fields(0, 0, 2), fields(2), 5, (True, True), {}),
    "3D": (3, FULL3, fields(2), fields(1, 1), 5, (True, False, True), {}),
    "3D, vectors": (3, FULL3, fields(3, 2), fields(3, 2), 5, (True, False, True), {}),
}


def setting(name: str, dtype=jnp.float32):
    D, recipe, sources, targets, side, is_torus, options = CASES[name]
    filters = bank(D, recipe)
    mixing = make_mixing(filters, sources, targets)
    axes = ConvGeometry.resolve(D, is_torus, **options).axes((side,) * D, filters.side)
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((2, sum(s.channels for s in mixing.inputs), *(side,) * D)), dtype)
    return x, jnp.asarray(rng.standard_normal(mixing.weights), dtype), mixing, axes


def run_way(way, x, w, mixing, axes):
    with use_way(way):
        return bank_conv(x, w, mixing, axes)


def both_ways(x, w, mixing, axes):
    """Values, and gradients of one functional, of the fused way and of filters first."""

    def of_way(way, x, w):
        y, back = jax.vjp(lambda x, w: run_way(way, x, w, mixing, axes), x, w)
        probe = jnp.cos(jnp.arange(y.size, dtype=jnp.float32)).reshape(y.shape)
        return y, *back(probe.astype(y.dtype))

    def both(x, w):
        return of_way("fused", x, w), of_way("basis", x, w)

    return jax.jit(both)(x, w)


def assert_close(found, wanted, tolerance=1e-6):
    for one, other in zip(found, wanted, strict=True):
        one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
        assert np.abs(other).max() > 0.1
        np.testing.assert_allclose(one, other, atol=tolerance * float(np.abs(other).max()))


@pytest.mark.parametrize("name", all_but(CASES, "3D, vectors"))
def test_equals_filters_first(name):
    x, w, mixing, axes = setting(name)
    assert covers(mixing, axes, x)
    assert_close(*both_ways(x, w, mixing, axes))


def test_a_block_goes_through_several_tiles_and_groups(monkeypatch):
    x, w, mixing, axes = setting("1D")
    x = jnp.tile(x, (3, 1, 1))
    for tiles in ("TILES", "SMALL_TILES"):
        monkeypatch.setattr(_fused_kernel, tiles, {1: (4,)})
    monkeypatch.setattr(_fused_kernel, "BLOCKS", 4)  # of 18 tiles
    monkeypatch.setattr(_fused_kernel, "HELD", 2 * 16 * 16)
    assert len(_fused_kernel.groups(_fused_kernel.Layout.of(mixing, axes, 6, "highest", {1: (4,)}))) == 4
    jax.clear_caches()
    assert_close(*both_ways(x, w, mixing, axes))


def test_half_precision_is_rounded_at_the_ends_alone():
    x, w, mixing, axes = setting("1D", jnp.bfloat16)
    ours, others = both_ways(x, w, mixing, axes)
    assert {z.dtype for z in ours} == {jnp.dtype(jnp.bfloat16)}
    assert_close(ours, others, 2**-8)


def test_new_components_of_an_embedded_field_are_exactly_zero():
    mixing = make_mixing(bank(2, FULL3), fields(2, 1), fields(2, 1))
    axes = ConvGeometry.resolve(2, (True, True)).axes((6, 6), 3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 4, 6, 6)).astype(np.float32)
    x[...] = x[..., :1]
    w = rng.standard_normal(mixing.weights).astype(np.float32)
    run = jax.jit(lambda x: run_way("fused", x, w, mixing, axes))
    filled = np.asarray(run(x))
    x[:, 3] = 0
    y = np.asarray(run(x))
    assert not y[:, 3].any() and np.abs(y[:, :3]).max() > 0.1
    assert filled[:, 3].any()


def test_what_it_does_not_cover_goes_another_way():
    x, w, mixing, _ = setting("1D")
    axes = ConvGeometry.resolve(1, (True,), 2).axes((10,), 3)
    assert not covers(mixing, axes, x)
    for found, wanted in zip(*both_ways(x, w, mixing, axes), strict=True):
        np.testing.assert_array_equal(found, wanted)
    plain = ConvGeometry.resolve(1, (True,)).axes((10,), 3)
    assert covers(mixing, plain, x) and covers(mixing.adjoint, plain, x)
    assert not covers(mixing, plain, x.astype(jnp.float16)) and not covers(mixing, plain, x[:0])


def test_weights_that_differ_from_sample_to_sample_go_another_way():
    x, w, mixing, axes = setting("1D")
    several = jnp.stack([w, 2 * w])

    def each(x, w):
        return jax.vmap(lambda x, w: bank_conv(x, w, mixing, axes))(x, w)

    def gradients(x, w):
        return jax.vmap(jax.grad(lambda w, x: bank_conv(x, w, mixing, axes).sum()), (0, 0))(w, x)

    for run in (each, gradients):
        with use_way("fused"):
            found, program = run(x, several), str(jax.make_jaxpr(run)(x, several))
        with use_way("basis"):
            wanted = run(x, several)
        np.testing.assert_array_equal(found, wanted)
        assert "pallas" not in program
    with use_way("fused"):
        alone = str(jax.make_jaxpr(jax.jit(lambda x: run_way("fused", x, w, mixing, axes)))(x))
    assert "ginjax_conv" in alone


def test_the_images_are_those_of_the_filters():
    """Every filter of any symmetry is what its images make of it."""
    mixing = make_mixing(bank(2, FULL3), fields(1, 1), fields(1, 1))
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((5, 5)), jnp.asarray(rng.standard_normal(mixing.weights), jnp.float32)
    matrices = np.asarray(matrices_of(w, mixing))
    for source, uses in zip(mixing.inputs, make_plan(mixing).uses, strict=True):
        made = {}
        images_of(
            {use.image for use in uses}, 3, lambda taps: x[taps[0] :, taps[1] :][:3, :3], made.__setitem__
        )
        for at, target in enumerate(mixing.outputs):
            found = sum(
                (matrices[use.matrix, 0, 0] * made[use.image] for use in uses if use.target == at), 0.0
            )
            filters = [
                (path.filters[..., source.component, target.component], np.asarray(path.take(w))[:, 0, 0])
                for path in mixing.paths
                if (path.source, path.target) == (source.index, target.index)
            ]
            kernel = sum(np.tensordot(own, each, 1) for each, own in filters)
            views = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
            np.testing.assert_allclose(found, np.einsum("abij,ij->ab", views, kernel), atol=1e-6)
    assert [kind for kind, *_ in symbols(5)] == [0, 1, -1, 1, -1]


def test_the_way_back_is_the_same_program():
    mixing = make_mixing(bank(2, FULL3), fields(1, 1), fields(1, 1))
    plan, back = make_plan(mixing), make_plan(mixing.adjoint)
    assert plan.uses == back.uses
    # Control: matrices numbered path by path would not be.
    assert plan.order.tolist() != back.order.tolist()


@pytest.mark.parametrize("channels", [(2, 2), (2, 3)], ids=["alike", "different"])
def test_weights_and_matrices_are_transposes(channels):
    mixing = make_mixing(bank(2, FULL3), fields(*channels), fields(*channels))
    rng = np.random.default_rng(0)
    for each in (mixing, mixing.adjoint):
        w = jnp.asarray(rng.standard_normal(each.weights), jnp.float32)
        matrices = matrices_of(w, each)
        probe = jnp.asarray(rng.standard_normal(matrices.shape), jnp.float32)
        np.testing.assert_allclose(
            jnp.vdot(probe, matrices), jnp.vdot(weights_of(probe, each), w), rtol=1e-4, atol=1e-4
        )


def rounded(x):
    """To the ten bits that tensor cores keep of float32."""
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    kept = (bits + 0x1000) & jnp.uint32(0xFFFFE000)
    return jax.lax.bitcast_convert_type(kept, jnp.float32)


@pytest.mark.parametrize(("parts", "least", "most"), [(3, 0.0, 1e-5), (1, 1e-4, 1e-2)])
def test_products_of_rounded_parts(monkeypatch, parts, least, most):
    """As tensor cores multiply: right to 1e-5 with three products of rounded parts, not so with one. The layer commutes
    with symmetries in either case, since they map images to images."""
    exact = _fused_kernel.multiply

    def multiply(a, b, contracted, precision):
        heads = rounded(a), rounded(b)
        total = exact(*heads, contracted, "highest")
        if parts == 3:
            rests = rounded(a - heads[0]), rounded(b - heads[1])
            total += exact(heads[0], rests[1], contracted, "highest")
            total += exact(rests[0], heads[1], contracted, "highest")
        return total

    mixing = make_mixing(bank(2, FULL3), fields(4, 4), fields(4, 4))
    axes = ConvGeometry.resolve(2, (True, True)).axes((8, 8), 3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 12, 8, 8)).astype(np.float32)
    w = rng.standard_normal(mixing.weights).astype(np.float32)
    wanted = np.asarray(run_way("basis", x, w, mixing, axes))
    monkeypatch.setattr(_fused_kernel, "multiply", multiply)
    jax.clear_caches()
    run = jax.jit(lambda x: run_way("fused", x, w, mixing, axes))
    y = np.asarray(run(x))
    assert least <= np.abs(y - wanted).max() / np.abs(y).max() < most

    def swapped(x):
        """The reflection that exchanges both axes."""
        return np.swapaxes(np.concatenate([x[:, :4], x[:, 8:], x[:, 4:8]], 1), 2, 3)

    assert np.abs(np.asarray(run(swapped(x))) - swapped(y)).max() / np.abs(y).max() < 1e-5
    assert np.abs(np.asarray(run(np.swapaxes(x, 2, 3))) - swapped(y)).max() / np.abs(y).max() > 0.1


def test_a_program_for_a_gpu_holds_the_kernels():
    x, w, mixing, axes = setting("1D")

    def run(x, w):
        with use_way("fused"):
            return jax.vjp(lambda x, w: bank_conv(x, w, mixing, axes), x, w)[1](x)

    text = {
        platform: jax.jit(run).trace(x, w).lower(lowering_platforms=(platform,)).as_text()
        for platform in ("cuda", "cpu")
    }
    assert text["cuda"].count("ginjax_fused") >= 2 and "ginjax_fused_weights" in text["cuda"]
    assert "triton" not in text["cpu"]
