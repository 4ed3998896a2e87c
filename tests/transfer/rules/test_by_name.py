"""Rules that go by the names of filters see through the signs filters were handed in with."""

import numpy as np
import pytest

from ginjax.filters import BankRecipe, banks_from_arrays, make_block
from ginjax.transfer import FilterPair, make_rule

SIGNS = {1: np.array([-1.0, 1.0, -1.0]), 2: np.array([1.0, -1.0, -1.0])}


def pairs(recipe: BankRecipe) -> tuple[FilterPair, FilterPair]:
    """The recipe's own filters, and the same with some signs changed."""
    own = [make_block(D, recipe, 0, 0) for D in (1, 2)]
    arrays = [
        block.filters * SIGNS[D][: len(block)].reshape(-1, *(1,) * D)
        for D, block in zip((1, 2), own, strict=True)
    ]
    given = banks_from_arrays([(D, {(0, 0): a}) for D, a in zip((1, 2), arrays, strict=True)])
    return (
        FilterPair(own[0], own[1], 1, 2, 0, 0, 0),
        FilterPair(given[0].blocks[0, 0], given[1].blocks[0, 0], 1, 2, 0, 0, 0),
    )


@pytest.mark.parametrize("name", ["none", "volume", "compatibility", "compatibility-norm"])
def test_signs_of_the_filters_do_not_matter(name):
    own, given = pairs(BankRecipe(5, support="orthoplex") if name == "compatibility-norm" else BankRecipe(3))
    weights = np.array([[[-2.0, 1.0, 0.5][: len(own.old)]]])
    wanted = make_rule(name)(weights, own)
    found = make_rule(name)(weights * given.old.signs, given) * given.new.signs
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert given.old.flipped and given.new.flipped
    # control: taken as they stand, the weights would mean another stencil
    assert np.abs(make_rule(name)(weights, given) * given.new.signs - wanted).max() > 0.1
