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

    The first derivative uses the divided differences of $f(x) = x^{-1/2}$ (Daleckii and Krein),

    $$f[a, b] = \frac{-1}{\sqrt a \sqrt b (\sqrt a + \sqrt b)},$$

    in which equal eigenvalues need no case of their own; differentiating through the eigenvectors would divide by $a - b$.

    **Arguments:**

    - `matrix`: `(..., n, n)`, symmetric, no negative eigenvalues beyond rounding.
    - `eps`: a positive number added to every eigenvalue.

    **Returns:** `(..., n, n)`, symmetric.
    """
    return _inverse_sqrt(matrix, eps)


def _primal(matrix: Array, eps: float) -> Array:
    return _apply(matrix, eps, *_spectrum(matrix, eps))


_inverse_sqrt = jax.custom_jvp(_primal, nondiff_argnums=(1,))


def _spectrum(matrix: Array, eps: float) -> tuple[Array, Array]:
    """Square roots of the eigenvalues of `matrix + eps`, and the eigenvectors as columns."""
    values, vectors = jnp.linalg.eigh(matrix)
    # Rounding can make a zero eigenvalue more negative than eps.
    return jnp.sqrt(jnp.maximum(values, 0) + eps), vectors


def _apply(matrix: Array, eps: float, roots: Array, vectors: Array) -> Array:
    coupled = jnp.matmul(vectors / roots[..., None, :], jnp.swapaxes(vectors, -1, -2), precision=_EXACT)
    # Eigensolvers differ in whether zeros survive them, so the exact structure is put in afterwards.
    diagonal = jnp.eye(matrix.shape[-1], dtype=bool)
    alone = jnp.all(diagonal | (matrix == 0), axis=-1)
    variances = jnp.diagonal(matrix, axis1=-2, axis2=-1)[..., None]
    exact = jnp.where(diagonal, 1 / jnp.sqrt(jnp.maximum(variances, 0) + eps), 0)
    return jnp.where(alone[..., None] | alone[..., None, :], exact, coupled)


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
    return _apply(matrix, eps, roots, vectors), tangent
