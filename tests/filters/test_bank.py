import itertools
import re

import numpy as np
import pytest
from filters.by_hand import act, operators

from ginjax.errors import ArgumentError
from ginjax.filters import (
    PARTS,
    BankRecipe,
    FilterIdentity,
    basis_for_operators,
    make_bank,
    make_block,
    pixel_coordinates,
)

ALL_KEYS = tuple(itertools.product(range(4), range(2)))
SUPPORT_CASES = [
    BankRecipe(3),
    BankRecipe(4),
    BankRecipe(4, support="cut", max_pixel_l1=2),
    BankRecipe(5, support="cut"),
    BankRecipe(4, support="summed", max_pixel_l1=2),
    BankRecipe(5, support="summed"),
    BankRecipe(5, support="orthoplex"),
    BankRecipe(5, support="orthoplex", max_pixel_l1=3),
]


def names(recipe: BankRecipe, D: int, k: int, p: int = 0) -> list[str]:
    return [identity.name for identity in make_block(D, recipe, k, p).identities]


def unit(recipe: BankRecipe) -> float:
    return 1.0 if recipe.side % 2 else 0.5


# --- identities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", SUPPORT_CASES, ids=str)
@pytest.mark.parametrize("D", [1, 2, 3])
def test_identities_are_unique_and_in_canonical_order(D, recipe):
    for k, p in ALL_KEYS:
        identities = make_block(D, recipe, k, p).identities
        assert len(set(identities)) == len(identities)
        smallest = 0 if recipe.side % 2 else 1

        def place(identity, D=D, smallest=smallest):
            full = (*identity.representative, *(smallest,) * (D - len(identity.representative)))
            return PARTS.index(identity.part), sum(c * c for c in full), full, identity.index

        assert list(map(place, identities)) == sorted(map(place, identities))


@pytest.mark.parametrize("D", [1, 2, 3])
def test_a_representative_is_the_pixel_it_says(D):
    for side, k in itertools.product((3, 4, 5), range(3)):
        block = make_block(D, BankRecipe(side), k, 0)
        flat = block.filters.reshape(len(block), side**D, -1)
        for filter_, identity in zip(flat, block.identities, strict=True):
            found = pixel_coordinates(D, side)[np.abs(filter_).max(axis=1) > 0]
            smallest = 0 if side % 2 else 1
            full = [*identity.representative, *[smallest] * (D - len(identity.representative))]
            assert {tuple(sorted(abs(c) for c in pixel)) for pixel in found} == {tuple(sorted(full))}


@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize("support", ["full", "orthoplex"])
@pytest.mark.parametrize("D", [1, 2, 3])
def test_every_name_of_a_dimension_exists_in_the_next(D, support, side):
    recipe = BankRecipe(side, support=support)
    assert set(names(recipe, D, 0)) <= set(names(recipe, D + 1, 0))


def test_names_are_readable():
    assert names(BankRecipe(3), 1, 0) == ["centre", "(1)"]
    assert names(BankRecipe(3), 3, 0) == ["centre", "(1)", "(1,1)", "(1,1,1)"]
    assert names(BankRecipe(2), 2, 0) == ["centre"]
    assert names(BankRecipe(4), 2, 0) == ["centre", "(3)", "(3,3)"]
    assert names(BankRecipe(3), 2, 2) == [
        *("trace centre", "trace (1)", "trace (1,1)", "symmetric (1,1)", "diagonal (1)")
    ]
    assert names(BankRecipe(3, support="orthoplex"), 2, 2) == [*("trace centre", "trace (1)", "radial (1)")]
    assert FilterIdentity("diagonal", (2, 1), 1).name == "diagonal (2,1) #1"
    assert FilterIdentity("", (), 0).is_centre and not FilterIdentity("", (1,), 0).is_centre


def test_names_tell_filters_apart():
    for D, recipe in itertools.product((1, 2, 3), SUPPORT_CASES):
        for k, p in ALL_KEYS:
            assert len(set(names(recipe, D, k, p))) == len(names(recipe, D, k, p))


# --- supports --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("L", [0, 1, 2, 3])
def test_scalar_orthoplex_filters_are_as_many_in_every_dimension(L):
    recipe = BankRecipe(2 * L + 1, support="orthoplex")
    summed = BankRecipe(2 * L + 1, support="summed")
    for D in (1, 2, 3, 4):
        block = make_block(D, recipe, 0, 0)
        assert len(block) == L + 1 == len(make_block(D, summed, 0, 0))
        np.testing.assert_array_equal(block.filters, make_block(D, summed, 0, 0).filters)
    if L:
        full = {len(make_block(D, BankRecipe(2 * L + 1), 0, 0)) for D in (1, 2, 3)}
        assert len(full) == 3


