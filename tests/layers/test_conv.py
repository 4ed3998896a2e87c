import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import ALL_KEYS, FULL3, SV, S, V, bank, random_field, randomised
from small_models import act

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.filters import BankRecipe, FilterBank, FilterBlock
from ginjax.geometric import (
    FilterScaling,
    MultiImage,
    Signature,
    get_invariant_filters,
    make_all_operators,
)
from ginjax.layers import ConvContract
from ginjax.models import count_params

SCALAR, ODD_SCALAR, VECTOR = ((), 0), ((), 1), ((False,), 0)
FIELDS = Signature([((0, 0), 2), ((0, 1), 1), ((1, 0), 1), ((1, 1), 1)])
apply = eqx.filter_jit(lambda layer, x: layer(x))


def layer_for(D: int, inputs=SV, targets=SV, filters=None, **options) -> ConvContract:
    return ConvContract(inputs, targets, bank(D) if filters is None else filters, **options)


# --- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("D", [1, 2])
def test_weights_are_uniform_up_to_the_bound(D):
    inputs, targets = Signature([((0, 0), 2), ((1, 0), 3)]), Signature([((0, 0), 50), ((1, 0), 50)])
    layer = layer_for(D, inputs, targets, key=jax.random.key(3))
    for source, c_in in inputs:
        bound = 1 / np.sqrt(c_in * 3**D * D ** len(source[0]))
        for target, c_out in targets:
            w = np.asarray(layer.weights[source][target])
            n = len(bank(D).blocks[len(source[0]) + len(target[0]), 0])
            assert w.shape == (c_out, c_in, n)
            assert 0.9 * bound < np.abs(w).max() <= bound
            assert abs(w.mean()) < 0.15 * bound
    assert all(not np.asarray(b).any() for b in layer.bias.values())


def test_paths_get_different_weights_and_the_key_decides_them():
    one, same, other = (layer_for(2, key=jax.random.key(seed)) for seed in (0, 0, 1))
    first = np.asarray(one.weights[SCALAR][SCALAR])
    np.testing.assert_array_equal(first, same.weights[SCALAR][SCALAR])
    assert not np.array_equal(first, other.weights[SCALAR][SCALAR])
    assert not np.array_equal(one.weights[SCALAR][VECTOR], one.weights[VECTOR][SCALAR])


def test_the_key_is_the_last_argument():
    positional = ConvContract(S, S, bank(2), "auto", 1, None, None, 1, jax.random.key(5))
    named = layer_for(2, S, S, key=jax.random.key(5))
    np.testing.assert_array_equal(positional.weights[SCALAR][SCALAR], named.weights[SCALAR][SCALAR])
    layer_for(2, S, S)  # and it may be left out


def test_filters_are_no_parameters():
    layer = layer_for(2)
    filters = bank(2)
    expected = sum(len(filters.blocks[k, 0]) * times for k, times in ((0, 1), (1, 2), (2, 1))) + 2
    assert count_params(layer) == expected
    as_image = get_invariant_filters([3], [0, 1, 2], [0], 2, make_all_operators(2), FilterScaling.ONE)
    assert count_params(layer_for(2, filters=as_image)) == expected


def test_filters_handed_in_as_an_image_are_recognised():
    as_image = get_invariant_filters([3], [0, 1, 2], [0], 2, make_all_operators(2), FilterScaling.ONE)
    layer = layer_for(2, filters=as_image)
    assert layer.bank.recipe == FULL3
    for key, block in layer.invariant_filters.items():
        np.testing.assert_allclose(block, as_image[key], atol=1e-6)


# --- bias ------------------------------------------------------------------------------------------------------------


def biased(use_bias) -> tuple[dict, dict, ConvContract]:
    """Outputs without and with a bias of 2 for each key that has one."""
    x = random_field(SV, 2, 4)
    layer = layer_for(2, use_bias=use_bias, key=jax.random.key(1))
    bare = dict(apply(layer_for(2, use_bias=False, key=jax.random.key(1)), x).items())
    layer = eqx.tree_at(lambda m: m.bias, layer, {key: jnp.full(1, 2.0) for key in layer.bias})
    return bare, dict(apply(layer, x).items()), layer


@pytest.mark.parametrize(
    "use_bias, scalar, vector",
    [
        ("auto", "constant", "mean"),
        (True, "constant", "mean"),
        ("scalar", "constant", None),
        ("mean", "mean", "mean"),
        (False, None, None),
        (0, None, None),
    ],
)
def test_bias(use_bias, scalar, vector):
    bare, y, layer = biased(use_bias)
    assert set(layer.bias) == {key for key, kind in ((SCALAR, scalar), (VECTOR, vector)) if kind}
    for key, kind in ((SCALAR, scalar), (VECTOR, vector)):
        mean = np.asarray(bare[key]).mean(axis=(1, 2), keepdims=True)
        added = {None: 0.0, "constant": 2.0, "mean": 2.0 * mean}[kind]
        np.testing.assert_allclose(y[key], bare[key] + added, atol=1e-6)


def test_an_odd_scalar_has_no_constant_bias():
    odd = Signature([((0, 1), 1)])
    filters = bank(2, FULL3, ALL_KEYS)
    assert list(layer_for(2, S, odd, filters, use_bias="scalar").bias) == []
    layer = layer_for(2, odd, odd, filters)
    layer = eqx.tree_at(lambda m: m.bias[ODD_SCALAR], layer, jnp.ones(1))
    zero = MultiImage({ODD_SCALAR: jnp.zeros((1, 4, 4))}, 2)
    assert not np.asarray(layer(zero)[ODD_SCALAR]).any()


# --- which paths there are -------------------------------------------------------------------------------------------


