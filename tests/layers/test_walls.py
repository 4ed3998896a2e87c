"""Convolutions beside walls: against NumPy's paddings, with the signs of a mirror by hand, and under the symmetries."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import ALL_KEYS, EVEN_KEYS, FULL2, FULL3, SV, S, bank, embed, random_field
from small_models import act
from sweeps import all_but, few, few_rows
from wall_padding import continued, largest_difference

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, make_bank
from ginjax.geometric import MultiImage, Signature, continue_axes, make_all_operators, padding_modes
from ginjax.geometric.conv._axes import ConvAxis
from ginjax.geometric.conv._ways import use_way
from ginjax.layers import ConvContract, MaxNormPool
from ginjax.models import AnyDimensionalModel

FIELDS = Signature([((0, 0), 2), ((0, 1), 1), ((1, 0), 1), ((1, 1), 1), ((2, 0), 1)])
OUT = Signature([((0, 0), 1), ((1, 0), 2), ((1, 1), 1)])
apply = eqx.filter_jit(lambda layer, x: layer(x))


def layer_for(mode, recipe=FULL3, D=2, **options) -> ConvContract:
    filters = make_bank(D, recipe, ALL_KEYS)
    return ConvContract(FIELDS, OUT, filters, False, padding_mode=mode, key=jax.random.key(1), **options)


def by_numpy(layer: ConvContract, x: MultiImage, how: tuple[str, ...], signed: bool = True) -> MultiImage:
    """The layer without padding, on a field that was continued before."""
    reach = (layer.bank.side - 1) * layer.rhs_dilation
    stride = layer.stride
    for axis, word in enumerate(how):
        n = x.get_spatial_dims()[axis]
        # As much as the output needs whose pixels are those of the input, every `stride` of them.
        need = ((n + stride - 1) // stride - 1) * stride + reach + 1 - n if "periodic" not in how else reach
        low = max(need, 0) // 2
        x = continued(x, axis, low, max(need, 0) - low, word, signed)
    bare = ConvContract(
        layer.input_keys, layer.target_keys, layer.bank, False, stride, "VALID", None, layer.rhs_dilation
    )
    return apply(eqx.tree_at(lambda c: c.weights, bare, layer.weights), x)


CASES = {
    "mirror": (("mirror", "mirror"), {}),
    "edge": (("edge", "edge"), {}),
    "zeros": (("zeros", "zeros"), {}),
    "mirror, dilation 2": (("mirror", "mirror"), {"rhs_dilation": 2}),
    "edge, stride 2, side 2": (("edge", "edge"), {"stride": 2, "recipe": FULL2}),
    "mirror, stride 2, side 4": (("mirror", "mirror"), {"stride": 2, "recipe": BankRecipe(4)}),
    "one of each": (("mirror", "edge"), {}),
    "x periodic": (("periodic", "mirror"), {"rhs_dilation": 2}),
}


@pytest.mark.parametrize("case", all_but(CASES, "mirror", "edge", "zeros", "mirror, dilation 2"))
def test_walls_do_what_numpy_pads(case):
    how, options = CASES[case]
    layer = layer_for(tuple("zeros" if word == "periodic" else word for word in how), **options)
    x = random_field(FIELDS, 2, 6, is_torus=tuple(word == "periodic" for word in how))
    wanted = by_numpy(layer, x, how)
    for way in ("basis", "dense"):
        with use_way(way):
            found = eqx.filter_jit(lambda x: layer(x))(x)
        assert largest_difference(found, wanted) < 2e-6, way
    if "mirror" in how:
        assert largest_difference(found, by_numpy(layer, x, how, signed=False)) > 0.05
    if "zeros" not in how and case != "edge, stride 2, side 2":  # of which no pixel looks beyond the end
        dark = tuple("zeros" if word in ("mirror", "edge") else word for word in how)
        assert largest_difference(found, by_numpy(layer, x, dark)) > 0.05


def test_three_dimensions_and_tensors_mirror_alike():
    layer = ConvContract(
        Signature([((2, 1), 1), ((1, 0), 1)]), S, make_bank(3, FULL3, ALL_KEYS), False, padding_mode="mirror"
    )
    x = random_field(layer.input_keys, 3, 3, is_torus=False)
    assert largest_difference(apply(layer, x), by_numpy(layer, x, ("mirror",) * 3)) < 2e-6
    assert largest_difference(apply(layer, x), by_numpy(layer, x, ("mirror",) * 3, signed=False)) > 0.05


@pytest.mark.parametrize("mode", ["mirror", *few("edge")])
def test_a_transposed_convolution_spreads_what_lies_beyond_the_wall_too(mode):
    layer = layer_for(mode, lhs_dilation=2, recipe=BankRecipe(5))
    x = random_field(FIELDS, 2, 4, is_torus=False)
    wide = continued(continued(x, 0, 1, 1, mode), 1, 1, 1, mode)
    # Pixels at 2 i, zeros between them; the field began at pixel 2, and a reach of 2 is padded on either side.
    blocks = {}
    for key, block in wide.items():
        shape = list(block.shape)
        shape[1:3] = [2 * n - 1 for n in shape[1:3]]
        spread = np.zeros(shape, np.float32)
        spread[:, ::2, ::2] = block
        blocks[key] = jnp.asarray(spread)
    bare = ConvContract(FIELDS, OUT, layer.bank, False, 1, "VALID")
    wanted = apply(eqx.tree_at(lambda c: c.weights, bare, layer.weights), MultiImage(blocks, 2, False))
    assert largest_difference(apply(layer, x), wanted) < 2e-6
    assert (
        largest_difference(apply(layer_for("zeros", lhs_dilation=2, recipe=BankRecipe(5)), x), wanted) > 0.05
    )


PLAIN, DILATED, STRIDED = {}, {"rhs_dilation": 2}, {"stride": 2, "recipe": BankRecipe(4)}


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("mirror", STRIDED),
        ("edge", DILATED),
        *few_rows(("mirror", PLAIN), ("mirror", DILATED), ("edge", PLAIN), ("edge", STRIDED)),
    ],
)
def test_walls_all_around_keep_every_symmetry(mode, options):
    layer = layer_for(mode, **options)
    x = random_field(FIELDS, 2, 6, is_torus=False)
    y = apply(layer, x)
    for g in make_all_operators(2):
        assert largest_difference(apply(layer, act(g, x)), act(g, y)) < 2e-6


@pytest.mark.parametrize("options", [STRIDED, *few(PLAIN, DILATED)])
def test_converted_weights_do_on_fields_that_do_not_vary_what_they_did(options):
    """The old axis mirrors; along the new one the mirror and the edge leave such fields as they are, zeros do not."""
    recipe, step = options.get("recipe", FULL3), options.get("stride", 1)
    given = {name: value for name, value in options.items() if name != "recipe"}
    banks = [make_bank(D, recipe, EVEN_KEYS) for D in (1, 2)]
    low = ConvContract(SV, SV, banks[0], False, padding_mode="mirror", key=jax.random.key(2), **given)
    weights = AnyDimensionalModel._transfer_conv_weights(low.weights, *banks, "compatibility")
    x = random_field(SV, 1, 6, is_torus=False)
    flat, wanted = (
        MultiImage(dict(embed(f, (n,))), 2, False) for f, n in ((x, 6), (apply(low, x), 6 // step))
    )

    def defect(new: str) -> float:
        high = ConvContract(SV, SV, banks[1], False, padding_mode=("mirror", new), **given)
        return largest_difference(apply(eqx.tree_at(lambda c: c.weights, high, weights), flat), wanted)

    assert defect("mirror") < 3e-6 and defect("edge") < 3e-6
    assert defect("zeros") > 0.01


def test_different_walls_keep_the_symmetries_that_keep_them():
    layer = layer_for(("mirror", "edge"))
    x = random_field(FIELDS, 2, 6, is_torus=False)
    y = apply(layer, x)
    flips = [g for g in make_all_operators(2) if not g[0, 1]]
    turns = [g for g in make_all_operators(2) if g[0, 1]]
    assert len(flips) == len(turns) == 4
    assert max(largest_difference(apply(layer, act(g, x)), act(g, y)) for g in flips) < 2e-6
    assert min(largest_difference(apply(layer, act(g, x)), act(g, y)) for g in turns) > 0.05


def test_gradients_reach_beyond_the_wall():
    layer = layer_for("mirror", D=1)
    x = random_field(FIELDS, 1, 5, is_torus=False)

    def energy(own: ConvContract, field: MultiImage):
        return sum(jnp.sum(block**2) for block in own(field).values())

    def through_numpy(field: MultiImage) -> float:
        return float(
            sum(np.sum(np.asarray(b, np.float64) ** 2) for b in by_numpy(layer, field, ("mirror",)).values())
        )

    slope = eqx.filter_jit(jax.grad(energy, argnums=1))(layer, x)
    for key in x:
        moved = {k: np.asarray(b).copy() for k, b in x.items()}
        up, down = (dict(moved) for _ in range(2))
        for each, step in ((up, 1e-2), (down, -1e-2)):
            each[key] = moved[key].copy()
            each[key].reshape(-1)[0] += step
        by_hand = (through_numpy(MultiImage(up, 1, False)) - through_numpy(MultiImage(down, 1, False))) / 2e-2
        assert np.asarray(slope[key]).reshape(-1)[0] == pytest.approx(by_hand, rel=2e-3, abs=2e-3)


def test_pooling_commutes_with_the_mirror_at_the_face_and_with_no_other():
    pool = MaxNormPool(2)
    x = random_field(FIELDS, 2, 4, is_torus=False)
    wide = continued(x, 0, 2, 2, "mirror")
    assert largest_difference(apply(pool, wide), continued(apply(pool, x), 0, 1, 1, "mirror")) == 0
    through = {
        key: jnp.asarray(np.pad(np.asarray(b), [(0, 0), (2, 2)] + [(0, 0)] * (b.ndim - 2), "reflect"))
        for key, b in x.items()
        if key == ((), 0)
    }
    scalars = MultiImage({((), 0): x[((), 0)]}, 2, False)
    reflected, own = apply(pool, MultiImage(through, 2, False)), apply(pool, scalars)
    assert largest_difference(reflected, continued(own, 0, 1, 1, "mirror")) > 0.05


def test_new_components_of_an_embedded_field_are_exactly_zero_beside_walls_too():
    layer = ConvContract(SV, SV, bank(3), False, padding_mode=("mirror", "mirror", "edge"))
    flat = random_field(SV, 2, 4, is_torus=False)
    blocks = {
        ((), 0): jnp.repeat(flat[((), 0)][..., None], 3, -1),
        ((False,), 0): jnp.pad(jnp.repeat(flat[((False,), 0)][:, :, :, None], 3, 3), [(0, 0)] * 4 + [(0, 1)]),
    }
    y = apply(layer, MultiImage(blocks, 3, False))
    assert not np.asarray(y[((False,), 0)])[..., 2].any()
    assert np.asarray(y[((False,), 0)])[..., :2].any()


@pytest.mark.parametrize("mode", ["mirror", "edge"])
def test_a_padding_as_wide_as_the_field_is_refused_with_both_numbers(mode):
    layer = ConvContract(S, S, make_bank(1, FULL3, ALL_KEYS), False, padding_mode=mode, rhs_dilation=4)
    message = (
        f"pixels along axis 0 of the field: got 4, expected more than 4, the width that is padded by '{mode}'"
    )
    with pytest.raises(ArgumentError, match=message):
        layer(random_field(S, 1, 4, is_torus=False))
    assert layer(random_field(S, 1, 5, is_torus=False)).get_spatial_dims() == (5,)
    assert layer(random_field(S, 1, 4, is_torus=True)).get_spatial_dims() == (4,)


def test_periodic_axes_and_literal_paddings_do_not_look_at_the_mode():
    x = random_field(FIELDS, 2, 4)
    plain, mirrored = layer_for("zeros"), layer_for("mirror")
    assert largest_difference(apply(mirrored, x), apply(plain, x)) == 0
    literal = [layer_for(mode, padding=1) for mode in ("zeros", "mirror")]
    walled = MultiImage(dict(x), 2, False)
    assert largest_difference(*(apply(layer, walled) for layer in literal)) == 0


@pytest.mark.parametrize(
    "mode", ["reflect", "", ("mirror",), ("mirror", "edge", "zeros"), (1, 2), ("mirror", None)]
)
def test_other_words_are_refused(mode):
    with pytest.raises(
        ArgumentError, match=r"padding_mode: got .*, expected zeros, mirror, edge, or 2 of them"
    ):
        layer_for(mode)


def test_modes_are_read_in_capitals_or_not():
    assert padding_modes("MIRROR", 2) == ("mirror", "mirror")
    assert padding_modes(["Edge", "zeros"], 2) == ("edge", "zeros")


def test_without_grades_a_mirror_keeps_every_sign():
    x = jnp.arange(8.0).reshape(2, 4)
    wide, left = continue_axes(x, (ConvAxis(4, 2, 1),), ("mirror",), None, 1)
    np.testing.assert_array_equal(wide, np.pad(x, [(0, 0), (2, 1)], "symmetric"))
    assert left == (ConvAxis(7),)
    signed, _ = continue_axes(x, (ConvAxis(4, 2, 1),), ("mirror",), (0, 1), 1)
    np.testing.assert_array_equal(signed[0], wide[0])
    np.testing.assert_array_equal(signed[1], np.asarray(wide[1]) * [-1, -1, 1, 1, 1, 1, -1])
