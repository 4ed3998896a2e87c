import itertools

import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.filters import (
    BankRecipe,
    bank_from_arrays,
    banks_from_arrays,
    make_bank,
    make_block,
    match_block,
)

KEYS = ((0, 0), (1, 0), (2, 0), (2, 1))
RECIPES = [
    BankRecipe(3),
    BankRecipe(2),
    BankRecipe(3, "normalize"),
    BankRecipe(3, "gaussian"),
    BankRecipe(3, split_k2=False),
    BankRecipe(5, support="cut", max_pixel_l1=2),
    BankRecipe(5, support="summed", max_pixel_l1=2),
    BankRecipe(5, support="orthoplex", max_pixel_l1=2),
]


def shuffled(recipe: BankRecipe, D: int, keys=KEYS, seed: int = 0) -> tuple[dict, dict]:
    """Float32 filters in another order and with other signs, and what was done: `(order, signs)` by key."""
    rng = np.random.default_rng(seed)
    arrays, done = {}, {}
    for key, block in make_bank(D, recipe, keys).blocks.items():
        order, signs = rng.permutation(len(block)), rng.choice([-1.0, 1.0], len(block))
        signed = block.filters[order] * signs.reshape(-1, *(1,) * (block.filters.ndim - 1))
        arrays[key], done[key] = signed.astype(np.float32), (order, signs)
    return arrays, done


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("D", [2, 3])
def test_order_and_signs_are_kept(D, recipe):
    arrays, done = shuffled(recipe, D)
    bank = bank_from_arrays(D, arrays)
    assert bank.recipe == recipe and (bank.D, bank.side, bank.keys) == (D, recipe.side, KEYS)
    for key, block in bank.blocks.items():
        order, signs = done[key]
        known = make_block(D, recipe, *key)
        assert block.identities == tuple(known.identities[i] for i in order)
        # The float64 filters, not the rounded ones.
        np.testing.assert_array_equal(block.filters, (known.filters[order].T * signs).T)
        assert not block.filters.flags.writeable


def test_the_order_is_part_of_the_bank():
    arrays, _ = shuffled(BankRecipe(3), 2)
    swapped = arrays | {(0, 0): arrays[0, 0][::-1]}
    assert bank_from_arrays(2, arrays) != bank_from_arrays(2, swapped)
    assert bank_from_arrays(2, arrays) == bank_from_arrays(2, dict(reversed(arrays.items())))


def rank_deficient(array):
    return np.concatenate([array[:-1], array[:1]])


def one_too_many(array):
    return np.concatenate([array, array[:1] + array[1:2]])


def perturbed(array):
    changed = array.copy()
    changed[0, 0, 0] += 1e-3
    return changed


def doubled(array):
    return 2 * array


@pytest.mark.parametrize("damage", [rank_deficient, one_too_many, perturbed, doubled])
def test_anything_else_is_used_as_it_is(damage):
    arrays, _ = shuffled(BankRecipe(3), 2, ((0, 0), (1, 0)))
    arrays[0, 0] = damage(arrays[0, 0])
    bank = bank_from_arrays(2, arrays)
    assert bank.recipe is None
    for key, array in arrays.items():
        np.testing.assert_array_equal(bank.blocks[key].filters, array)
        assert bank.blocks[key].filters.dtype == np.float64
        identities = bank.blocks[key].identities
        assert len(set(identities)) == len(identities) == len(array)
    with pytest.raises(ArgumentError, match=r"no known recipe.*Hand in the filters for dimension 3 as well"):
        bank.in_dimension(3)


def test_nameless_filters_are_named_by_the_innermost_pixels_they_touch():
    filters = np.array([[0.0, 2, 0], [3, 2, 1], [1, 0, 0]])
    names = [i.name for i in bank_from_arrays(1, {(0, 0): filters}).blocks[0, 0].identities]
    assert names == ["centre", "centre #1", "(1)"]


