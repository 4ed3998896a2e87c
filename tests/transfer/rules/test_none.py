import numpy as np
import pytest
from transfer.by_hand import make_pair, random_weights

from ginjax.filters import BankRecipe, bank_from_arrays, make_block
from ginjax.transfer import FilterPair, make_rule
from ginjax.transfer.rules import dropped_filters, extension_matrix


def extended(recipe: BankRecipe, dims, orders, p=0, weights=None) -> tuple[dict, dict]:
    """Old and new weights by the names of their filters."""
    pair = make_pair(recipe, dims, orders, p)
    given = random_weights(pair)
    new = make_rule("none")(given, pair)
    return tuple(
        dict(zip((i.name for i in block.identities), w[0, 0].tolist(), strict=True))
        for block, w in ((pair.old, given), (pair.new, new))
    )


@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("orders", [(0, 0), (0, 1), (1, 1)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("side", [2, 3, 5])
def test_old_weights_keep_their_identity(side, orders, dims):
    old, new = extended(BankRecipe(side), dims, orders)
    kept = set(old) & set(new)
    assert kept and all(new[name] == old[name] for name in kept)


def test_a_new_scalar_filter_starts_from_the_mean_off_the_centre():
    old, new = extended(BankRecipe(5), (1, 2), (0, 0))
    assert list(new) == ["centre", "(1)", "(1,1)", "(2)", "(2,1)", "(2,2)"]
    mean = (old["(1)"] + old["(2)"]) / 2
    assert [new[n] for n in ("(1,1)", "(2,1)", "(2,2)")] == pytest.approx([mean] * 3)
    assert mean != pytest.approx((old["(1)"] + old["(2)"] + old["centre"]) / 3)


def test_on_even_sides_no_filter_is_the_centre():
    old, new = extended(BankRecipe(4), (1, 2), (0, 0))
    assert new["(3,3)"] == pytest.approx((old["centre"] + old["(3)"]) / 2)


def test_a_new_vector_filter_starts_from_the_mean_of_all():
    old, new = extended(BankRecipe(3), (2, 3), (0, 1))
    assert list(old) == ["(1)", "(1,1)"] and list(new) == ["(1)", "(1,1)", "(1,1,1)"]
    assert new["(1,1,1)"] == pytest.approx(np.mean(list(old.values())))


def test_order_two_takes_the_trace_part_and_the_rest_apart():
    old, new = extended(BankRecipe(3), (2, 3), (1, 1))
    off_centre = [w for name, w in old.items() if name.startswith("trace") and "centre" not in name]
    rest = [w for name, w in old.items() if not name.startswith("trace")]
    added = set(new) - set(old)
    assert "trace (1,1,1)" in added and len(added) > 1 and rest and off_centre
    for name in added:
        source = off_centre if name.startswith("trace") else rest
        assert new[name] == pytest.approx(np.mean(source)), name


def test_an_empty_mean_is_zero():
    old, new = extended(BankRecipe(3), (1, 2), (1, 1))
    assert all(name.startswith("trace") for name in old)
    assert {w for name, w in new.items() if not name.startswith("trace")} == {0.0}
    # Only the centre: nothing lies off it.
    old, new = extended(BankRecipe(3, support="cut", max_pixel_l1=0), (1, 2), (0, 0))
    assert old == new and list(new) == ["centre"]
    pair = make_pair(BankRecipe(3), (1, 2), (0, 0))
    centre = bank_from_arrays(1, {(0, 0): pair.old.filters[:1]}).blocks[0, 0]
    alone = FilterPair(centre, pair.new, 1, 2, 0, 0, 0)
    np.testing.assert_array_equal(extension_matrix(alone), [[1], [0], [0]])


def test_an_empty_old_bank_starts_at_zero():
    pair = make_pair(BankRecipe(3), (1, 2), (1, 1), p=1)
    empty = FilterPair(make_block(1, BankRecipe(1), 2, 1), make_block(2, BankRecipe(1), 2, 1), 1, 2, 1, 1, 1)
    assert len(empty.old) == 0 and len(empty.new) == 1 and len(pair.old) == 1
    np.testing.assert_array_equal(make_rule("none")(np.zeros((2, 3, 0)), empty), np.zeros((2, 3, 1)))


def test_filters_without_a_counterpart_are_dropped_and_named():
    pair = make_pair(BankRecipe(3), (1, 2), (0, 0), p=1)
    assert dropped_filters(pair) == ["(1)"]
    assert make_rule("none")(np.ones((1, 1, 1)), pair).shape == (1, 1, 0)
    assert dropped_filters(make_pair(BankRecipe(3), (2, 3), (1, 1))) == []
