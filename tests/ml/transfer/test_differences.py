"""Derivatives by differences, against those that the function has."""

import jax
import jax.numpy as jnp
import numpy as np

from ginjax.ml.transfer._differences import STEP, differences


def curved(t):
    return jnp.stack([jnp.sin(t[0]) * t[1], jnp.exp(t[1])]).reshape(2, 1)


def test_values_and_derivatives_have_the_axes_of_the_function_and_then_one_of_unknowns():
    t = np.array([0.3, -0.7])
    values, slopes = differences(curved, t)
    exact = jax.jacfwd(curved)(jnp.asarray(t, jnp.float32))
    assert values.dtype == slopes.dtype == np.float64 and slopes.shape == (2, 1, 2)
    np.testing.assert_allclose(values, curved(jnp.asarray(t)), rtol=1e-6)
    # To first order: half a step times the second derivative, which is at most one here.
    np.testing.assert_allclose(slopes, exact, atol=STEP / 2 + 1e-4)


def test_of_a_linear_function_rounding_is_all_that_is_wrong():
    """A step is a power of two, by which nothing is rounded."""
    matrix = np.array([[3.0, -1.0], [0.5, 2.0], [1e3, 1.0]])
    _, slopes = differences(lambda t: jnp.asarray(matrix, jnp.float32) @ t, np.array([0.1, 0.2]))
    np.testing.assert_allclose(slopes, matrix, rtol=1e-3)
