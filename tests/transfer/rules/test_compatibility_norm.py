import itertools

import numpy as np
import pytest
from transfer.by_hand import make_pair, random_weights

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.transfer import make_rule

ORTHOPLEX5 = BankRecipe(5, support="orthoplex")


def by_definition(weights: np.ndarray, pair) -> np.ndarray:
    """`a'_z = (2 s_z - c_z) / |C_z|` at the pixel `z e_1`, shells from the outside in."""
    D, D_new, L = pair.D_old, pair.D_new, pair.side // 2

    def size(filter_, pixel):
        return np.linalg.norm(filter_[tuple(c + L for c in pixel)])

    shells = [
        identity.representative[0] if identity.representative else 0 for identity in pair.old.identities
    ]
    result = weights.copy()
    for z in sorted(shells, reverse=True):
        l = shells.index(z)
        on_axis = (z, *(0,) * (D - 1))
        s = weights[l] * size(pair.old.filters[l], on_axis)
        c = sum(
            result[m] * size(pair.new.filters[m], (*on_axis, *added))
            for m in range(len(shells))
            if shells[m] >= z
            for added in itertools.product(range(-L, L + 1), repeat=D_new - D)
        )
        result[l] = (2 * s - c) / size(pair.new.filters[l], (z, *(0,) * (D_new - 1)))
    return result


@pytest.mark.parametrize("orders", [(0, 0), (0, 1), (1, 0)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("side", [3, 5, 7])
def test_the_definition(side, dims, orders):
    pair = make_pair(BankRecipe(side, support="orthoplex"), dims, orders)
    weights = np.random.default_rng(0).standard_normal((3, 2, len(pair.old)))
    new = make_rule("compatibility-norm")(weights, pair)
    for o, i in np.ndindex(3, 2):
        np.testing.assert_allclose(new[o, i], by_definition(weights[o, i], pair), atol=1e-12)


@pytest.mark.parametrize("dims", [(1, 2), (2, 3)], ids="{0[0]}->{0[1]}".format)
def test_for_scalars_it_is_the_compatible_one_and_for_vectors_not(dims):
    for k, same in ((0, True), (1, False)):
        pair = make_pair(ORTHOPLEX5, dims, (0, k))
        weights = random_weights(pair)
        a, b = (make_rule(name)(weights, pair) for name in ("compatibility-norm", "compatibility"))
        assert np.allclose(a, b) == same


def test_a_summed_bank_has_one_filter_a_shell_too():
    summed = make_pair(BankRecipe(5, support="summed"), (1, 2), (0, 0))
    orthoplex = make_pair(ORTHOPLEX5, (1, 2), (0, 0))
    weights = random_weights(summed)
    a, b = (make_rule("compatibility-norm")(weights, pair) for pair in (summed, orthoplex))
    np.testing.assert_array_equal(a, b)


def test_the_weights_handed_in_are_left_alone():
    pair = make_pair(ORTHOPLEX5, (1, 2), (0, 0))
    weights = random_weights(pair)
    copy = weights.copy()
    make_rule("compatibility-norm")(weights, pair)
    np.testing.assert_array_equal(weights, copy)


@pytest.mark.parametrize(
    ("recipe", "dims", "orders", "p"),
    [
        (BankRecipe(3), (1, 2), (0, 0), 0),
        (BankRecipe(5), (2, 3), (0, 0), 0),
        (BankRecipe(2), (1, 2), (0, 0), 0),
        (BankRecipe(4, support="summed", max_pixel_l1=4), (1, 2), (0, 0), 0),
        (ORTHOPLEX5, (2, 3), (1, 1), 0),
        (BankRecipe(3), (2, 3), (0, 1), 1),
    ],
)
def test_other_banks_are_refused(recipe, dims, orders, p):
    pair = make_pair(recipe, dims, orders, p)
    with pytest.raises(
        ArgumentError, match="one filter for each L1 shell, expected an orthoplex bank"
    ) as error:
        make_rule("compatibility-norm")(random_weights(pair), pair)
    assert "'compatibility'" in str(error.value)
