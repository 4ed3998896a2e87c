import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax import geometric as geom
from ginjax.errors import ArgumentError
from ginjax.geometric._components import from_scalar_channels, to_scalar_channels


def test_norm_is_the_frobenius_norm():
    x = np.random.default_rng(0).normal(size=(2, 3, 2, 2)).astype(np.float32)
    np.testing.assert_allclose(geom.norm(2, x), np.sqrt((x**2).sum((2, 3))), rtol=1e-6)
    assert geom.norm(2, x, keepdims=True).shape == (2, 3, 1, 1)
    np.testing.assert_array_equal(geom.norm(4, x), np.abs(x))


def test_norm_has_a_finite_derivative_at_zero():
    gradient = jax.grad(lambda x: geom.norm(1, x).sum())(jnp.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(gradient, [[0, 0], [0.6, 0.8]], rtol=1e-6)
    control = jax.grad(lambda x: jnp.sqrt((x**2).sum()))(jnp.zeros(2))
    assert not np.isfinite(control).any()


def test_nonempty_pixels():
    x = np.zeros((2, 3, 2))
    x[1, 2, 0] = -1
    np.testing.assert_array_equal(geom.nonempty_pixels(2, x), [[False] * 3, [False, False, True]])


def test_max_pool_keeps_the_longest_vector():
    x = np.array([[1.0, 0], [-3, 4], [0, 2], [2, 0]])
    np.testing.assert_array_equal(geom.max_pool(1, x[:, :1], 2), [[-3], [2]])
    vectors = x.reshape(2, 2, 2)
    np.testing.assert_array_equal(geom.max_pool(2, vectors, 2), [[[-3, 4]]])
    # The first pixel, row by row, wins a tie.
    np.testing.assert_array_equal(geom.max_pool(2, vectors[1:].repeat(2, 0), 2), [[[0, 2]]])


def test_max_pool_by_value_is_for_scalars():
    x = np.array([1.0, -3, 0, -2])
    np.testing.assert_array_equal(geom.max_pool(1, x, 2, use_norm=False), [1, 0])
    np.testing.assert_array_equal(geom.max_pool(1, x, 2), [-3, -2])
    with pytest.raises(ArgumentError, match="largest value"):
        geom.max_pool(1, x[:, None], 2, use_norm=False)


def test_average_pool_takes_means_of_patches():
    x = np.arange(24.0).reshape(1, 4, 6)
    expected = x.reshape(1, 2, 2, 3, 2).mean((2, 4))
    np.testing.assert_allclose(geom.average_pool(2, x, 2, n_leading=1), expected)


def test_sides_must_be_divisible():
    for pool in (geom.max_pool, geom.average_pool):
        with pytest.raises(ArgumentError, match="whole patches"):
            pool(2, np.zeros((4, 5)), 2)


def test_components_are_channel_major_and_row_major():
    block = np.arange(2 * 3 * 2 * 4 * 4, dtype=float).reshape(2, 3, 2, 1, 4, 4)[:, :, :, :, :2, :2]
    flat = to_scalar_channels(2, block, 2)
    assert flat.shape == (2, 12, 2, 1)
    np.testing.assert_array_equal(flat[1, 4 * 2 + 2 * 1 + 0], block[1, 2, :, :, 1, 0])
    np.testing.assert_array_equal(from_scalar_channels(2, flat, 2, 2), block)