def test_a_missing_filter_key_skips_the_path_but_not_the_target():
    layer = layer_for(2, SV, SV, bank(2, keys=[(0, 0)]))
    assert {source: list(row) for source, row in layer.weights.items()} == {SCALAR: [SCALAR]}
    y = apply(layer, random_field(SV, 2, 4))
    assert y.get_signature() == SV
    assert np.asarray(y[SCALAR]).any() and not np.asarray(y[VECTOR]).any()


def test_a_basis_of_the_centre_alone_acts_pixel_by_pixel():
    layer = randomised(layer_for(3, filters=bank(3, BankRecipe(1))))
    assert list(layer.weights[SCALAR]) == [SCALAR]  # a vector filter of one pixel is zero
    x = random_field(SV, 3, 3)
    y = apply(layer, x)
    w = layer.weights[SCALAR][SCALAR][0, 0, 0] * layer.invariant_filters[SCALAR][0, 0, 0, 0]
    np.testing.assert_allclose(y[SCALAR], w * x[SCALAR] + layer.bias[SCALAR], atol=1e-5)
    trace = layer.weights[VECTOR][VECTOR][0, 0, 0] * layer.invariant_filters[(2, 0)][0, 0, 0, 0, 0, 0]
    vectors = trace * x[VECTOR]
    mean = vectors.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(y[VECTOR], vectors + layer.bias[VECTOR] * mean, atol=1e-5)


def test_empty_sets_of_filters_give_zeros_and_no_nan():
    # In three dimensions no odd filter of order 0 or 1 has side 3.
    filters = bank(3, FULL3, [(0, 1), (1, 1)])
    assert all(len(block) == 0 for block in filters.blocks.values())
    targets = Signature([((0, 1), 2), ((1, 1), 1)])
    layer = layer_for(3, S, targets, filters)
    assert layer.weights == {}
    x = random_field(S, 3, 3)

    def energy(layer, x):
        return sum((block**2).sum() for block in layer(x).values())

    value, gradient = eqx.filter_jit(eqx.filter_value_and_grad(energy))(layer, x)
    assert float(value) == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    y = apply(layer, x)
    assert y.get_signature() == targets
    assert y[((False,), 1)].shape == (1, 3, 3, 3, 3)


# --- symmetry --------------------------------------------------------------------------------------------------------


def largest_defect(layer, x: MultiImage) -> float:
    operators = make_all_operators(x.D)
    y = apply(layer, x)
    moved = [(apply(layer, act(g, x)), act(g, y)) for g in operators]
    return max(float(np.abs(a[key] - b[key]).max()) for a, b in moved for key in y)


@pytest.mark.parametrize("D, is_torus", [(1, True), (2, True), (2, False), (3, True)])
def test_commutes_with_the_symmetries_of_the_grid(D, is_torus):
    layer = randomised(layer_for(D, FIELDS, FIELDS, bank(D, FULL3, ALL_KEYS)))
    assert largest_defect(layer, random_field(FIELDS, D, 4, is_torus=is_torus)) < 1e-4


def test_asymmetric_filters_do_not():
    rng = np.random.default_rng(0)
    blocks = {(k, 0): FilterBlock(rng.standard_normal((1, 3, 3, *(2,) * k)), ()) for k in range(3)}
    layer = layer_for(2, filters=FilterBank(2, 3, None, blocks))
    assert largest_defect(layer, random_field(SV, 2, 4)) > 0.1


# --- errors ----------------------------------------------------------------------------------------------------------


def test_another_input_is_refused():
    layer = layer_for(2, SV, S)
    with pytest.raises(ArgumentError, match=r"input of ConvContract: got .* expected .* in dimension 2"):
        layer(random_field(S, 2, 4))
    with pytest.raises(ArgumentError, match="in dimension 1"):
        layer(random_field(SV, 1, 4))
    batch = jax.tree.map(lambda a: a[None], random_field(SV, 2, 4))
    with pytest.raises(ArgumentError, match=r"jax\.vmap"):
        layer(batch)


def test_covariant_axes_are_refused():
    with pytest.raises(UnsupportedError, match="covariant axes"):
        layer_for(2, [(((True,), 0), 1)], S)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"use_bias": "always"}, "use_bias: got 'always'"),
        ({"use_bias": None}, "use_bias"),
        ({"stride": 0}, "stride"),
        ({"padding": ((1, 1),)}, "2 pairs"),
        ({"padding": 1.5}, "pairs"),
        ({"padding": "FULL"}, "padding"),
    ],
)
def test_bad_options_are_refused_when_the_layer_is_made(options, message):
    with pytest.raises(ArgumentError, match=message):
        layer_for(2, S, S, **options)


@pytest.mark.parametrize("filters", [None, MultiImage({}, 2), np.ones((1, 3, 3))])
def test_something_that_is_no_filter_set_is_refused(filters):
    with pytest.raises(ArgumentError, match="invariant_filters"):
        ConvContract(S, S, filters)


def test_geometry_options_reach_the_convolution():
    x = random_field(V, 2, 4)
    for options, side in (
        ({"stride": (2, 2)}, 2),
        ({"padding": "VALID"}, 2),
        ({"padding": 2}, 6),
        ({"padding": [[1, 1], [1, 1]], "lhs_dilation": [2, 2]}, 7),
        ({"rhs_dilation": np.int64(2), "padding": 2}, 4),
    ):
        layer = layer_for(2, V, S, **options)
        assert eqx.filter_eval_shape(layer, x).get_spatial_dims() == (side, side)
        # These are static: jit needs their hash.
        hash((layer.stride, layer.padding, layer.lhs_dilation, layer.rhs_dilation))