@pytest.mark.parametrize("D", [1, 2, 3])
@pytest.mark.parametrize(("side", "radius"), [(3, None), (5, None), (5, 4), (5, 1)])
def test_shell_filters_are_as_defined(D, side, radius):
    recipe = BankRecipe(side, support="orthoplex", max_pixel_l1=radius)
    x = pixel_coordinates(D, side).reshape(*(side,) * D, D).astype(float)
    l1 = np.abs(x).sum(axis=-1)
    limit = min((side - 1) / 2 if radius is None else radius, l1.max())
    shells = np.arange(limit + 1)

    def wanted(values, shells):
        on_shell = [values * (l1 == l).reshape(*l1.shape, *(1,) * (values.ndim - D)) for l in shells]
        return np.array([f / np.abs(f).max() for f in on_shell if f.any()])

    np.testing.assert_array_equal(make_block(D, recipe, 0, 0).filters, wanted(np.ones_like(l1), shells))
    np.testing.assert_allclose(make_block(D, recipe, 1, 0).filters, wanted(x, shells[1:]))
    trace = wanted(np.broadcast_to(np.eye(D), (*l1.shape, D, D)), shells)
    radial = wanted(x[..., :, None] * x[..., None, :], shells[1:] if D > 1 else shells[:0])
    both = np.concatenate([trace, radial.reshape(-1, *trace.shape[1:])])
    np.testing.assert_allclose(make_block(D, recipe, 2, 0).filters, both)
    for k in range(3):
        filters = make_block(D, recipe, k, 0).filters
        for g in operators(D):
            np.testing.assert_array_equal(act(g, filters, k, 0), filters)
        changed = filters.copy()
        changed[(slice(None), *(0,) * D)] += 1.0
        assert len(filters) == 0 or any(
            not np.array_equal(act(g, changed, k, 0), changed) for g in operators(D)
        )


@pytest.mark.parametrize("D", [1, 2, 3])
def test_elsewhere_orthoplex_means_cut(D):
    orthoplex, cut = BankRecipe(5, support="orthoplex"), BankRecipe(5, support="cut")
    for k, p in ALL_KEYS:
        if k > 2 or p == 1:
            a, b = make_block(D, orthoplex, k, p), make_block(D, cut, k, p)
            assert a.identities == b.identities
            np.testing.assert_array_equal(a.filters, b.filters)


@pytest.mark.parametrize(("side", "radius"), [(3, 1), (5, 2), (5, 3), (4, 1.5), (4, 2)])
@pytest.mark.parametrize("D", [1, 2, 3])
def test_cut_keeps_the_filters_inside_and_summed_adds_them_up(D, side, radius):
    full = BankRecipe(side)
    cut = BankRecipe(side, support="cut", max_pixel_l1=radius)
    summed = BankRecipe(side, support="summed", max_pixel_l1=radius)
    l1 = np.abs(pixel_coordinates(D, side)).sum(axis=1) * unit(full)
    for k, p in ALL_KEYS:
        whole, kept, added = (make_block(D, recipe, k, p) for recipe in (full, cut, summed))
        flat = np.abs(whole.filters).reshape(len(whole), side**D, D**k).max(axis=2)
        reach = (l1 * (flat > 0)).max(axis=1, initial=0.0)
        inside = reach <= radius
        np.testing.assert_array_equal(kept.filters, whole.filters[inside])
        assert kept.identities == tuple(i for i, inn in zip(whole.identities, inside, strict=True) if inn)
        shells = np.unique(reach[inside])
        wanted = [whole.filters[reach == r].sum(axis=0) for r in shells]
        np.testing.assert_array_equal(added.filters, np.reshape(wanted, added.filters.shape))
        assert len(added.identities) == len(shells)


def test_the_centre_alone():
    for D, recipe in itertools.product(
        (1, 2, 3), (BankRecipe(1), BankRecipe(3, support="cut", max_pixel_l1=0))
    ):
        assert names(recipe, D, 0) == ["centre"]
        assert names(recipe, D, 1) == [] == names(recipe, D, 0, 1)
        assert names(recipe, D, 2) == ["trace centre"]
        assert make_block(D, recipe, 0, 0).filters.sum() == 1


def test_empty_sets_keep_their_shape():
    for k in (0, 1):
        block = make_block(3, BankRecipe(3), k, 1)
        assert block.filters.shape == (0, 3, 3, 3, *(3,) * k) and block.identities == () and len(block) == 0
    assert make_bank(3, BankRecipe(3), [(0, 1)]).keys == ((0, 1),)
    # An even grid has no pixel within less than half a pixel of the centre.
    assert len(make_block(2, BankRecipe(2, support="cut", max_pixel_l1=0), 0, 0)) == 0
    assert len(make_block(2, BankRecipe(2, support="summed", max_pixel_l1=0), 0, 0)) == 0


