import itertools

import numpy as np
import pytest
from filters.by_hand import act, operators

from ginjax.errors import ArgumentError
from ginjax.filters import PARTS, BankRecipe, basis_for_operators, character_count, make_block, scale_filters

MAX_ENTRIES = 20_000
"""Largest `M^D D^k` tried, which keeps the whole table to a few seconds."""

CASES = [
    (D, side, k, p)
    for D, side, k, p in itertools.product(range(1, 5), range(1, 6), range(4), range(2))
    if side**D * D**k <= MAX_ENTRIES
]
GROUPS = ("hyperoctahedral", "reflections")


def rank(filters: np.ndarray) -> int:
    if len(filters) == 0:
        return 0
    flat = filters.reshape(len(filters), -1)
    return int(np.linalg.matrix_rank(flat @ flat.T))


def is_invariant(filters: np.ndarray, group, k: int, p: int) -> bool:
    return all(np.array_equal(act(g, filters, k, p), filters) for g in group)


def subgroup(D: int, name: str) -> list[np.ndarray]:
    keep = {
        "identity": lambda g: np.array_equal(g, np.eye(D)),
        "reflections": lambda g: np.count_nonzero(np.diag(g)) == D,
        "permutations": lambda g: g.min() >= 0,
        "rotations": lambda g: round(np.linalg.det(g)) == 1,
        "cyclic": lambda g: D == 2 and round(np.linalg.det(g)) == 1,
    }[name]
    return [g for g in operators(D) if keep(g)]


def independent_count(group, D: int, side: int, k: int, p: int) -> int:
    """The character formula, element by element on the permutation of the grid."""
    grid = np.arange(side**D).reshape(1, *(side,) * D)
    total = sum(
        int((act(g, grid, 0, 0) == grid).sum()) * round(np.linalg.det(g)) ** p * int(np.trace(g)) ** k
        for g in group
    )
    assert total % len(group) == 0
    return total // len(group)


def split_parts(filters: np.ndarray, identities) -> dict[str, np.ndarray]:
    return {part: filters[[i.part == part for i in identities]] for part in PARTS}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("D", [1, 2, 3, 4])
def test_count_is_the_character_formula_and_filters_are_independent(D, group):
    tried = 0
    for side, k, p in (case[1:] for case in CASES if case[0] == D):
        count = character_count(D, side, k, p, group=group)
        if count * side**D * D**k > 2e5:
            continue
        block = make_block(D, BankRecipe(side, group=group), k, p)
        assert len(block) == count == rank(block.filters), (D, side, k, p)
        tried += 1
    assert tried >= 20, tried


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(("D", "side"), [(1, 5), (2, 3), (2, 4), (2, 5), (3, 3), (3, 4)])
def test_count_with_a_limited_support(D, side, group):
    for k, p, radius in itertools.product(range(3), range(2), (0, 0.5, 1, 1.5, 2, 3)):
        block = make_block(D, BankRecipe(side, support="cut", max_pixel_l1=radius, group=group), k, p)
        assert len(block) == character_count(D, side, k, p, radius, group) == rank(block.filters)


@pytest.mark.parametrize(("D", "side"), [(1, 4), (2, 3), (2, 4), (3, 3)])
def test_the_character_formula_element_by_element(D, side):
    for group, name in ((operators(D), "hyperoctahedral"), (subgroup(D, "reflections"), "reflections")):
        for k, p in itertools.product(range(4), range(2)):
            wanted = independent_count(group, D, side, k, p)
            assert character_count(D, side, k, p, group=name) == wanted
    if side % 2:  # the wrong parity is noticed (on a line of even side both have as many)
        assert character_count(D, side, 0, 0) != independent_count(operators(D), D, side, 0, 1)


def test_a_group_that_does_not_exist_has_no_formula():
    with pytest.raises(
        ArgumentError, match="group: got 'rotations', expected hyperoctahedral or reflections"
    ):
        character_count(2, 3, 0, 0, group="rotations")


def test_the_case_where_averaging_gave_one_filter_too_many():
    filters = make_block(3, BankRecipe(5), 2, 0).filters
    assert len(filters) == rank(filters) == 30
    assert rank(np.concatenate([filters, filters[:1] - filters[1:2]])) == 30  # what a 31st would look like


@pytest.mark.parametrize(("D", "sides"), [(1, (1, 2, 3, 4, 5)), (2, (1, 2, 3, 4, 5)), (3, (1, 2, 3, 4))])
def test_invariance_under_every_element(D, sides):
    for side, k, p in itertools.product(sides, range(4), range(2)):
        filters = make_block(D, BankRecipe(side), k, p).filters
        assert is_invariant(filters, operators(D), k, p), (side, k, p)


