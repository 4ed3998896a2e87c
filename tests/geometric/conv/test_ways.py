"""Both ways of computing equal the dense sum of weighted filters, and are exactly zero where that only rounds to zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EVEN_KEYS, FULL2, FULL3, ORTHOPLEX5, assert_same, bank, embed, random_field
from sweeps import all_but, few_rows

from ginjax.filters import BankRecipe, FilterBank, FilterBlock
from ginjax.geometric import (
    ConvGeometry,
    MultiImage,
    PlanarImage,
    Signature,
    convolve_contract,
    convolve_with_bank,
)
from ginjax.geometric.conv._dense import graded_pairs
from ginjax.geometric.conv._mixing import component_grades, make_mixing
from ginjax.geometric.conv._ways import use_way

pytestmark = pytest.mark.gpu

SCALAR_VECTOR = Signature([((0, 0), 2), ((1, 0), 1)])
ODD = Signature([((0, 0), 1), ((0, 1), 2), ((1, 0), 1), ((1, 1), 1)])
ODD_KEYS = tuple((k, p) for k in range(3) for p in range(2))
TENSORS = Signature([((0, 0), 1), ((2, 0), 1)])


def random_weights(filters: FilterBank, sources: Signature, targets: Signature, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    weights = {}
    for source, c_in in sources:
        for target, c_out in targets:
            block = filters.blocks.get((len(source[0]) + len(target[0]), (source[1] + target[1]) % 2))
            if block is not None and len(block):
                values = rng.standard_normal((c_out, c_in, len(block)))
                weights.setdefault(source, {})[target] = jnp.asarray(values, jnp.float32)
    return weights


def run(
    x: MultiImage, weights, filters: FilterBank, targets: Signature, geometry: ConvGeometry
) -> MultiImage:
    return convolve_with_bank(PlanarImage.of(x), weights, filters, targets, geometry).to_image()


def dense(blocks, weights, filters: FilterBank, targets: Signature, is_torus, **geometry) -> dict:
    """The same by summing the weighted filters first and one ordinary convolution for each pair of keys."""
    result = {}
    for source, row in weights.items():
        for target, w in row.items():
            block = filters.blocks[len(source[0]) + len(target[0]), (source[1] + target[1]) % 2]
            kernel = jnp.tensordot(w, jnp.asarray(block.filters, w.dtype), 1, precision="highest")
            y = convolve_contract(filters.D, blocks[source][None], kernel, is_torus, **geometry)[0]
            result[target] = result[target] + y if target in result else y
    return result


def all_ways(filters, sources, targets, side, is_torus, gradients=True, ways=(None,), **kwargs):
    """Outputs of some ways (of the chosen one for None) and densely, or gradients of one random functional of them."""
    x = random_field(sources, filters.D, side)
    weights = random_weights(filters, sources, targets)
    geometry = ConvGeometry.resolve(filters.D, is_torus, **kwargs)

    def graded(way):
        def in_this_way(x, weights):
            with use_way(way):
                return run(x, weights, filters, targets, geometry)

        return in_this_way

    def plain(x, weights):
        return dense(x, weights, filters, targets, is_torus, **kwargs)

    rng = np.random.default_rng(1)
    shapes = jax.eval_shape(plain, x, weights)
    probe = {key: rng.standard_normal(shapes[key].shape).astype(np.float32) for key in shapes}

    def probed(function):
        if not gradients:
            return function

        def value(x, weights):
            y = function(x, weights)
            return sum((y[key] * probe[key]).sum() for key in probe), dict(y.items())

        return jax.grad(value, (0, 1), has_aux=True)

    def together(x, weights):
        return [probed(function)(x, weights) for function in (*map(graded, ways), plain)]

    return jax.jit(together)(x, weights)


def assert_all_close(a, b, tolerance: float) -> None:
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance * max(1, float(np.abs(other).max())))


CASES = {
    "1D torus": (1, FULL3, SCALAR_VECTOR, 5, (True,), {}),
    "1D even side": (1, FULL2, SCALAR_VECTOR, 5, (True,), {}),
    "2D torus": (2, FULL3, SCALAR_VECTOR, 4, (True, True), {}),
    "2D stride": (2, FULL3, SCALAR_VECTOR, 5, (True, True), {"stride": 2}),
    "2D filter dilation": (2, FULL3, SCALAR_VECTOR, 4, (True, True), {"rhs_dilation": 2}),
    "2D stride and dilation": (2, FULL3, SCALAR_VECTOR, 5, (False, False), {"rhs_dilation": 2, "stride": 2}),
    "2D transposed": (
        2,
        FULL2,
        SCALAR_VECTOR,
        3,
        (True, True),
        {"lhs_dilation": 2, "padding": ((1, 1), (1, 1))},
    ),
    "2D valid, even side": (2, FULL2, SCALAR_VECTOR, 4, (True, True), {"stride": 2, "padding": "VALID"}),
    "2D mixed torus": (2, FULL3, SCALAR_VECTOR, 4, (False, True), {}),
    "2D side 5": (2, BankRecipe(5), SCALAR_VECTOR, 6, (True, True), {}),
    "2D orthoplex": (2, ORTHOPLEX5, SCALAR_VECTOR, 4, (True, True), {}),
    "2D odd parity": (2, FULL3, ODD, 4, (True, True), {}),
    "2D tensors": (2, FULL3, TENSORS, 4, (True, True), {}),
    "3D torus": (3, FULL3, SCALAR_VECTOR, 3, (True, False, True), {}),
}


SWEEP = (
    "1D torus",
    "2D torus",
    "2D stride",
    "2D filter dilation",
    "2D valid, even side",
    "2D mixed torus",
    "2D side 5",
)
"""Cases of every day have the same in combination."""


@pytest.mark.parametrize("name", all_but(CASES, *SWEEP))
def test_equals_the_dense_convolution(name):
    D, recipe, signature, side, is_torus, kwargs = CASES[name]
    keys = ODD_KEYS if signature is ODD else EVEN_KEYS
    filters, ways = bank(D, recipe, keys), ("basis", "dense")
    *ours, plain = all_ways(filters, signature, signature, side, is_torus, ways=ways, **kwargs)
    for each in ours:
        assert_all_close(each, plain, 2e-5)


def custom_bank(D: int, side: int, seed: int = 0, scale: float = 1.0) -> FilterBank:
    """Filters without any symmetry."""
    rng = np.random.default_rng(seed)
    blocks = {
        (k, 0): FilterBlock(scale * rng.standard_normal((2, *(side,) * D, *(D,) * k)), ()) for k in range(3)
    }
    return FilterBank(D, side, None, blocks)


def test_filters_without_symmetry_are_used_as_they_are():
    filters = custom_bank(2, 3)
    mixing = make_mixing(filters, SCALAR_VECTOR, SCALAR_VECTOR)
    assert all(not pair.antisymmetric for pair in graded_pairs(mixing))
    assert {
        kind
        for _, features in mixing.features
        for feature in features
        for *_, s in feature.stencils
        for kind in s.kinds
    } == {0}
    signature, ways = SCALAR_VECTOR, ("basis", "dense")
    *ours, plain = all_ways(filters, signature, signature, 4, (True, True), ways=ways)
    for each in ours:
        assert_all_close(each, plain, 5e-5)


def test_small_filters_are_not_taken_for_antisymmetric_ones():
    filters = custom_bank(1, 3, scale=1e-9)
    graded, plain = all_ways(filters, SCALAR_VECTOR, SCALAR_VECTOR, 4, (True,), gradients=False)
    for key in plain:
        np.testing.assert_allclose(graded[key], plain[key], atol=1e-14)


@pytest.mark.parametrize("way", ["basis", "dense"])
@pytest.mark.parametrize(("D", "side"), [(1, 2), (2, 3), *few_rows((1, 3), (1, 5), (2, 2), (2, 5))])
def test_new_components_of_an_embedded_field_are_exactly_zero(D, side, way):
    filters, added = bank(D + 1, BankRecipe(side)), (3,)
    x = embed(random_field(SCALAR_VECTOR, D, 4), added)
    weights = random_weights(filters, SCALAR_VECTOR, SCALAR_VECTOR)
    geometry = ConvGeometry.resolve(D + 1, x.is_torus)

    # Compiled as it is in use: an optimiser must not undo what the differences are for.
    def chosen(x, w):
        with use_way(way):
            return run(x, w, filters, SCALAR_VECTOR, geometry)

    vectors = np.asarray(jax.jit(chosen)(x, weights)[(False,), 0])
    assert np.abs(vectors[..., :D]).max() > 0.1
    assert not vectors[..., D:].any()


def test_a_dense_convolution_leaves_rounding_noise_there():
    filters = bank(3, FULL3)
    x = embed(random_field(SCALAR_VECTOR, 2, 4), (3,))
    weights = random_weights(filters, SCALAR_VECTOR, SCALAR_VECTOR)
    y = jax.jit(lambda x, w: dense(x, w, filters, SCALAR_VECTOR, (True,) * 3))(dict(x.items()), weights)
    assert np.asarray(y[(False,), 0][..., 2]).any()


def test_grades():
    assert component_grades(2, ((), 0)) == (0,)
    assert component_grades(2, ((), 1)) == (3,)
    assert component_grades(2, ((False,), 0)) == (1, 2)
    assert component_grades(2, ((False,), 1)) == (2, 1)
    assert component_grades(2, ((False, False), 0)) == (0, 3, 3, 0)


def test_every_pair_is_antisymmetric_where_the_grades_differ():
    mixing = make_mixing(bank(3, FULL3), SCALAR_VECTOR, SCALAR_VECTOR)
    for pair in graded_pairs(mixing):
        differing = pair.sources[0].grade ^ pair.targets[0].grade
        assert pair.antisymmetric == tuple(axis for axis in range(3) if differing >> axis & 1)


def test_keys_that_no_filter_reaches_are_zero_and_of_the_right_size():
    filters = bank(2, FULL3, [(0, 0)])
    x = random_field([((0, 0), 1)], 2, 5)
    targets = Signature([((0, 0), 1), ((1, 0), 2)])
    weights = random_weights(filters, x.get_signature(), targets)
    geometry = ConvGeometry.resolve(2, (True, True), stride=2)
    y = run(x, weights, filters, targets, geometry)
    assert y[(), 0].shape == (1, 3, 3)
    assert y[(False,), 0].shape == (2, 3, 3, 2)
    assert not np.asarray(y[(False,), 0]).any()


def test_whole_numbers_are_taken_as_floats():
    filters, signature = bank(1, FULL3), Signature([((0, 0), 1)])
    weights = random_weights(filters, signature, signature)
    x, geometry = np.arange(4)[None], ConvGeometry.resolve(1, (True,))
    y, wanted = (
        run(MultiImage({((), 0): jnp.asarray(v)}, 1), weights, filters, signature, geometry)
        for v in (x, x.astype(np.float32))
    )
    assert_same(y[(), 0], wanted[(), 0])
    assert np.asarray(y[(), 0]).any()
