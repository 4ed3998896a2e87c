import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.layers import _inverse_sqrt

EPS = 1e-5
inverse_sqrt = jax.jit(_inverse_sqrt.inverse_sqrt, static_argnums=1)


def spectral(matrix: np.ndarray, eps: float = EPS) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix.astype(np.float64))
    return (vectors / np.sqrt(values + eps)) @ vectors.T


def covariance(n: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 2 * n))
    return (x @ x.T / (2 * n)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_it_is_the_inverse_of_the_root(n):
    matrix = covariance(n)
    result = inverse_sqrt(matrix, EPS)
    np.testing.assert_allclose(result, spectral(matrix), rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(result @ (matrix + EPS * np.eye(n)) @ result, np.eye(n), atol=2e-5)


@pytest.mark.parametrize("empty", [[0], [1], [2], [0, 2], [1, 3], [0, 1, 2, 3]])
def test_zero_blocks_stay_exactly_zero(empty):
    matrix = covariance(4)
    matrix[empty] = 0
    matrix[:, empty] = 0
    result = np.asarray(inverse_sqrt(matrix, EPS))
    coupling = result.copy()
    np.fill_diagonal(coupling, 0)
    assert not coupling[empty].any() and not coupling[:, empty].any()
    np.testing.assert_allclose(result[empty, empty], 1 / np.sqrt(EPS), rtol=1e-6)
    kept = np.setdiff1d(range(4), empty)
    np.testing.assert_allclose(
        result[np.ix_(kept, kept)], spectral(matrix)[np.ix_(kept, kept)], rtol=1e-4, atol=1e-6
    )
    # Zero blocks only: a full matrix is not taken for decoupled.
    assert np.all(np.asarray(inverse_sqrt(covariance(4), EPS)) != 0)


def test_derivative_is_that_of_a_difference_quotient():
    with jax.enable_x64(True):
        matrix, change = (covariance(3, seed).astype(np.float64) for seed in (0, 1))
        _, tangent = jax.jvp(lambda m: inverse_sqrt(m, EPS), (matrix,), (change,))
        h = 1e-6
        quotient = (spectral(matrix + h * change) - spectral(matrix - h * change)) / (2 * h)
        np.testing.assert_allclose(tangent, quotient, rtol=1e-6, atol=1e-6 * np.abs(quotient).max())


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.eye(3), np.diag([2.0, 2.0, 0.0])])
def test_derivative_is_finite_where_eigenvalues_coincide_or_vanish(matrix):
    weights = jnp.arange(9.0).reshape(3, 3)
    matrix = jnp.asarray(matrix, jnp.float32)
    gradient = jax.jit(jax.grad(lambda m: jnp.sum(weights * inverse_sqrt(m, EPS))))(matrix)
    assert np.isfinite(gradient).all()

    def through_eigenvectors(m):
        values, vectors = jnp.linalg.eigh(m)
        return jnp.sum(weights * ((vectors / jnp.sqrt(values + EPS)) @ vectors.T))

    assert not np.isfinite(jax.jit(jax.grad(through_eigenvectors))(matrix)).all()


@pytest.mark.parametrize("start", ["generic", "diagonal", "identity", "nearly empty direction"])
def test_second_derivative_is_that_of_a_difference_quotient(start):
    with jax.enable_x64(True):
        matrix, change = (covariance(3, seed).astype(np.float64) for seed in (0, 1))
        matrix = {
            "generic": matrix,
            "diagonal": np.diag([2.0, 0.5, 1.0]),
            "identity": np.eye(3),
            # Not quite: negative eigenvalues, to which a difference quotient would step, count as zero.
            "nearly empty direction": matrix * np.outer([1, 1, 0], [1, 1, 0]) + np.diag([0, 0, EPS / 100]),
        }[start]

        def slope(m):
            return jax.jvp(lambda m: inverse_sqrt(m, EPS), (m,), (change,))[1]

        _, second = jax.jit(lambda m: jax.jvp(slope, (m,), (change,)))(matrix)
        h = 1e-4 * EPS
        quotient = (slope(matrix + h * change) - slope(matrix - h * change)) / (2 * h)
        np.testing.assert_allclose(second, quotient, rtol=1e-5, atol=1e-5 * np.abs(quotient).max())
        back = jax.jit(jax.grad(lambda m: jnp.vdot(slope(m), change)))(matrix)
        np.testing.assert_allclose(jnp.vdot(back, change), jnp.vdot(second, change), rtol=1e-8)


def test_the_derivative_is_a_self_adjoint_map():
    with jax.enable_x64(True):
        matrix, one, other = (covariance(3, seed).astype(np.float64) for seed in (0, 1, 2))
        root, spectrum = _inverse_sqrt.inverse_sqrt_and_spectrum(matrix, EPS)
        along_one, along_other = (
            _inverse_sqrt.inverse_sqrt_change(matrix, EPS, root, spectrum, c) for c in (one, other)
        )
        np.testing.assert_allclose(jnp.vdot(along_one, other), jnp.vdot(one, along_other), rtol=1e-10)
        assert not np.allclose(along_one, one)


def test_large_singular_matrices_do_not_give_nan():
    directions = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    matrices = np.float32(1e5) * np.einsum("na,nb->nab", directions, directions)
    # Their two zero eigenvalues are rounded to numbers below -eps, of which there is no root.
    assert np.linalg.eigvalsh(matrices).min() < -EPS
    assert np.isfinite(inverse_sqrt(matrices, EPS)).all()


def test_it_maps_over_batches():
    matrices = np.stack([covariance(3, s) for s in range(3)])
    mapped = jax.vmap(lambda m: inverse_sqrt(m, EPS))(matrices)
    one_by_one = np.stack([inverse_sqrt(m, EPS) for m in matrices])
    np.testing.assert_allclose(inverse_sqrt(matrices, EPS), one_by_one, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(mapped, one_by_one, rtol=1e-5, atol=1e-6)
