"""Rounding that keeps condition (C), against plain rounding."""

import ml_dtypes
import numpy as np
import pytest
from transfer.by_hand import make_pair, random_weights

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.transfer import compatible_rounding, make_rule, residual
from ginjax.transfer._rounding import round_converted
from ginjax.transfer._system import cached_condition

FULL3, FULL5 = BankRecipe(3), BankRecipe(5)
CASES = [
    (FULL3, (1, 2), (0, 0)),
    (FULL3, (2, 3), (1, 1)),
    (FULL5, (2, 3), (0, 1)),
    (FULL5, (2, 3), (1, 1)),
    (BankRecipe(5, support="orthoplex"), (1, 3), (0, 0)),
    (BankRecipe(5, support="orthoplex"), (2, 4), (1, 1)),
]


def converted(recipe, dims, orders, seed=0):
    pair = make_pair(recipe, dims, orders)
    old = np.random.default_rng(seed).standard_normal((4, 3, len(pair.old)))
    return pair, old, make_rule("compatibility")(old, pair)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(("recipe", "dims", "orders"), CASES)
def test_the_condition_holds_better_than_by_plain_rounding(recipe, dims, orders, dtype):
    pair, old, exact = converted(recipe, dims, orders)
    rounded = compatible_rounding(pair, exact, np.dtype(dtype))
    plain = exact.astype(dtype)
    assert rounded.dtype == dtype and rounded.shape == exact.shape
    error, control = (residual(pair, old, weights).total for weights in (rounded, plain))
    assert 0 < error < 0.9 * control
    # No weight goes far: a few units in the last place of the largest.
    unit = float(np.finfo(dtype).eps) * np.abs(exact).max()
    assert np.abs(rounded.astype(np.float64) - exact).max() < 8 * unit


@pytest.mark.parametrize(("recipe", "dims", "orders"), CASES)
def test_on_average_it_is_far_better(recipe, dims, orders):
    """The size of `A (x - a')` over all pairs of channels; rounded in one order alone it can be worse than plainly."""
    pair, _, exact = converted(recipe, dims, orders)
    A = cached_condition(pair).A

    def left(rounded):
        return float(np.linalg.norm((rounded.astype(np.float64) - exact) @ A.T))

    assert left(compatible_rounding(pair, exact, np.dtype(np.float32))) < 0.6 * left(exact.astype(np.float32))


def test_a_precision_that_numpy_lacks():
    pair, old, exact = converted(FULL3, (2, 3), (1, 1))
    bfloat16 = np.dtype(ml_dtypes.bfloat16)
    rounded = compatible_rounding(pair, exact, bfloat16)
    assert rounded.dtype == bfloat16
    error, control = (residual(pair, old, weights).total for weights in (rounded, exact.astype(bfloat16)))
    assert 0 < error < 0.9 * control


def test_what_is_exact_and_what_is_zero_stays():
    pair, _, _ = converted(FULL3, (1, 2), (0, 0))
    whole = np.array([[[4.0, -1.0, 2.0]]])
    np.testing.assert_array_equal(compatible_rounding(pair, whole, np.dtype(np.float32)), whole)
    third = np.array([[[4 / 3, 0.0, 1 / 3]]])
    assert compatible_rounding(pair, third, np.dtype(np.float32))[0, 0, 1] == 0
    unchanged = random_weights(pair)[..., [0, 1, 1]]
    assert compatible_rounding(pair, unchanged, np.dtype(np.float64)).tobytes() == unchanged.tobytes()


def test_a_path_without_filters():
    pair, _, _ = converted(FULL3, (1, 2), (0, 0))
    assert compatible_rounding(pair, np.zeros((2, 2, 0)), np.dtype(np.float32)).shape == (2, 2, 0)


def test_the_same_weights_give_the_same_bytes():
    pair, _, exact = converted(FULL5, (2, 3), (0, 1))
    once, twice = (compatible_rounding(pair, exact, np.dtype(np.float32)) for _ in range(2))
    assert once.tobytes() == twice.tobytes()


def test_a_weight_beyond_the_range_is_refused():
    arrays = {"bias": np.array([1.0, 7e4])}
    with pytest.raises(
        ArgumentError, match=r"precision of bias: got float16, expected one with room for 7e\+04"
    ):
        round_converted(arrays, (), {}, {}, {"bias": np.dtype(np.float16)})
    kept = round_converted(arrays, (), {}, {}, {"bias": np.dtype(np.float32)})
    np.testing.assert_array_equal(kept["bias"], arrays["bias"])
