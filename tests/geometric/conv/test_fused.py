"""Filters first by one kernel, run operation by operation: equal to the other ways, exactly zero where they are."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FULL2, FULL3, assert_same, bank
from sweeps import all_but

from ginjax.filters import BankRecipe
from ginjax.geometric import ConvGeometry, Signature
from ginjax.geometric.conv import _fused_threads
from ginjax.geometric.conv import _warp_product as warp
from ginjax.geometric.conv._bank_conv import bank_conv
from ginjax.geometric.conv._fused import mix_fused, weight_gradient_fused
from ginjax.geometric.conv._fused_cover import covers
from ginjax.geometric.conv._fused_plan import images_of, make_groups, make_plan, symbols
from ginjax.geometric.conv._mixing import make_mixing
from ginjax.geometric.conv._ways import use_way

pytestmark = pytest.mark.gpu


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
    "2D, even side, strides": (2, BankRecipe(4), fields(1, 1), fields(2), 8, (True, False), {"stride": 2}),
    "2D, transposed, dilated": (
        2,
        FULL3,
        fields(1),
        fields(1, 1),
        4,
        (False, False),
        {"lhs_dilation": 2, "rhs_dilation": 2, "padding": [(1, 2), (2, 1)]},
    ),
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


@cache
def in_way(way, mixing, axes):
    """A program, compiled once for each precision, of the values of a way and of gradients of one functional of them."""

    @jax.jit
    def run(x, w):
        y, back = jax.vjp(lambda x, w: run_way(way, x, w, mixing, axes), x, w)
        probe = jnp.cos(jnp.arange(y.size, dtype=jnp.float32)).reshape(y.shape)
        return y, *back(probe.astype(y.dtype))

    return run


def both_ways(x, w, mixing, axes):
    """Values and gradients of the fused way and of filters first."""
    return in_way("fused", mixing, axes)(x, w), in_way("basis", mixing, axes)(x, w)


def filters_first(x, w, mixing, axes):
    """Values and gradients of the other way, in float32."""
    return in_way("basis", mixing, axes)(x.astype(jnp.float32), w.astype(jnp.float32))


def assert_close(found, wanted, tolerance=1e-6):
    for one, other in zip(found, wanted, strict=True):
        one, other = np.asarray(one, np.float32), np.asarray(other, np.float32)
        assert np.abs(other).max() > 0.1
        np.testing.assert_allclose(one, other, atol=tolerance * float(np.abs(other).max()))


SWEEP = (
    "1D",
    "2D, dilated, one axis padded",
    "2D, side 5, without padding",
    "2D, of tensors",
    "3D",
    "3D, vectors",
)
"""Of every day are: both kinds of ends, blocks of channels, even and odd sides, strides, spread and dilated pixels, vectors."""


@pytest.mark.parametrize("name", all_but(CASES, *SWEEP))
def test_equals_filters_first(name):
    x, w, mixing, axes = setting(name)
    assert covers(mixing, axes, x)
    assert_close(*both_ways(x, w, mixing, axes))


def test_components_and_filters_part_by_part(monkeypatch):
    """As many as registers hold: one component of the output and three filters at a time."""
    x, w, mixing, axes = setting("2D, of tensors")
    assert len(_fused_threads.output_parts(mixing)) == 1
    monkeypatch.setattr(_fused_threads, "IMAGES", 4)
    monkeypatch.setattr(_fused_threads, "REGISTERS", 12)
    assert len(_fused_threads.output_parts(mixing.adjoint)) == 3
    assert max(len(source.weights) for source in make_plan(mixing)) > 3
    jax.clear_caches()
    assert_close(*both_ways(x, w, mixing, axes))
    jax.clear_caches()


@pytest.mark.parametrize(("precision", "rounded"), [("float32", False), ("tensorfloat32", True)])
def test_products_are_as_exact_as_is_asked_for(precision, rounded):
    x, w, mixing, axes = setting("1D")
    with jax.default_matmul_precision(precision):
        found = in_way("fused", mixing, axes)(x, w)
    with jax.default_matmul_precision("highest"):
        wanted = filters_first(x, w, mixing, axes)
    errors = [
        np.abs(a - b).max() / np.abs(b).max() for a, b in zip(map(np.asarray, found), wanted, strict=True)
    ]
    assert all(5e-5 < error < 2e-3 for error in errors) if rounded else max(errors) < 1e-6


def numbers(bits) -> np.ndarray:
    return np.asarray(bits).view(np.float32)


NOT_A_NUMBER = np.array([0x7FC00000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001], np.uint32).view(np.float32)
"""As `jnp.nan` has it, as the arithmetic of NVIDIA's GPUs gives it, with a sign, and one that signals."""