def test_a_small_rounding_is_forgiven():
    arrays, _ = shuffled(BankRecipe(3), 2)
    rng = np.random.default_rng(1)
    rounded = {key: a + 1e-4 * rng.uniform(-1, 1, a.shape) for key, a in arrays.items()}
    assert bank_from_arrays(2, rounded).recipe == BankRecipe(3)
    assert bank_from_arrays(2, {key: a * 1.01 for key, a in arrays.items()}).recipe is None


def test_one_dimension_alone_does_not_say_which_recipe():
    wanted = BankRecipe(5, support="orthoplex")
    keys = ((0, 0), (1, 0), (2, 0))
    low, high = shuffled(wanted, 1, keys)[0], shuffled(wanted, 2, keys)[0]
    alone = bank_from_arrays(1, low)
    assert alone.recipe == BankRecipe(5)  # on a line the shells are the orbits
    together = banks_from_arrays([(1, low), (2, high)])
    assert [bank.recipe for bank in together] == [wanted, wanted]
    assert [bank.D for bank in together] == [1, 2]
    np.testing.assert_array_equal(together[0].blocks[0, 0].filters, alone.blocks[0, 0].filters)


def test_banks_of_no_common_recipe_stay_as_they_are():
    low, high = shuffled(BankRecipe(3), 2)[0], shuffled(BankRecipe(3, "gaussian"), 3)[0]
    assert [bank.recipe for bank in banks_from_arrays([(2, low), (3, high)])] == [None, None]
    other_side = shuffled(BankRecipe(2), 3)[0]
    assert [bank.recipe for bank in banks_from_arrays([(2, low), (3, other_side)])] == [None, None]


def test_empty_blocks_are_recognised_too():
    bank = bank_from_arrays(
        3, {(0, 0): make_block(3, BankRecipe(3), 0, 0).filters, (0, 1): np.zeros((0, 3, 3, 3))}
    )
    assert bank.recipe == BankRecipe(3) and len(bank.blocks[0, 1]) == 0


def test_match_block():
    block = make_block(2, BankRecipe(3), 0, 0)
    assert match_block(block.filters[:-1], block) is None
    matched = match_block(-block.filters[::-1], block)
    assert matched is not None and matched.identities == block.identities[::-1]
    np.testing.assert_array_equal(matched.filters, -block.filters[::-1])


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({}, r"sides \[\], expected one common side length"),
        ({(0, 0): np.zeros(())}, "one common side length"),
        ({(0, 0): np.zeros((1, 3, 4))}, r"sides \[3, 4\]"),
        ({(0, 0): np.zeros((1, 3, 3)), (1, 0): np.zeros((1, 5, 5, 2))}, r"sides \[3, 5\]"),
        ({(1, 0): np.zeros((1, 3, 3))}, r"order 1: got \(1, 3, 3\), expected \('n', 3, 3, 2\)"),
        ({(0, 0): np.zeros((1, 3, 3, 2))}, "filters of order 0: got"),
        ({(0, 0): np.full((1, 3, 3), np.nan)}, "NaN or infinity, expected finite numbers"),
        ({(0, 0): np.full((1, 3, 3), np.inf)}, "NaN or infinity"),
    ],
)
def test_arrays_that_are_no_filters(blocks, message):
    with pytest.raises(ArgumentError, match=message):
        bank_from_arrays(2, blocks)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_a_recognised_bank_goes_to_another_dimension(k):
    arrays, _ = shuffled(BankRecipe(3), 2, ((k, 0),))
    assert bank_from_arrays(2, arrays).in_dimension(3) == make_bank(3, BankRecipe(3), ((k, 0),))


def test_every_pair_of_recipes_is_told_apart_in_three_dimensions():
    for a, b in itertools.combinations(RECIPES, 2):
        found = bank_from_arrays(3, shuffled(a, 3)[0]).recipe, bank_from_arrays(3, shuffled(b, 3)[0]).recipe
        assert found[0] != found[1]
