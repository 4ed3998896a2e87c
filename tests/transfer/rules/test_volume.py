import numpy as np
import pytest
from transfer.by_hand import make_pair, random_weights

from ginjax.filters import BankRecipe
from ginjax.transfer import make_rule
from ginjax.transfer.rules import extension_matrix, filter_sum, has_zero_sum

CASES = [
    (recipe, dims, orders)
    for recipe in (
        BankRecipe(3),
        BankRecipe(2),
        BankRecipe(5, support="orthoplex"),
        BankRecipe(3, "gaussian"),
    )
    for dims in ((1, 2), (2, 3))
    for orders in ((0, 0), (0, 1), (1, 1))
]


def summed(weights, filters, D: int) -> float:
    """Frobenius norm of the sum of the scaled filters over filters and pixels."""
    total = sum(w * f.sum(axis=tuple(range(D))) for w, f in zip(weights, filters, strict=True))
    return float(np.linalg.norm(total))


def without_volume(filters, D: int) -> np.ndarray:
    return np.array([np.linalg.norm(f.sum(axis=tuple(range(D)))) < 1e-3 * np.linalg.norm(f) for f in filters])


def by_definition(weights: np.ndarray, pair) -> np.ndarray:
    old, new = pair.old.filters, pair.new.filters
    old_kept, new_kept = without_volume(old, pair.D_old), without_volume(new, pair.D_new)
    result = weights @ extension_matrix(pair).T
    for o, i in np.ndindex(weights.shape[:2]):
        a, b = weights[o, i], result[o, i].copy()
        for sign in (1, -1):
            before, after = (sign * a > 0) & ~old_kept, (sign * b > 0) & ~new_kept
            ratio = summed(a[before], old[before], pair.D_old) / (
                summed(b[after], new[after], pair.D_new) + 1e-5
            )
            result[o, i, after] = b[after] * ratio
    return result


@pytest.mark.parametrize(("recipe", "dims", "orders"), CASES)
def test_the_definition(recipe, dims, orders):
    pair = make_pair(recipe, dims, orders)
    weights = np.random.default_rng(0).standard_normal((3, 2, len(pair.old)))
    np.testing.assert_allclose(make_rule("volume")(weights, pair), by_definition(weights, pair), atol=1e-12)


def test_signs_are_scaled_apart():
    pair = make_pair(BankRecipe(3), (1, 2), (0, 0))
    new = make_rule("volume")(np.array([[[-3.0, 1.0]]]), pair)[0, 0]
    # The centre weighs as much before and after; the ring has 8 pixels for 2.
    np.testing.assert_allclose(new, [-3, 0.25, 0.25], rtol=1e-5)
    together = make_rule("volume")(np.array([[[3.0, 1.0]]]), pair)[0, 0]
    np.testing.assert_allclose(together, np.array([3, 1, 1]) * 5 / 11, rtol=1e-5)


def test_the_volume_is_kept():
    pair = make_pair(BankRecipe(5), (2, 3), (0, 0))
    weights = np.abs(random_weights(pair))
    before = filter_sum(weights, pair.old, 2)
    after = filter_sum(make_rule("volume")(weights, pair), pair.new, 3)
    np.testing.assert_allclose(after, before, rtol=1e-5)
    extended = filter_sum(make_rule("none")(weights, pair), pair.new, 3)
    assert abs(extended - before).max() > 0.1 * before.max()


def test_filters_that_sum_to_nothing_keep_their_weight():
    odd = make_pair(BankRecipe(3), (2, 3), (0, 1))
    assert has_zero_sum(odd.old, 2).all() and has_zero_sum(odd.new, 3).all()
    weights = random_weights(odd)
    np.testing.assert_array_equal(make_rule("volume")(weights, odd), make_rule("none")(weights, odd))
    mixed = make_pair(BankRecipe(3), (2, 3), (1, 1))
    kept = has_zero_sum(mixed.new, 3)
    np.testing.assert_array_equal(kept, without_volume(mixed.new.filters, 3))
    assert kept.any() and not kept.all()
    weights = random_weights(mixed)
    new, extended = (make_rule(name)(weights, mixed)[0, 0] for name in ("volume", "none"))
    np.testing.assert_array_equal(new[kept], extended[kept])
    assert not np.allclose(new[~kept], extended[~kept])


def test_weights_of_zero_stay_zero():
    pair = make_pair(BankRecipe(3), (1, 2), (0, 0))
    np.testing.assert_array_equal(make_rule("volume")(np.zeros((1, 2, 2)), pair), np.zeros((1, 2, 3)))