def test_what_is_split_is_whole():
    """A float32 is its leading part and a rest that is smaller by 11 bits."""
    values = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    leading, rest = (numbers(part) for part in warp.split(jnp.asarray(values), False))
    np.testing.assert_array_equal(leading + rest, values)
    assert np.abs(rest / values).max() <= 2**-11
    assert not np.any(leading.view(np.int32) & 0x1FFF)
    np.testing.assert_array_equal(numbers(warp.split(jnp.asarray(values), True)[0]), leading)
    assert np.isnan(numbers(warp.split(jnp.asarray(NOT_A_NUMBER), False)[1])).all()
    assert np.isnan(numbers(warp.split(jnp.asarray(NOT_A_NUMBER), True)[0])).all()


@pytest.mark.parametrize("precision", ["float32", "tensorfloat32"])
def test_what_is_no_number_stays_none(precision):
    x, w, mixing, axes = setting("1D")
    with jax.default_matmul_precision(precision):
        run = in_way("fused", mixing, axes)
        y, gx, gw = run(x.at[0, 0, 3].set(float(NOT_A_NUMBER[1])), w)
        again, *_ = run(jnp.asarray(np.where(np.arange(10) == 3, NOT_A_NUMBER[1], x)), w)
    for found in (y, again):
        lost = np.isnan(np.asarray(found[0])).any(0)
        assert lost[2:5].all() and not lost[5:].any() and not lost[:2].any()
    assert np.isnan(np.asarray(gw)).any() and not np.isnan(np.asarray(gx)).any()


def test_a_product_of_matrices_has_the_places_of_its_threads():
    """Every entry of both matrices is another number; two warps, three pairs."""
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((3, 2, 16, 4)), rng.standard_normal((3, 2, 4, 8))

    def parts(values):
        return warp.split(jnp.asarray(values, jnp.float32), False)

    @jax.jit
    def run():
        pairs = []
        for a, b in zip(left, right, strict=True):
            upper, lower = (parts(half.reshape(-1)) for half in (a[:, :8], a[:, 8:]))
            pairs.append(((upper, lower), parts(b.transpose(0, 2, 1).reshape(-1))))
        return warp.multiply(pairs)

    found = np.stack(run()).reshape(2, 2, 2, 8, 4)  # halves, places in a pair, warps, g, t
    whole = found.transpose(2, 0, 3, 4, 1).reshape(2, 16, 8)
    np.testing.assert_allclose(whole, np.einsum("pwmk,pwkn->wmn", left, right), atol=3e-6)


def test_sums_of_the_gradient_take_little_room_however_many_samples():
    mixing = make_mixing(bank(2, FULL3), fields(64, 64), fields(64, 64))
    axes = ConvGeometry.resolve(2, (True, True)).axes((8, 8), 3)
    x = jax.ShapeDtypeStruct((8192, 192, 8, 8), jnp.float32)
    program = jax.make_jaxpr(lambda x, g: weight_gradient_fused(x, g, mixing, axes, None, False))(x, x)
    sizes = [
        out.aval.size
        for equation in all_equations(program.jaxpr)
        if equation.primitive.name == "pallas_call"
        for out in equation.outvars
    ]
    assert len(sizes) == 2 and max(sizes) < 2**25 < x.size


def all_equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in equation.params.values():
            if hasattr(inner, "jaxpr"):
                yield from all_equations(inner.jaxpr)


def test_half_precision_is_rounded_at_the_ends_alone():
    x, w, mixing, axes = setting("1D", jnp.bfloat16)
    ours, wanted = in_way("fused", mixing, axes)(x, w), filters_first(x, w, mixing, axes)
    assert {z.dtype for z in ours} == {jnp.dtype(jnp.bfloat16)}
    assert_close(ours, wanted, 2**-8)