@pytest.mark.parametrize("D", [2, 3])
def test_a_filter_changed_in_one_pixel_is_not_invariant(D):
    for k, p in ((0, 0), (1, 0), (2, 1)):
        filters = make_block(D, BankRecipe(3), k, p).filters[:1].copy()
        if len(filters):
            filters[(0, *(0,) * D)] += 1e-3
            assert not is_invariant(filters, operators(D), k, p)
            assert not is_invariant(make_block(D, BankRecipe(3), k, p).filters, operators(D), k, 1 - p)


@pytest.mark.parametrize("split_k2", [True, False])
@pytest.mark.parametrize(
    ("D", "name"),
    [
        *itertools.product((1, 2, 3), ("identity", "reflections", "permutations", "rotations")),
        (2, "cyclic"),
    ],
)
def test_any_subgroup(D, name, split_k2):
    group = subgroup(D, name)
    for side, k, p in itertools.product((2, 3), range(3), range(2)):
        filters = basis_for_operators(D, side, k, p, group, split_k2)
        assert len(filters) == rank(filters) == independent_count(group, D, side, k, p)
        assert is_invariant(filters, group, k, p)
    if D > 1 and name != "cyclic":
        # Fewer symmetries leave filters that the others break.
        assert not is_invariant(basis_for_operators(D, 3, 2, 0, group), operators(D), 2, 0)


def test_all_operators_give_the_bank_of_the_group():
    for D, k in itertools.product((1, 2, 3), range(3)):
        filters = scale_filters(basis_for_operators(D, 3, k, 0, operators(D)), D, "one")
        np.testing.assert_array_equal(filters, make_block(D, BankRecipe(3), k, 0).filters)


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize(("D", "side"), [(1, 3), (2, 3), (2, 4), (3, 3), (3, 5), (4, 3)])
def test_parts_of_order_two(D, side, p):
    block = make_block(D, BankRecipe(side), 2, p)
    parts = split_parts(block.filters, block.identities)
    transposed = {part: np.swapaxes(f, -1, -2) for part, f in parts.items()}
    off_diagonal = ~np.eye(D, dtype=bool)
    assert sum(map(len, parts.values())) == len(block) and len(parts[""]) == len(parts["radial"]) == 0
    trace = parts["trace"][..., :1, :1] * np.eye(D)
    np.testing.assert_array_equal(parts["trace"], trace)
    np.testing.assert_array_equal(parts["antisymmetric"], -transposed["antisymmetric"])
    np.testing.assert_array_equal(parts["symmetric"], transposed["symmetric"])
    assert not parts["symmetric"][..., ~off_diagonal].any()
    assert not parts["diagonal"][..., off_diagonal].any()
    np.testing.assert_allclose(np.trace(parts["diagonal"], axis1=-2, axis2=-1), 0, atol=1e-15)
    # One trace filter for each scalar filter of the same parity.
    assert len(parts["trace"]) == len(make_block(D, BankRecipe(side), 0, p))


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize(("D", "side"), [(1, 3), (2, 2), (2, 3), (3, 3), (4, 2)])
def test_unsplit_order_two_spans_the_same_space(D, side, p):
    split = make_block(D, BankRecipe(side), 2, p).filters
    whole = make_block(D, BankRecipe(side, split_k2=False), 2, p)
    assert {i.part for i in whole.identities} <= {""}
    assert len(split) == len(whole) == rank(np.concatenate([split, whole.filters]))


@pytest.mark.parametrize(("D", "side", "k"), [(2, 3, 1), (2, 5, 2), (3, 3, 2), (3, 4, 3), (4, 3, 2)])
@pytest.mark.parametrize("p", [0, 1])
def test_reduced_row_echelon_form_at_the_representative(D, side, k, p):
    block = make_block(D, BankRecipe(side), k, p)
    at_home: dict = {}
    for filter_, identity in zip(block.filters, block.identities, strict=True):
        smallest = 0 if side % 2 else 1
        pixel = (*identity.representative, *(smallest,) * (D - len(identity.representative)))
        index = tuple(c + side // 2 if side % 2 else (c + side - 1) // 2 for c in pixel)
        at_home.setdefault((identity.part, identity.representative), []).append(filter_[index].reshape(-1))
    assert at_home or (p == 1 and len(block) == 0)
    for rows in at_home.values():
        rows = np.array(rows)
        pivots = (rows != 0).argmax(axis=1)
        assert (np.diff(pivots) > 0).all()
        np.testing.assert_array_equal(rows[:, pivots], np.eye(len(rows)) * rows[:, pivots])
        assert (rows[np.arange(len(rows)), pivots] > 0).all()
