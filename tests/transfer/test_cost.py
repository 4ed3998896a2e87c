"""The cost of a network, counted by hand and by walking over pixels and taps."""

import itertools

import numpy as np
import pytest

from ginjax.filters import BankRecipe, make_bank
from ginjax.transfer import ConvLayer, PlainLayer, cost, plain_cost

KEYS = [(0, 0), (1, 0), (2, 0)]
SCALAR = ((0, 0, 1),)


def walked(D: int, pixels: int, side: int, stride: int, input_dilation: int) -> int:
    """Multiplications of one channel pair: for each output pixel the taps that meet a pixel of the input or its
    continuation, which is dilated like it."""
    low = (side - 1) // 2
    met = [
        (stride * o + tap - low) % input_dilation == 0
        for o, tap in itertools.product(range(pixels), range(side))
    ]
    return sum(met) ** D  # the axes are alike and independent


def test_one_convolution_by_hand():
    layer = ConvLayer("a", "conv", ((0, 0, 2),), ((0, 0, 3), (1, 0, 1)))
    found = cost([layer], {"conv": make_bank(2, BankRecipe(3), KEYS)}, 8, item_bytes=4)
    # per pixel: 2 inputs times (3 scalars + 1 vector of 2 components), 9 taps, 2 operations each
    assert found.flops == 2 * (2 * (3 + 2)) * 9 * 64
    assert found.field_bytes == (2 + 3 + 2) * 64 * 4


@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize(
    ("side", "stride", "dilation"), [(3, 1, 1), (2, 2, 1), (2, 1, 2), (3, 1, 2), (5, 1, 2)]
)
def test_walking_over_pixels_and_taps(D, side, stride, dilation):
    bank = make_bank(D, BankRecipe(side), [(0, 0)])
    layer = ConvLayer("a", "conv", SCALAR, SCALAR, stride=stride, input_dilation=dilation, level=1)
    found = cost([layer], {"conv": bank}, 16, item_bytes=4)
    assert found.flops == 2 * walked(D, 8, side, stride, dilation)
    assert found.field_bytes == 4 * (8**D + (8 * stride // dilation) ** D)


def test_filters_that_are_missing_cost_nothing():
    odd = ConvLayer("a", "conv", ((0, 1, 1),), SCALAR)  # no filters of side 3 in two dimensions
    assert cost([odd], {"conv": make_bank(2, BankRecipe(3), [(0, 1)])}, 8).flops == 0


def test_plain_convolutions():
    rows = [
        PlainLayer("a", ((1, 0, 1),), ((0, 0, 4),), False, False),
        PlainLayer("b", ((0, 0, 4),), ((0, 0, 3),), True, False, level=1),
    ]
    arrays = {"a.weight": np.zeros((4, 2, 3, 3)), "b.weight": np.zeros((3, 4, 2, 2))}
    found = plain_cost(rows, arrays, 2, 8, item_bytes=4)
    assert found.flops == 2 * (4 * 2 * walked(2, 8, 3, 1, 1) + 3 * 4 * walked(2, 4, 2, 1, 2))
    assert found.field_bytes == (2 + 4) * 64 * 4
    assert plain_cost(rows[1:], arrays, 2, 8, item_bytes=4).field_bytes == (4 * 2**2 + 3 * 4**2) * 4
