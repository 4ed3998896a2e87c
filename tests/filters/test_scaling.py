import itertools

import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, limit_support, make_block, scale_filters

CASES = [
    (D, side, k) for D, side, k in itertools.product((1, 2, 3), (2, 3, 4, 5), (0, 1, 2)) if side**D <= 64
]


def axis(side: int) -> np.ndarray:
    """Pixel centres measured from the centre of the filter."""
    return np.arange(side) - (side - 1) / 2


def distance(D: int, side: int, order: int) -> np.ndarray:
    grid = np.meshgrid(*[axis(side)] * D, indexing="ij")
    return np.linalg.norm(np.stack(grid).reshape(D, -1), ord=order, axis=0).reshape((side,) * D)


def pixel_norm(filters: np.ndarray, D: int) -> np.ndarray:
    return np.sqrt((filters**2).sum(axis=tuple(range(D + 1, filters.ndim))))


@pytest.mark.parametrize(("D", "side", "k"), CASES)
def test_definitions_pixel_by_pixel(D, side, k):
    one, normalize, gaussian = (
        make_block(D, BankRecipe(side, scaling), k, 0).filters for scaling in ("one", "normalize", "gaussian")
    )
    np.testing.assert_allclose(np.abs(one).reshape(len(one), -1).max(axis=1), 1)
    norm = pixel_norm(normalize, D)
    np.testing.assert_allclose(norm[norm > 0], 1)
    falloff = np.exp(-distance(D, side, 2)).reshape(1, *(side,) * D, *(1,) * k)
    np.testing.assert_allclose(gaussian, normalize * falloff)
    np.testing.assert_array_equal((one != 0), (gaussian != 0))


def test_the_scalings_differ():
    blocks = [make_block(2, BankRecipe(3, s), 1, 0).filters for s in ("one", "normalize", "gaussian")]
    for a, b in itertools.combinations(blocks, 2):
        assert not np.allclose(a, b)


def test_a_filter_of_zeros_stays_zero():
    for scaling in ("one", "normalize", "gaussian"):
        np.testing.assert_array_equal(scale_filters(np.zeros((1, 3, 3)), 2, scaling), 0)
        assert scale_filters(np.zeros((0, 3, 3, 2)), 2, scaling).shape == (0, 3, 3, 2)


def test_unknown_scaling():
    with pytest.raises(ArgumentError, match="scaling: got 'stencil', expected one or normalize or gaussian"):
        scale_filters(np.ones((1, 3)), 1, "stencil")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("D", "side", "k"), [(1, 5, 0), (2, 5, 1), (2, 4, 0), (3, 3, 2)])
@pytest.mark.parametrize("radius", [0, 1, 1.5, 2])
def test_limit_support(D, side, k, radius):
    filters = make_block(D, BankRecipe(side), k, 0).filters
    size = pixel_norm(filters, D)
    far = distance(D, side, 1) > radius + 1e-9
    inside = np.array([not (one[far] > 0).any() for one in size])
    np.testing.assert_array_equal(limit_support(filters, D, radius), filters[inside])
    summed = limit_support(filters, D, radius, combine=True)
    np.testing.assert_allclose(summed.sum(axis=0), filters[inside].sum(axis=0))
    shells = [np.unique(distance(D, side, 1)[one > 0].round(9)).tolist() for one in pixel_norm(summed, D)]
    assert all(len(s) == 1 for s in shells) and shells == sorted(shells)
    assert limit_support(filters, D, None) is filters
