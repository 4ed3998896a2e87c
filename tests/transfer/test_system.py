"""Condition (C) against convolutions carried out tap by tap."""

import itertools

import numpy as np
import pytest
from transfer.by_hand import lift_error, make_pair, random_weights

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, make_block
from ginjax.transfer import (
    FilterPair,
    collapse_matrix,
    condition,
    make_rule,
    residual,
    solutions,
    transfer_matrix,
)
from ginjax.transfer._system import residual_downward

FULL2, FULL3, FULL5 = BankRecipe(2), BankRecipe(3), BankRecipe(5)
CUT3, CUT5 = BankRecipe(3, support="cut"), BankRecipe(5, support="cut")
ORTHOPLEX3, ORTHOPLEX5 = BankRecipe(3, support="orthoplex"), BankRecipe(5, support="orthoplex")
CLOSED = {
    "full2": FULL2,
    "full3": FULL3,
    "full5": FULL5,
    "cut3": CUT3,
    "cut5": CUT5,
    "orthoplex3": ORTHOPLEX3,
    "orthoplex5": ORTHOPLEX5,
}
"""Banks for which (C) can be solved for every even path between fields of order 0 and 1."""
EVEN_PATHS = [(k_in, k_out) for k_in in (0, 1, 2) for k_out in (0, 1)]
STEPS = [(1, 2), (2, 3)]
EXACT = 1e-12


def compatible(pair: FilterPair, weights: np.ndarray) -> np.ndarray:
    return make_rule("compatibility")(weights, pair)


def errors_of(pair: FilterPair, stride: int = 1) -> tuple[float, float]:
    weights = random_weights(pair)
    return lift_error(pair, weights, compatible(pair, weights), stride)


# --- what (C) means --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orders", EVEN_PATHS, ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("dims", STEPS, ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("name", CLOSED)
def test_a_converted_convolution_commutes_with_the_embedding(name, dims, orders):
    pair = make_pair(CLOSED[name], dims, orders)
    weights = random_weights(pair)
    new = compatible(pair, weights)
    assert max(lift_error(pair, weights, new)) < EXACT
    moved = new.copy()
    moved[..., 0] += 0.1
    assert max(lift_error(pair, weights, moved)) > 1e-3


@pytest.mark.parametrize(
    ("recipe", "dims", "orders"),
    [(FULL3, (1, 3), (0, 0)), (FULL3, (1, 3), (1, 1)), (ORTHOPLEX5, (1, 3), (0, 1)), (FULL3, (3, 4), (0, 0))],
)
def test_other_dimensions(recipe, dims, orders):
    assert max(errors_of(make_pair(recipe, dims, orders))) < EXACT