def test_fields_in_half_precision_are_added_up_in_single():
    """What a GPU runs: nothing is widened around the whole of it."""
    x, w, mixing, axes = setting("1D", jnp.bfloat16)
    run = jax.jit(lambda x, w: mix_fused(x, w, mixing, axes, None, True))
    y = run(x, w)
    assert y.dtype == jnp.bfloat16
    wanted, *_ = filters_first(x, w, mixing, axes)
    assert_close([y], [wanted], 2**-8)


def test_components_with_others_between_them_that_no_filter_reaches():
    """Of an antisymmetric tensor all but the diagonal: every number of a component has its place."""
    filters, target = bank(3, FULL2, [(2, 1)]), Signature([((2, 1), 1)])
    mixing = make_mixing(filters, fields(2), target)
    assert [slot.component for slot, _ in mixing.features] == [1, 2, 3, 5, 6, 7]
    assert [[slot.component for slot in group.slots] for group in make_groups(mixing)] == [
        [1, 2, 3],
        [5, 6, 7],
    ]
    x = jnp.asarray(np.random.default_rng(0).standard_normal((1, 2, 2, 3, 2)), jnp.float32)
    axes = ConvGeometry.resolve(3, (True, False, True)).axes((2, 3, 2), 2)
    assert_close(*both_ways(x, jnp.ones(mixing.weights), mixing, axes))


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


def test_weights_that_differ_from_sample_to_sample_go_another_way():
    x, w, mixing, axes = setting("1D")
    several = jnp.stack([w, 2 * w])

    def each(x, w):
        return jax.vmap(lambda x, w: bank_conv(x, w, mixing, axes))(x, w)

    def gradients(x, w):
        return jax.vmap(jax.grad(lambda w, x: bank_conv(x, w, mixing, axes).sum()), (0, 0))(w, x)

    def compiled(run):
        return jax.jit(lambda x, w: run(x, w))  # a program of its own for each way

    for run in (each, gradients):
        with use_way("fused"):
            found, program = compiled(run)(x, several), str(jax.make_jaxpr(run)(x, several))
        with use_way("basis"):
            wanted = compiled(run)(x, several)
        assert_same(found, wanted)
        assert "pallas" not in program
    with use_way("fused"):
        alone = str(jax.make_jaxpr(jax.jit(lambda x: run_way("fused", x, w, mixing, axes)))(x))
    assert "ginjax_conv" in alone


@pytest.mark.parametrize("side", [3, 4])
def test_the_images_are_those_of_the_filters(side):
    """Every filter of any symmetry is what its images make of it."""
    mixing = make_mixing(bank(2, BankRecipe(side)), fields(1, 1), fields(1, 1))
    x = np.random.default_rng(0).standard_normal((side + 2, side + 2))
    views = np.lib.stride_tricks.sliding_window_view(x, (side, side))
    count = 0
    for source in make_plan(mixing):
        for slot, images in source.images:
            rows = {}

            def add(image, value, images=images, rows=rows):
                for row, factor in images[image].items():
                    rows[row] = rows.get(row, 0.0) + factor * value

            images_of(images, side, lambda taps: x[taps[0] :, taps[1] :][:3, :3], add)
            for (number, component, row), found in rows.items():
                group = make_groups(mixing)[number]
                path, own = [(mixing.paths[f.path], i) for f in group.features for i in f.rows][row]
                kernel = path.filters[own][..., slot.component, group.slots[component].component]
                wanted = np.einsum("abij,ij->ab", views, kernel / path.sizes[own])
                np.testing.assert_allclose(found, wanted, atol=1e-12)
                count += 1
    assert count > 10
    assert [kind for kind, *_ in symbols(side)] == ([0, 1, -1] if side == 3 else [1, -1, 1, -1])


def test_components_of_a_key_are_mixed_at_once():
    groups = make_groups(make_mixing(bank(3, FULL3), fields(1, 1), fields(1, 1)))
    assert [len(group.slots) for group in groups] == [1, 3]
    # Components of a tensor off the diagonal have other filters than those on it.
    groups = make_groups(make_mixing(bank(2, FULL3), fields(1), fields(0, 0, 1)))
    assert [len(group.slots) for group in groups] == [1, 2, 1]
