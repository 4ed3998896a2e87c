import itertools

import numpy as np
import pytest
from transfer.by_hand import lift_error, make_pair, random_weights

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.transfer import make_rule, residual, spin_target
from ginjax.transfer.rules import Compatibility

FULL3, FULL5 = BankRecipe(3), BankRecipe(5)
LAPLACIAN = np.array([[[-2.0, 1.0]]])
"""The stencil 1, -2, 1 as weights of the centre and of the two pixels beside it."""


def stencil(pair, weights) -> np.ndarray:
    return np.tensordot(weights[0, 0], pair.new.filters, 1)


def convert(pair, weights, flex=1.0):
    return make_rule("compat-flex", flex)(weights, pair)


# --- closed forms ----------------------------------------------------------------------------------------------------


def test_closed_form_from_one_to_two():
    pair = make_pair(FULL3, (1, 2), (0, 0))
    weights = random_weights(pair)
    a, b = weights[0, 0]
    np.testing.assert_allclose(convert(pair, weights)[0, 0], [a - 2 * b / 3, b / 3, b / 3])


def test_closed_form_from_two_to_three():
    pair = make_pair(FULL3, (2, 3), (0, 0))
    weights = random_weights(pair)
    a, b, c = weights[0, 0]
    z = (4 * c - b) / 9
    wanted = [a - 2 * b + 4 * c - 8 * z, b - 2 * c + 4 * z, c - 2 * z, z]
    np.testing.assert_allclose(convert(pair, weights)[0, 0], wanted)


def test_the_laplacian_becomes_a_nine_point_one():
    pair = make_pair(FULL3, (1, 2), (0, 0))
    nine_point = stencil(pair, convert(pair, LAPLACIAN))
    np.testing.assert_allclose(nine_point, np.array([[1, 1, 1], [1, -8, 1], [1, 1, 1]]) / 3)
    np.testing.assert_allclose(nine_point.sum(axis=1), [1, -2, 1])


@pytest.mark.parametrize(
    ("recipe", "flex"),
    [(FULL3, 0.0), (BankRecipe(3, support="orthoplex"), 1.0), (BankRecipe(3, support="cut"), 1.0)],
)
def test_the_laplacian_becomes_the_usual_one(recipe, flex):
    plane = make_pair(recipe, (1, 2), (0, 0))
    five_point = convert(plane, LAPLACIAN, flex)
    np.testing.assert_allclose(stencil(plane, five_point), [[0, 1, 0], [1, -4, 1], [0, 1, 0]], atol=1e-14)
    seven_point = stencil(
        make_pair(recipe, (2, 3), (0, 0)), convert(make_pair(recipe, (2, 3), (0, 0)), five_point, flex)
    )
    np.testing.assert_allclose(seven_point[1], [[0, 1, 0], [1, -6, 1], [0, 1, 0]], atol=1e-14)
    np.testing.assert_allclose(seven_point[0], [[0, 0, 0], [0, 1, 0], [0, 0, 0]], atol=1e-14)


def test_a_central_difference_keeps_its_place():
    pair = make_pair(BankRecipe(3, support="orthoplex"), (1, 2), (0, 1))
    gradient = convert(pair, np.array([[[0.5]]]))
    filters = stencil(pair, gradient)
    np.testing.assert_allclose(filters[..., 0], [[0, -0.5, 0], [0, 0, 0], [0, 0.5, 0]])
    np.testing.assert_allclose(filters[..., 1], filters[..., 0].T)


# --- the choice among the solutions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("orders", [(0, 0), (0, 1), (1, 1)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize(
    ("dims", "recipe"), [((1, 2), FULL3), ((2, 3), FULL3), ((1, 2), FULL5), ((2, 3), FULL5)]
)
def test_spin_is_the_closest_to_its_target_and_flex_0_the_sparsest(dims, recipe, orders):
    pair = make_pair(recipe, dims, orders)
    weights = random_weights(pair)
    target = np.tensordot(weights[0, 0], spin_target(pair), 1).reshape(pair.new.filters.shape[1:])
    beyond = (np.abs(_coordinates(pair)) > 0).sum(axis=-1) > pair.D_old

    def distance(new):
        return np.linalg.norm(stencil(pair, new) - target)

    def spread(new):
        return np.linalg.norm(stencil(pair, new)[beyond])

    sparse, spin = convert(pair, weights, 0.0), convert(pair, weights, 1.0)
    assert np.abs(sparse - spin).max() > 1e-3
    assert distance(spin) < distance(sparse) and spread(sparse) < spread(spin)
    free = np.linalg.svd(_collapse(pair))[2][np.linalg.matrix_rank(_collapse(pair)) :]
    for direction, step in itertools.product(free, (-1e-3, 1e-3)):
        assert distance(spin + step * direction) > distance(spin)
        moved = sparse + step * direction
        assert spread(moved) > spread(sparse) - 1e-12
        if spread(moved) < spread(sparse) + 1e-12:
            assert distance(moved) > distance(sparse)