@pytest.mark.parametrize("orders", [(0, 0), (0, 1), (1, 0), (1, 1)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("dims", STEPS, ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("recipe", [FULL3, ORTHOPLEX5], ids=["full3", "orthoplex5"])
@pytest.mark.parametrize(("stride", "filter_dilation"), [(2, 1), (1, 2), (2, 3)])
def test_stride_and_filter_dilation_change_nothing(recipe, dims, orders, stride, filter_dilation):
    pair = make_pair(recipe, dims, orders, filter_dilation=filter_dilation)
    assert max(errors_of(pair, stride)) < EXACT
    plain = make_pair(recipe, dims, orders)
    np.testing.assert_array_equal(transfer_matrix(pair), transfer_matrix(plain))


@pytest.mark.parametrize("rule", ["none", "volume"])
def test_rules_that_only_extend_do_not_commute(rule):
    for dims, orders in itertools.product(STEPS, ((0, 0), (1, 1))):
        pair = make_pair(FULL3, dims, orders)
        weights = random_weights(pair)
        assert max(lift_error(pair, weights, make_rule(rule)(weights, pair))) > 1e-2


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize("input_dilation", [1, 2])
@pytest.mark.parametrize("orders", [(0, 0), (0, 1), (1, 1), (0, 2), (2, 1)], ids="{0[0]}->{0[1]}".format)
def test_the_residual_is_zero_exactly_when_the_convolution_commutes(orders, input_dilation, p):
    for dims, recipe in itertools.product(STEPS, (FULL2, FULL3)):
        pair = make_pair(recipe, dims, orders, p, input_dilation=input_dilation)
        weights = random_weights(pair)
        if not len(pair.old):
            continue
        for new in (compatible(pair, weights), make_rule("none")(weights, pair)):
            stated, seen = residual(pair, weights, new), lift_error(pair, weights, new)
            assert (stated.old < 1e-9) == (seen[0] < 1e-9)
            assert (stated.new < 1e-9) == (seen[1] < 1e-9)


def test_the_residual_is_relative_to_the_largest_entry():
    pair = make_pair(ORTHOPLEX3, (1, 2), (0, 0))
    weights = np.array([[[-2.0, 1.0]]])
    new = compatible(pair, weights)
    np.testing.assert_allclose(new, [[[-4, 1]]])
    # Collapsed, a centre weight too large by 1 is too large by 1 at the centre, where F is -2.
    wrong = np.array([[[-3.0, 1.0]]])
    assert residual(pair, weights, wrong).total == pytest.approx(0.5)
    assert residual(pair, 100 * weights, 100 * wrong).total == pytest.approx(0.5)
    assert residual(pair, 0 * weights, new).total == pytest.approx(2.0)  # nothing to be relative to


# --- what is exact and what is not -----------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [FULL2, FULL3, ORTHOPLEX3], ids=["full2", "full3", "orthoplex3"])
@pytest.mark.parametrize("dims", STEPS, ids="{0[0]}->{0[1]}".format)
def test_outputs_of_order_two_keep_their_old_components(dims, recipe):
    for k_in in (0, 1, 2):
        pair = make_pair(recipe, dims, (k_in, 2))
        weights = random_weights(pair)
        new = compatible(pair, weights)
        stated, seen = residual(pair, weights, new), lift_error(pair, weights, new)
        assert stated.old < EXACT and seen[0] < EXACT
        if k_in == 0:  # `delta_ij` has an entry on every added axis
            assert stated.new > 0.1 and seen[1] > 0.1


def test_the_remainder_of_an_output_of_order_two_is_as_small_as_it_can_be():
    pair = make_pair(FULL3, (2, 3), (0, 2))
    system, T = condition(pair), transfer_matrix(pair)
    old = system.old_rows
    wanted = np.linalg.lstsq(system.A[old], system.B[old], rcond=None)[0]
    free = np.linalg.svd(system.A[old])[2][np.linalg.matrix_rank(system.A[old]) :].T
    rest = system.A[~old] @ free
    best = wanted - free @ np.linalg.lstsq(rest, system.A[~old] @ wanted, rcond=None)[0]
    error = np.linalg.norm(system.A[~old] @ T)
    assert error == pytest.approx(np.linalg.norm(system.A[~old] @ best))
    assert error < 0.99 * np.linalg.norm(system.A[~old] @ wanted)
    # Both at once would spoil the old components, and with them the way back.
    jointly = np.linalg.lstsq(system.A, system.B, rcond=None)[0]
    assert np.abs(system.A[old] @ jointly - system.B[old]).max() > 1e-2
    assert np.abs(system.A[old] @ T - system.B[old]).max() < EXACT


@pytest.mark.parametrize("recipe", [FULL3, FULL5], ids=["full3", "full5"])
@pytest.mark.parametrize("dims", STEPS, ids="{0[0]}->{0[1]}".format)
def test_odd_filters_have_no_compatible_weights(dims, recipe):
    for orders in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0)):
        pair = make_pair(recipe, dims, orders, p=1)
        # Whatever the weights, the collapsed filter vanishes on the old components.
        system = condition(pair)
        assert np.abs(system.A[system.old_rows]).max(initial=0.0) < 1e-14
        if len(pair.old):
            weights = random_weights(pair)
            assert residual(pair, weights, compatible(pair, weights)).old == pytest.approx(1.0)
            assert lift_error(pair, weights, compatible(pair, weights))[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("dims", "orders", "exact"),
    [
        ((1, 2), (0, 0), True),
        ((2, 3), (0, 0), True),
        ((1, 2), (1, 0), True),
        ((2, 3), (1, 0), True),
        ((1, 2), (1, 1), True),
        ((2, 3), (1, 1), False),
        ((1, 2), (0, 1), False),
        ((2, 3), (0, 1), False),
    ],
)
def test_transposed_convolutions_of_side_two(dims, orders, exact):
    pair = make_pair(FULL2, dims, orders, input_dilation=2)
    seen = max(errors_of(pair))
    assert seen < EXACT if exact else seen > 0.1
    if orders == (0, 0):  # one tap for each output pixel: the weight itself, and not a share of it
        weights = random_weights(pair)
        np.testing.assert_allclose(compatible(pair, weights), weights)


@pytest.mark.parametrize("dims", STEPS, ids="{0[0]}->{0[1]}".format)
def test_transposed_convolutions_of_side_three_are_not_exact(dims):
    assert max(errors_of(make_pair(FULL3, dims, (0, 0), input_dilation=2))) > 0.1


def test_sums_over_shells_of_order_two_are_not_closed():
    summed = BankRecipe(5, support="summed")
    assert max(errors_of(make_pair(summed, (2, 3), (1, 1)))) > 0.1
    assert max(errors_of(make_pair(ORTHOPLEX5, (2, 3), (1, 1)))) < EXACT
    # With other scalings not even those of lower order are, once a shell holds pixels of several distances.
    for scaling, k in (("normalize", 1), ("gaussian", 0), ("gaussian", 1)):
        assert max(errors_of(make_pair(BankRecipe(7, scaling, "summed"), (2, 3), (0, k)))) > 1e-3
    assert max(errors_of(make_pair(BankRecipe(7, "one", "summed"), (2, 3), (0, 1)))) < EXACT


# --- what (C) leaves free --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "dims", "orders", "free"),
    [
        (FULL3, (2, 3), (0, 0), 1),
        (FULL3, (2, 3), (1, 1), 3),
        (FULL5, (2, 3), (0, 0), 4),
        (FULL5, (2, 3), (1, 1), 17),
        (ORTHOPLEX3, (1, 2), (0, 0), 0),
        (ORTHOPLEX3, (2, 3), (0, 0), 0),
        (ORTHOPLEX5, (1, 3), (0, 0), 0),
        (ORTHOPLEX5, (2, 3), (0, 0), 0),
        (ORTHOPLEX5, (1, 2), (1, 1), 2),
    ],
)
def test_free_directions(recipe, dims, orders, free):
    pair = make_pair(recipe, dims, orders)
    null, matrix = solutions(pair).null, condition(pair).A
    assert null.shape == (len(pair.new), free) and free == len(pair.new) - np.linalg.matrix_rank(matrix)
    np.testing.assert_allclose(null.T @ null, np.eye(free), atol=1e-12)
    weights = random_weights(pair)
    new = compatible(pair, weights)
    for direction in null.T:
        assert max(lift_error(pair, weights, new + 3 * direction)) < EXACT
    # Any other direction is seen.
    other = np.random.default_rng(0).standard_normal(len(pair.new))
    other -= null @ (null.T @ other)
    assert max(lift_error(pair, weights, new + other)) > 1e-3


