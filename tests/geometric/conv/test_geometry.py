import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.geometric import ConvGeometry


def line(n: int) -> jnp.ndarray:
    return jnp.arange(1.0, n + 1)[None]


def test_short_forms_are_spelled_out():
    geometry = ConvGeometry.resolve(3, (False, True, False))
    assert geometry == ConvGeometry((1,) * 3, (1,) * 3, (1,) * 3, "TORUS", (False, True, False))
    assert ConvGeometry.resolve(2, (False, False)).padding == "SAME"
    assert ConvGeometry.resolve(2, (True, True), 2, 1, (1, 2), [3, 4]) == ConvGeometry(
        (2, 2), (1, 2), (3, 4), ((1, 1), (1, 1)), (True, True)
    )
    assert ConvGeometry.resolve(1, (True,), np.int64(2)).stride == (2,)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"stride": 0}, "stride: got 0, expected a whole number, 1 or more, or 2 of them"),
        ({"stride": (1, 1, 1)}, "stride"),
        ({"stride": 1.5}, "stride"),
        ({"stride": True}, "stride"),
        ({"lhs_dilation": (2, 0)}, "lhs_dilation"),
        ({"rhs_dilation": "2"}, "rhs_dilation"),
        ({"padding": "FULL"}, "padding: got 'FULL', expected TORUS, VALID, SAME, a number or pairs"),
        ({"padding": ((1, 1),)}, "2 pairs of numbers"),
        ({"padding": ((1, 1), (1,))}, "2 pairs of numbers"),
        ({"padding": (1, 1)}, "2 pairs of numbers"),
        ({"padding": 1.5}, "2 pairs of numbers"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        ConvGeometry.resolve(2, (True, True), **arguments)


@pytest.mark.parametrize("dilation", [1, 2, 8])
@pytest.mark.parametrize("side", [2, 3, 5])
def test_a_torus_wraps_however_small_its_period(side, dilation):
    reach = (side - 1) * dilation
    padded = ConvGeometry.resolve(1, (True,), rhs_dilation=dilation).pad(line(4), 1, side)
    np.testing.assert_array_equal(
        padded, np.pad(line(4), ((0, 0), (reach // 2, reach - reach // 2)), mode="wrap")
    )


def test_other_axes_are_padded_with_zeros():
    x = jnp.ones((1, 2, 3))
    padded = ConvGeometry.resolve(2, (True, False)).pad(x, 1, 3)
    assert padded.shape == (1, 4, 5)
    np.testing.assert_array_equal(padded[0], [[0, 1, 1, 1, 0]] * 4)


def test_a_dilated_torus_keeps_its_period():
    padded = ConvGeometry.resolve(1, (True,), lhs_dilation=3).pad(line(2), 1, 3)
    np.testing.assert_array_equal(padded, [[0, 1, 0, 0, 2, 0, 0, 1]])
    literal = ConvGeometry.resolve(1, (True,), padding=1, lhs_dilation=3).pad(line(2), 1, 3)
    np.testing.assert_array_equal(literal, [[0, 1, 0, 0, 2, 0]])


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("n", [4, 5])
def test_sizes(n, stride):
    def size(padding, side=3):
        geometry = ConvGeometry.resolve(1, (True,), stride, padding)
        return (geometry.pad(line(n), 1, side).shape[1] - side) // stride + 1

    assert size("SAME") == size("TORUS") == -(-n // stride)
    assert size("VALID") == (n - 3) // stride + 1
    assert size(2) == (n + 4 - 3) // stride + 1


def test_a_single_pixel_needs_no_padding():
    x = line(4)
    assert ConvGeometry.resolve(1, (True,)).pad(x, 1, 1) is x
