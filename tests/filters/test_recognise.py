"""Filters are told from other arrays by their symmetry, and one set of filters in terms of another."""

import numpy as np
import pytest

from ginjax.filters import BankRecipe, filter_key, filters_among, in_terms_of, make_bank

KEYS = [(k, p) for k in range(3) for p in range(2)]


@pytest.mark.parametrize(("D", "side"), [(1, 3), (1, 4), (2, 2), (2, 3), (3, 2), (3, 3)])
def test_order_and_parity_of_every_filter(D, side):
    for key, block in make_bank(D, BankRecipe(side), KEYS).blocks.items():
        if len(block):
            assert filter_key(block.filters.astype(np.float32), D) == key
            assert filter_key(-2.5 * block.filters[::-1], D) == key


@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 3), (4, 3), (2, 3, 3, 2), (1, 2, 2), (5, 3, 3, 2, 2)])
def test_weights_are_no_filters(shape):
    weights = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    assert filters_among([weights]) == {}


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 3, 3)), np.ones((2, 1, 1)), np.ones(3), np.ones((2, 3, 4)), np.ones((0, 3, 3)),
     np.ones((2, 3, 3), int), np.full((2, 3, 3), np.nan)],
)  # fmt: skip
def test_what_has_the_symmetry_but_is_no_filter(array):
    assert filter_key(array, 2) is None


def test_one_filter_that_is_not_symmetric_makes_the_array_none():
    filters = make_bank(2, BankRecipe(3), [(0, 0)]).blocks[0, 0].filters.copy()
    assert filter_key(filters, 2) == (0, 0)
    filters[1, 0, 0] += 0.01
    assert filter_key(filters, 2) is None


def test_filters_in_terms_of_others():
    known = make_bank(2, BankRecipe(3), [(2, 0)]).blocks[2, 0].filters
    order, signs = [3, 0, 4, 1, 2], np.array([1, -1, 1, 1, -1])
    given = known[order] * signs.reshape(-1, 1, 1, 1, 1)
    matrix = in_terms_of(known, given + 1e-4)
    assert np.array_equal(matrix[range(5), order], signs) and np.count_nonzero(matrix) == 5

    mixing = np.random.default_rng(0).standard_normal((5, 5))
    mixed = np.einsum("ij,j...->i...", mixing, known)
    np.testing.assert_allclose(in_terms_of(known, mixed), mixing, atol=2e-3)

    assert in_terms_of(known[:4], known) is None
    assert in_terms_of(known, np.ones_like(known)) is None
    assert in_terms_of(known, known[..., :1]) is None
