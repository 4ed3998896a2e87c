"""The cost of a network, counted by hand."""

from ginjax.filters import BankRecipe, make_bank
from ginjax.transfer import ConvLayer, cost

KEYS = [(0, 0), (1, 0), (2, 0)]


def test_one_convolution_by_hand():
    layer = ConvLayer("a", "conv", ((0, 0, 2),), ((0, 0, 3), (1, 0, 1)))
    found = cost([layer], {"conv": make_bank(2, BankRecipe(3), KEYS)}, 8, item_bytes=4)
    # per pixel: 2 inputs times (3 scalars + 1 vector of 2 components), 9 taps, 2 operations each
    assert found.flops == 2 * (2 * (3 + 2)) * 9 * 64
    assert found.field_bytes == (2 + 3 + 2) * 64 * 4


def test_levels_transposition_and_missing_filters():
    bank = make_bank(2, BankRecipe(3), KEYS)
    scalar = ((0, 0, 1),)
    fine = cost([ConvLayer("a", "conv", scalar, scalar)], {"conv": bank}, 8)
    coarse = cost([ConvLayer("a", "conv", scalar, scalar, level=1)], {"conv": bank}, 8)
    assert fine.flops == 4 * coarse.flops
    up = ConvLayer("a", "upsample", scalar, scalar, input_dilation=2)
    transposed = cost([up], {"upsample": make_bank(2, BankRecipe(2), KEYS)}, 8)
    assert transposed.flops == 2 * 64  # one tap meets each output pixel
    odd = ConvLayer("a", "conv", ((0, 1, 1),), scalar)  # no filters of side 3 in two dimensions
    assert cost([odd], {"conv": make_bank(2, BankRecipe(3), [(0, 1)])}, 8).flops == 0
