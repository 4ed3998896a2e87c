"""The inverse square root of a covariance matrix, with a derivative that is always finite."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

# Rounding noise in a new, empty direction of an embedded field would be multiplied by 1/sqrt(eps).
_EXACT = jax.lax.Precision.HIGHEST


def inverse_sqrt(matrix: Array, eps: float) -> Array:
    r"""The matrix function $(A + \epsilon)^{-1/2}$ of symmetric positive semidefinite matrices.

    A coordinate whose off-diagonal entries are all exactly zero stays decoupled exactly: its row and column of the result
    are exactly zero off the diagonal.

    The matrix is diagonalised by plane rotations (Jacobi's method), which for the few dimensions of space are a handful of
    elementwise operations for all matrices at once, and leave zeros alone. The first derivative uses the divided
    differences of $f(x) = x^{-1/2}$ (Daleckii and Krein),

    $$f[a, b] = \frac{-1}{\sqrt a \sqrt b (\sqrt a + \sqrt b)},$$

    in which equal eigenvalues need no case of their own; differentiating through the eigenvectors would divide by $a - b$.

    **Arguments:**

    - `matrix`: `(..., n, n)`, symmetric, no negative eigenvalues beyond rounding.
    - `eps`: a positive number added to every eigenvalue.

    **Returns:** `(..., n, n)`, symmetric.
    """
    return _inverse_sqrt(matrix, eps)


def rotations(matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues (in no order) and eigenvectors (as columns) of symmetric matrices `(..., n, n)`, by Jacobi's method."""
    n = matrix.shape[-1]
    state = matrix, jnp.broadcast_to(jnp.eye(n, dtype=matrix.dtype), matrix.shape)
    if n == 2:
        # One pair is done in one sweep.
        state = _sweep(0, state)
    elif n > 2:
        # Convergence is quadratic once the rotations are small.
        state = jax.lax.fori_loop(0, 6 if n <= 4 else 10, _sweep, state)
    diagonal, vectors = state
    return jnp.diagonal(diagonal, axis1=-2, axis2=-1), vectors


def _sweep(_: Any, state: tuple[Array, Array]) -> tuple[Array, Array]:
    """Turn every plane once."""
    n = state[0].shape[-1]
    for p in range(n):
        for q in range(p + 1, n):
            state = _rotate(*state, p, q)
    return state


def _rotate(matrix: Array, vectors: Array, p: int, q: int) -> tuple[Array, Array]:
    """Turn the plane `(p, q)` so that its off-diagonal entry vanishes."""
    coupling = matrix[..., p, q]
    coupled = coupling != 0
    slope = (matrix[..., q, q] - matrix[..., p, p]) / (2 * jnp.where(coupled, coupling, 1))
    sign = jnp.where(slope < 0, -1, 1).astype(slope.dtype)
    tangent = jnp.where(coupled, sign / (jnp.abs(slope) + jnp.hypot(1, slope)), 0)
    cosine = 1 / jnp.sqrt(1 + tangent**2)
    sine = tangent * cosine

    def turn(m: Array) -> Array:
        """Columns `p` and `q`."""
        a, b = m[..., p], m[..., q]
        c, s = cosine[..., None], sine[..., None]
        return m.at[..., p].set(c * a - s * b).at[..., q].set(s * a + c * b)

    turned = jnp.swapaxes(turn(jnp.swapaxes(turn(matrix), -1, -2)), -1, -2)
    # Exactly zero, not to rounding: the next sweep must not turn back and forth.
    return turned.at[..., p, q].set(0).at[..., q, p].set(0), turn(vectors)


def _primal(matrix: Array, eps: float) -> Array:
    return _apply(*_spectrum(matrix, eps))


_inverse_sqrt = jax.custom_jvp(_primal, nondiff_argnums=(1,))


def _spectrum(matrix: Array, eps: float) -> tuple[Array, Array]:
    """Square roots of the eigenvalues of `matrix + eps`, and the eigenvectors as columns."""
    values, vectors = rotations(matrix)
    # Rounding can make a zero eigenvalue more negative than eps.
    return jnp.sqrt(jnp.maximum(values, 0) + eps), vectors


def _apply(roots: Array, vectors: Array) -> Array:
    return jnp.matmul(vectors / roots[..., None, :], jnp.swapaxes(vectors, -1, -2), precision=_EXACT)


@_inverse_sqrt.defjvp
def _inverse_sqrt_jvp(eps: float, primals: Any, tangents: Any) -> tuple[Array, Array]:
    (matrix,), (change,) = primals, tangents
    roots, vectors = _spectrum(matrix, eps)
    transposed = jnp.swapaxes(vectors, -1, -2)
    left, right = roots[..., :, None], roots[..., None, :]
    symmetric = (change + jnp.swapaxes(change, -1, -2)) / 2
    rotated = jnp.matmul(jnp.matmul(transposed, symmetric, precision=_EXACT), vectors, precision=_EXACT)
    scaled = -rotated / (left * right * (left + right))
    tangent = jnp.matmul(jnp.matmul(vectors, scaled, precision=_EXACT), transposed, precision=_EXACT)
    return _apply(roots, vectors), tangent