def _coordinates(pair):
    axis = np.arange(pair.side) - pair.side // 2
    return np.stack(np.meshgrid(*[axis] * pair.D_new, indexing="ij"), axis=-1)


def _collapse(pair) -> np.ndarray:
    """Each new filter summed over the added axes, inputs restricted to old components, as a column."""
    summed = pair.new.filters.sum(axis=tuple(range(1 + pair.D_old, 1 + pair.D_new)))
    kept = summed[(slice(None), *(slice(None),) * pair.D_old, *(slice(0, pair.D_old),) * pair.k_in)]
    return kept.reshape(len(kept), -1).T


@pytest.mark.parametrize("flex", [-1.0, 0.0, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("orders", [(0, 0), (1, 1)])
def test_every_mixture_is_compatible(orders, flex):
    pair = make_pair(FULL3, (2, 3), orders)
    weights = random_weights(pair)
    mixed = convert(pair, weights, flex)
    ends = convert(pair, weights, 0.0), convert(pair, weights, 1.0)
    np.testing.assert_allclose(mixed, (1 - flex) * ends[0] + flex * ends[1], atol=1e-12)
    assert max(lift_error(pair, weights, mixed)) < 1e-12
    if flex != 1.0:
        assert not np.allclose(mixed, make_rule("compatibility")(weights, pair))


def test_the_rule_is_linear_and_acts_on_each_pair_of_channels():
    pair = make_pair(FULL3, (2, 3), (1, 1))
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((3, 2, len(pair.old)))
    new = convert(pair, weights)
    assert new.shape == (3, 2, len(pair.new)) and new.dtype == np.float64
    for o, i in np.ndindex(3, 2):
        np.testing.assert_allclose(new[o, i], convert(pair, weights[o : o + 1, i : i + 1])[0, 0], atol=1e-14)
    np.testing.assert_allclose(convert(pair, weights[:1] + weights[1:2]), new[:1] + new[1:2], atol=1e-13)


@pytest.mark.parametrize("flex", [float("nan"), float("inf")])
def test_flex_is_a_finite_number(flex):
    with pytest.raises(ArgumentError, match=r"flex: got .*, expected a finite number"):
        Compatibility(flex)


# --- Algorithm 1 -----------------------------------------------------------------------------------------------------


def outside_in(pair, weights: np.ndarray) -> np.ndarray:
    """Shell by shell from the outermost inwards, at the outermost pixel of each on an axis."""
    L = pair.side // 2
    old, new = pair.old.filters, pair.new.filters
    collapsed = new.sum(axis=tuple(range(1 + pair.D_old, 1 + pair.D_new)))

    def at(filters, shell, z):
        return filters[(shell, L + z, *(L,) * (filters.ndim - 2))]

    result = np.zeros(L + 1)
    for z in range(L, -1, -1):
        already = sum(result[m] * at(collapsed, m, z) for m in range(z + 1, L + 1))
        result[z] = (weights[z] * at(old, z, z) - already) / at(new, z, z)
    return result


@pytest.mark.parametrize("side", [3, 5, 7])
@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3), (3, 4)], ids="{0[0]}->{0[1]}".format)
def test_algorithm_1_is_the_only_solution_for_scalar_orthoplex_filters(dims, side):
    pair = make_pair(BankRecipe(side, support="orthoplex"), dims, (0, 0))
    weights = random_weights(pair)
    wanted = outside_in(pair, weights[0, 0])
    np.testing.assert_allclose(convert(pair, weights)[0, 0], wanted, atol=1e-12)
    np.testing.assert_allclose(convert(pair, weights, 0.0)[0, 0], wanted, atol=1e-12)
    assert residual(pair, weights, wanted.reshape(1, 1, -1)).total < 1e-12
    assert residual(pair, weights, weights).total > 1e-3
