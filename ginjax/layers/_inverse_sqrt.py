"""The inverse square root of a covariance matrix, with a derivative that is always finite."""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..geometric import AnyArray
from ._rotations import product, rotations

Spectrum = tuple[Array, Array]


def inverse_sqrt(matrix: Float[AnyArray, "*leading dim dim"], eps: float) -> Float[Array, "*leading dim dim"]:
    r"""Compute $(A + \epsilon)^{-1/2}$ of symmetric positive semidefinite matrices.

    If all off-diagonal entries of a coordinate are exactly zero, the result has exact zeros off the diagonal in its row and
    column too.

    Plane rotations that keep zeros diagonalise the matrix, see `rotations`. With $S = (A + \epsilon)^{1/2}$ the derivative is

    $$d\left(S^{-1}\right) = -S^{-1} X S^{-1}, \quad S X + X S = dA.$$

    In the eigenbasis of $S$, solving for $X$ means dividing by sums of eigenvalues, so equal eigenvalues are no special case.
    Differentiating through the eigenvectors would divide by their differences. Derivatives of any order follow this rule.

    **Arguments:**

    - `matrix`: `(..., n, n)`, symmetric, without negative eigenvalues beyond rounding.
    - `eps`: a positive number added to every eigenvalue.

    **Returns:** `(..., n, n)`, symmetric.
    """
    return inverse_sqrt_and_spectrum(matrix, eps)[0]


def _root_and_spectrum(matrix: Array, eps: float) -> tuple[Array, Spectrum]:
    roots, vectors = _spectrum(matrix, eps)
    return product(vectors / roots[..., None, :], _transposed(vectors)), (roots, vectors)


inverse_sqrt_and_spectrum = jax.custom_jvp(_root_and_spectrum, nondiff_argnums=(1,))
"""Return `inverse_sqrt`, and the spectrum for `inverse_sqrt_change`: the square roots of the eigenvalues of `matrix + eps`,
and the eigenvectors as columns. The spectrum is not differentiated."""


@inverse_sqrt_and_spectrum.defjvp
def _(
    eps: float, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[tuple[Array, Spectrum], tuple[Array, Spectrum]]:
    (matrix,), (change,) = primals, tangents
    root, spectrum = inverse_sqrt_and_spectrum(matrix, eps)
    found = inverse_sqrt_change(matrix, eps, root, spectrum, change)
    return (root, spectrum), (found, jax.tree.map(jnp.zeros_like, spectrum))


def inverse_sqrt_change(
    matrix: Float[AnyArray, "*leading dim dim"],
    eps: float,
    root: Float[AnyArray, "*leading dim dim"],
    spectrum: Spectrum,
    change: Float[AnyArray, "*leading dim dim"],
) -> Float[Array, "*leading dim dim"]:
    """Compute the derivative of `inverse_sqrt` along a change of the matrix, a self-adjoint linear map of that change.

    **Arguments:**

    - `matrix`, `eps`: the arguments of `inverse_sqrt`.
    - `root`, `spectrum`: the results of `inverse_sqrt_and_spectrum`.
    - `change`: `(..., n, n)`; only its symmetric part matters.
    """
    direct = product(matrix + eps * jnp.eye(matrix.shape[-1], dtype=matrix.dtype), root)
    roots, vectors = jax.lax.stop_gradient(spectrum)
    transposed = _transposed(vectors)

    def solve(_: object, b: Array) -> Array:
        rotated = product(product(transposed, b), vectors)
        return product(product(vectors, rotated / (roots[..., :, None] + roots[..., None, :])), transposed)

    x = jax.lax.custom_linear_solve(
        lambda x: product(direct, x) + product(x, direct),
        (change + _transposed(change)) / 2,
        solve,
        symmetric=True,
    )
    return -product(product(root, x), root)


def _spectrum(matrix: Array, eps: float) -> tuple[Array, Array]:
    """Return the square roots of the eigenvalues of `matrix + eps`, and the eigenvectors as columns."""
    values, vectors = rotations(matrix)
    # Rounding can make a zero eigenvalue more negative than eps.
    return jnp.sqrt(jnp.maximum(values, 0) + eps), vectors


def _transposed(a: AnyArray) -> Array:
    return jnp.swapaxes(a, -1, -2)