@pytest.mark.parametrize("orders", [(0, 0), (1, 1), (0, 2), (2, 1)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
def test_the_way_back_is_unique_and_gives_the_old_weights(dims, orders):
    pair = make_pair(FULL3, dims, orders)
    system, weights = condition(pair), random_weights(pair)
    old = system.old_rows
    collapsed = compatible(pair, weights) @ system.A[old].T
    back, *_ = np.linalg.lstsq(system.B[old], collapsed[0, 0], rcond=None)
    assert np.linalg.matrix_rank(system.B[old]) == len(pair.old)
    np.testing.assert_allclose(back, weights[0, 0], atol=1e-12)
    down = collapse_matrix(pair)
    np.testing.assert_allclose(compatible(pair, weights) @ down.T, weights, atol=1e-12)
    np.testing.assert_allclose(down @ solutions(pair).null, 0, atol=1e-12)


@pytest.mark.parametrize("orders", [(0, 0), (0, 1), (1, 1)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("dims", STEPS, ids="{0[0]}->{0[1]}".format)
def test_the_way_down_commutes_with_the_embedding_from_any_weights(dims, orders):
    pair = make_pair(FULL3, dims, orders)
    high = np.random.default_rng(0).standard_normal((1, 1, len(pair.new)))
    low = high @ collapse_matrix(pair).T
    assert residual_downward(pair, low, high).total < EXACT
    assert max(lift_error(pair, low, high)) < EXACT
    assert residual_downward(pair, low + 0.1, high).total > 1e-3
    assert max(lift_error(pair, low + 0.1, high)) > 1e-3


# --- the parity lift -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "orders", "p", "lifts"),
    [
        (FULL5, (0, 0), 1, (False, True)),  # of side 3 there is no such filter in two dimensions
        (FULL5, (0, 0), 1, (True, False)),
        (FULL3, (0, 0), 0, (True, True)),
        (FULL3, (1, 0), 1, (False, True)),
        (FULL3, (0, 1), 1, (True, False)),
        (FULL5, (1, 0), 1, (False, True)),
    ],
)
def test_an_odd_scalar_as_the_last_component_of_an_odd_vector_is_exact(recipe, orders, p, lifts):
    pair = make_pair(recipe, (2, 3), orders, p, lifts=lifts)
    weights = random_weights(pair)
    new = compatible(pair, weights)
    assert max(lift_error(pair, weights, new)) < EXACT and residual(pair, weights, new).total < EXACT
    new[..., 0] += 0.1
    assert max(lift_error(pair, weights, new)) > 1e-3
    if p == 1:  # without the lift nothing is
        plain = make_pair(recipe, (2, 3), orders, p)
        assert residual(plain, weights, compatible(plain, weights)).old == pytest.approx(1.0)


def test_the_parity_lift_takes_one_added_axis():
    with pytest.raises(ArgumentError, match="parity lift: got 1 -> 3, expected one added axis"):
        make_pair(FULL3, (1, 3), (0, 0), 0, lifts=(True, True))


# --- the pair --------------------------------------------------------------------------------------------------------


def test_a_pair_goes_up():
    block = make_block(2, FULL3, 0, 0)
    with pytest.raises(ArgumentError, match="dimension: got 2, expected more than 2"):
        FilterPair(block, block, 2, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("old", "new", "orders"),
    [
        (make_block(2, FULL3, 0, 0), make_block(3, FULL5, 0, 0), (0, 0)),
        (make_block(2, FULL3, 1, 0), make_block(3, FULL3, 0, 0), (0, 1)),
        (make_block(2, FULL3, 0, 0), make_block(2, FULL3, 0, 0), (0, 0)),
        (make_block(2, FULL3, 1, 0), make_block(3, FULL3, 1, 0), (1, 1)),
    ],
)
def test_filters_of_a_pair_belong_together(old, new, orders):
    with pytest.raises(ArgumentError, match=r"filters: got .*, expected"):
        FilterPair(old, new, 2, 3, *orders, 0)
