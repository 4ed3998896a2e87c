import numpy as np
import pytest
from transfer.by_hand import make_pair, random_weights

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.transfer import RULE_NAMES, make_rule


def test_every_name_gives_its_rule():
    for name in RULE_NAMES:
        assert make_rule(name).name == name
    promising = {name for name in RULE_NAMES if make_rule(name).promises_compatibility}
    assert promising == {"compatibility", "isotropic", "compat-flex", "spin-embed"}


def test_three_names_for_one_rule():
    pair = make_pair(BankRecipe(3), (2, 3), (1, 1))
    weights = random_weights(pair)
    results = [make_rule(name)(weights, pair) for name in ("compatibility", "compat-flex", "spin-embed")]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    assert not np.allclose(results[0], make_rule("compat-flex", 0.0)(weights, pair))


def test_unknown_names():
    with pytest.raises(
        ArgumentError,
        match=r"transfer rule: got 'volumes', expected one of compatibility, .*, none, tile, centre, mean",
    ):
        make_rule("volumes")
    with pytest.raises(
        ArgumentError, match="got 'mean', which is for plain networks, expected one of compat"
    ):
        make_rule("mean")


@pytest.mark.parametrize("name", [name for name in RULE_NAMES if name != "compat-flex"])
def test_flex_belongs_to_one_rule(name):
    with pytest.raises(ArgumentError, match=f"flex: got rule '{name}', expected rule 'compat-flex'"):
        make_rule(name, 0.5)