# --- banks -----------------------------------------------------------------------------------------------------------


def test_a_bank_is_immutable_and_sorted():
    bank = make_bank(2, BankRecipe(3), [(1, 0), (0, 0), (1, 2), (0, 3)])
    assert bank.keys == ((0, 0), (0, 1), (1, 0)) == tuple(bank.blocks)
    with pytest.raises(ValueError, match="read-only"):
        bank.blocks[0, 0].filters[0] = 0
    with pytest.raises(TypeError):
        bank.blocks[0, 0] = bank.blocks[1, 0]  # pyright: ignore[reportIndexIssue]
    with pytest.raises(AttributeError):
        bank.D = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_the_digest_is_that_of_the_content():
    bank = make_bank(2, BankRecipe(3), [(0, 0), (1, 0)])
    make_block.cache_clear()
    again = make_bank(2, BankRecipe(3), [(1, 0), (0, 0)])
    assert again == bank and hash(again) == hash(bank) and again is not bank
    assert re.fullmatch("[0-9a-f]{64}", bank.digest)
    others = [
        make_bank(3, BankRecipe(3), [(0, 0), (1, 0)]),
        make_bank(2, BankRecipe(5), [(0, 0), (1, 0)]),
        make_bank(2, BankRecipe(3, "gaussian"), [(0, 0), (1, 0)]),
        make_bank(2, BankRecipe(3), [(0, 0)]),
        make_bank(2, BankRecipe(3), [(0, 0), (1, 1)]),
    ]
    assert len({b.digest for b in (bank, *others)}) == 6
    assert all(b != bank for b in others) and bank != "bank"


def test_equal_filters_of_different_recipes_are_different_banks():
    full, cut = BankRecipe(3), BankRecipe(3, support="cut")
    a, b = make_bank(1, full, [(0, 0)]), make_bank(1, cut, [(0, 0)])
    assert a.digest == b.digest and a != b


def test_in_dimension():
    bank = make_bank(1, BankRecipe(3), [(0, 0), (1, 0)])
    assert bank.in_dimension(3) == make_bank(3, BankRecipe(3), [(0, 0), (1, 0)])


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("D", "side", "k", "message"),
    [
        (0, 3, 0, "dimension: got 0, expected a whole number, 1 or more"),
        (-1, 3, 0, "dimension: got -1"),
        (1.5, 3, 0, "dimension: got 1.5"),
        (2, 3, -1, "order of the filters: got -1, expected a whole number, 0 or more"),
        (2, 3, 0.5, "order of the filters: got 0.5"),
        (17, 1, 0, "dimension 17, side 1, order 0"),
        (2, 1, 33, "order 33"),
        (16, 255, 0, "expected at most 268435456 entries a filter"),
        (10**9, 255, 10**9, "entries a filter"),
        (2, 1, 20, "entries a filter"),  # few pixels, but a basis among 2^20 tensors
        (3, 255, 0, "357760 filters of 16581375 entries"),
    ],
)
def test_too_large_or_senseless_is_refused_before_anything_is_built(D, side, k, message, monkeypatch):
    monkeypatch.setattr("ginjax.filters._bank.basis", lambda *_: pytest.fail("started to build"))
    with pytest.raises(ArgumentError, match=message):
        make_block(D, BankRecipe(side), k, 0)


def test_shells_that_are_too_large_are_refused_before_anything_is_built(monkeypatch):
    monkeypatch.setattr("ginjax.filters._bank.pixel_coordinates", lambda *_: pytest.fail("started to build"))
    for k, count in ((0, 128), (1, 128), (2, 256)):
        with pytest.raises(ArgumentError, match=f"{count} filters of"):
            make_block(3, BankRecipe(255, support="orthoplex"), k, 0)


def test_operators_are_held_to_the_same_limits(monkeypatch):
    with pytest.raises(ArgumentError, match="entries a filter"):
        basis_for_operators(3, 255, 8, 0, operators(3))
    assert len(basis_for_operators(1, 9, 0, 0, [np.eye(1)])) == 9  # no symmetry: every entry is a filter
    monkeypatch.setattr("ginjax.filters._bank.MAX_ENTRIES", 80)
    with pytest.raises(ArgumentError, match="9 filters of 9 entries, expected at most 80 entries"):
        basis_for_operators(1, 9, 0, 0, [np.eye(1)])
