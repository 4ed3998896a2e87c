"""Fields of a low dimension laid into a higher one."""

import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.ml.transfer._turned import on_turned_grid, turned


def test_values_between_grid_points_are_those_of_the_waves():
    """In 2D, of a vector: against the formula that the samples were drawn from."""
    random = np.random.default_rng(0)
    E, start = random.uniform(-2, 2, (3, 2)), random.uniform(-20, 20, 2)

    def field(x, y):
        kx, ky = 2 * np.pi / 8, 2 * np.pi / 6
        return np.stack([np.sin(kx * x) * np.cos(2 * ky * y), 1 + np.cos(3 * kx * x - ky * y)], -1)

    grid = field(*np.indices((8, 6)))[None]
    points = np.tensordot(E.T, np.indices((4, 4, 4)), 1) + start[:, None, None, None]
    found = on_turned_grid(np.concatenate([grid, 2 * grid]), E, start, 4)
    np.testing.assert_allclose(found, np.stack([field(*points), 2 * field(*points)]), atol=1e-12)


def test_a_vector_points_along_the_direction_it_is_laid_in():
    """From 1D: a wave along a unit vector `n`, with components along `n` of the size of the only one before."""
    wave = np.sin(2 * np.pi * np.arange(16) / 16)
    scalar, vector = wave[None, None], 2 * wave[None, None, :, None]
    low = MultiImage({(0, 0): jnp.asarray(scalar), (1, 0): jnp.asarray(vector)}, 1)
    (high,) = turned((low,), 3, 6, seed=4)
    u, v = (np.asarray(high[key])[0, 0] for key in ((0, 0), (1, 0)))
    assert u.shape == (6, 6, 6) and v.shape == (6, 6, 6, 3)
    n = np.sum(u[..., None] * v, (0, 1, 2)) / np.sum(2 * u**2)
    assert np.linalg.norm(n) == pytest.approx(1, abs=1e-5) and np.abs(n).min() > 0.05
    np.testing.assert_allclose(v, 2 * u[..., None] * n, atol=1e-5)
    # The same wave number along n, up to the sign of n: a second derivative by a recurrence along each axis.
    for axis, part in enumerate(n):
        inner = np.moveaxis(u, axis, 0)
        recurrence = 2 * np.cos(2 * np.pi / 16 * part) * inner[1:-1]
        np.testing.assert_allclose(inner[2:] + inner[:-2], recurrence, atol=1e-5)


def test_images_are_laid_alike_and_samples_each_in_a_direction_of_its_own():
    random = np.random.default_rng(1)
    block = jnp.asarray(random.normal(size=(1, 1, 8)).repeat(2, 0))
    X = MultiImage({(0, 0): block}, 1)
    Y = MultiImage({(0, 0): 3 * block}, 1)
    x, y = turned((X, Y), 2, 5, seed=0)
    np.testing.assert_allclose(y[0, 0], 3 * np.asarray(x[0, 0]), rtol=1e-5)
    assert not np.allclose(x[0, 0][0], x[0, 0][1], atol=0.1)
    assert np.array_equal(x[0, 0], turned((X,), 2, 5, seed=0)[0][0, 0])
    assert not np.array_equal(x[0, 0], turned((X,), 2, 5, seed=1)[0][0, 0])


def test_what_cannot_be_laid_into_a_higher_dimension():
    block = jnp.zeros((1, 1, 8))
    with pytest.raises(ArgumentError, match="dimension to lay fields into: got 1, expected more than 1"):
        turned((MultiImage({(0, 0): block}, 1),), 1, 5)
    with pytest.raises(ArgumentError, match="not periodic"):
        turned((MultiImage({(0, 0): block}, 1, (False,)),), 2, 5)
    with pytest.raises(ArgumentError, match="odd parity"):
        turned((MultiImage({(0, 1): block}, 1),), 2, 5)
