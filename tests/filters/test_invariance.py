"""Symmetries that are measured agree with those that filters were made to have."""

import math

import numpy as np
import pytest

from ginjax.filters import BankRecipe, make_bank, symmetries

KEYS = ((0, 0), (1, 0), (1, 1), (2, 0))


def blocks(D, recipe, keys=KEYS):
    return {key: np.array(block.filters) for key, block in make_bank(D, recipe, keys).blocks.items()}


@pytest.mark.parametrize("side", (2, 3))
@pytest.mark.parametrize("D", (1, 2, 3))
def test_filters_of_a_group_have_its_symmetries(D, side):
    assert symmetries(D, blocks(D, BankRecipe(side))) == 2**D * math.factorial(D)
    # In one dimension there is nothing to exchange.
    assert symmetries(D, blocks(D, BankRecipe(side, group="reflections"))) == 2**D


def test_more_dimensions_are_told_by_what_generates_the_group():
    assert symmetries(5, blocks(5, BankRecipe(2), ((0, 0), (1, 0)))) == 2**5 * math.factorial(5)
    assert symmetries(5, blocks(5, BankRecipe(2, group="reflections"), ((1, 0),))) == 2**5


def test_one_value_that_was_changed_is_noticed():
    for key in KEYS:
        changed = blocks(2, BankRecipe(3))
        if not len(changed[key]):
            continue
        changed[key][0].flat[1] += 0.01
        assert symmetries(2, changed) < 8


def test_filters_of_rotations_alone_have_four_symmetries_in_the_plane():
    one = np.zeros((1, 5, 5))
    one[0, 0, 1] = 1.0
    spun = sum(np.rot90(one, turns, (1, 2)) for turns in range(4))
    assert symmetries(2, {(0, 0): spun}) == 4
    assert symmetries(2, {(0, 0): one}) == 1
    assert symmetries(2, {(0, 0): spun.astype(np.float32) * (1 + 1e-6)}) == 4
