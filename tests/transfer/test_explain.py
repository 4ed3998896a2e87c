import pytest
from transfer.by_hand import make_pair, random_weights

from ginjax.filters import BankRecipe
from ginjax.transfer import Residual, explain, make_rule, residual

REASONS = {
    "odd path": (make_pair(BankRecipe(3), (1, 2), (1, 0), p=1), "odd path"),
    "transposed": (make_pair(BankRecipe(2), (1, 2), (0, 1), input_dilation=2), "transposed convolution"),
    "order two": (
        make_pair(BankRecipe(3), (1, 2), (0, 2)),
        "output of order 2 or more: its old components are",
    ),
    "support": (make_pair(BankRecipe(5, support="summed"), (2, 3), (1, 1)), "use a larger support"),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_has_its_sentence(name):
    pair, words = REASONS[name]
    weights = random_weights(pair)
    sentence = explain(pair, residual(pair, weights, make_rule("compatibility")(weights, pair)))
    assert words in sentence and "\n" not in sentence
    assert [other for other, (_, w) in REASONS.items() if w in sentence] == [name]


def test_nothing_to_explain():
    for pair, _ in REASONS.values():
        assert explain(pair, Residual(0.0, 0.0)) == explain(pair, Residual(1e-10, 1e-10)) == ""


def test_rounding_is_no_reason():
    pair, words = REASONS["order two"]
    rounded = Residual(6e-8, 0.5)
    assert words in explain(pair, rounded, tolerance=1e-5)
    assert words not in explain(pair, rounded)
    assert explain(pair, Residual(6e-8, 6e-8), tolerance=1e-5) == ""
