"""The inverse square root of a covariance matrix, with a derivative that is always finite."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..geometric import AnyArray

Spectrum = tuple[Array, Array]


def inverse_sqrt(matrix: Float[AnyArray, "*leading dim dim"], eps: float) -> Float[Array, "*leading dim dim"]:
    r"""The matrix function $(A + \epsilon)^{-1/2}$ of symmetric positive semidefinite matrices.

    A coordinate whose off-diagonal entries are all exactly zero stays decoupled exactly: its row and column of the result
    are exactly zero off the diagonal.

    The matrix is diagonalised by plane rotations (Jacobi's method), which for the few dimensions of space are a handful of
    elementwise operations for all matrices at once, and leave zeros alone. With $S = (A + \epsilon)^{1/2}$ the derivative is

    $$d\left(S^{-1}\right) = -S^{-1} X S^{-1}, \quad S X + X S = dA,$$

    where $X$ is found in the eigenvectors of $S$ by dividing by sums of its eigenvalues: equal ones need no case of their own, while
    differentiating through the eigenvectors would divide by their difference. It holds to any order.

    **Arguments:**

    - `matrix`: `(..., n, n)`, symmetric, no negative eigenvalues beyond rounding.
    - `eps`: a positive number added to every eigenvalue.

    **Returns:** `(..., n, n)`, symmetric.
    """
    return inverse_sqrt_and_spectrum(matrix, eps)[0]


def _root_and_spectrum(matrix: Array, eps: float) -> tuple[Array, Spectrum]:
    roots, vectors = _spectrum(matrix, eps)
    return _product(vectors / roots[..., None, :], _transposed(vectors)), (roots, vectors)


inverse_sqrt_and_spectrum = jax.custom_jvp(_root_and_spectrum, nondiff_argnums=(1,))
"""`inverse_sqrt`, and what `inverse_sqrt_change` needs: the square roots of the eigenvalues of `matrix + eps`, and its
eigenvectors as columns. Of these two nothing is differentiated."""


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
    """The derivative of `inverse_sqrt` along a change of the matrix, `(..., n, n)`; a self-adjoint linear map of it.

    **Arguments:**

    - `matrix`, `eps`: of `inverse_sqrt`.
    - `root`, `spectrum`: from `inverse_sqrt_and_spectrum`.
    - `change`: of which the symmetric part counts.
    """
    direct = _product(matrix + eps * jnp.eye(matrix.shape[-1], dtype=matrix.dtype), root)
    roots, vectors = jax.lax.stop_gradient(spectrum)
    transposed = _transposed(vectors)

    def solve(_: object, b: Array) -> Array:
        rotated = _product(_product(transposed, b), vectors)
        return _product(_product(vectors, rotated / (roots[..., :, None] + roots[..., None, :])), transposed)

    x = jax.lax.custom_linear_solve(
        lambda x: _product(direct, x) + _product(x, direct),
        (change + _transposed(change)) / 2,
        solve,
        symmetric=True,
    )
    return -_product(_product(root, x), root)


def _spectrum(matrix: Array, eps: float) -> tuple[Array, Array]:
    """Square roots of the eigenvalues of `matrix + eps`, and the eigenvectors as columns."""
    values, vectors = rotations(matrix)
    # Rounding can make a zero eigenvalue more negative than eps.
    return jnp.sqrt(jnp.maximum(values, 0) + eps), vectors


def rotations(
    matrix: Float[AnyArray, "*leading dim dim"],
) -> tuple[Float[Array, "*leading dim"], Float[Array, "*leading dim dim"]]:
    """Eigenvalues (in no order) and eigenvectors (as columns) of symmetric matrices `(..., n, n)`, by Jacobi's method."""
    n = matrix.shape[-1]
    planes = jnp.asarray(_planes(n), matrix.dtype)
    # The matrix above its eigenvectors: both get the same rotation of their columns.
    state = jnp.concatenate([matrix, jnp.broadcast_to(jnp.eye(n, dtype=matrix.dtype), matrix.shape)], -2)
    if len(planes) == 1:
        state = _rotate(state, planes[0])
    elif len(planes) > 1:
        # Convergence is quadratic once the rotations are small.
        sweeps = jnp.tile(planes, (6 if n <= 4 else 10, 1, 1, 1))
        state, _ = jax.lax.scan(lambda state, plane: (_rotate(state, plane), None), state, sweeps)
    return jnp.sum(state[..., :n, :] * jnp.eye(n, dtype=matrix.dtype), -1), state[..., n:, :]


def _planes(n: int) -> np.ndarray:
    """For each pair of axes `p < q` of `n`, `(pairs, 4, n, n)`: what is 1 at `(p, p)`, at `(q, q)`, at `(p, q)`, at `(q, p)`."""
    pairs = list(itertools.combinations(range(n), 2))
    table = np.zeros((len(pairs), 4, n, n))
    for plane, (p, q) in zip(table, pairs, strict=True):
        plane[0, p, p] = plane[1, q, q] = plane[2, p, q] = plane[3, q, p] = 1
    return table


def _rotate(state: Array, plane: Array) -> Array:
    """Turn a plane so that the off-diagonal entry of the matrix vanishes there.

    **Arguments:**

    - `state`: `(..., 2 n, n)`, the matrix above its eigenvectors.
    - `plane`: one of `_planes`.
    """
    n = state.shape[-1]
    pp, qq, pq, qp = plane
    first, second, coupling = (jnp.sum(state[..., :n, :] * entry, (-2, -1)) for entry in (pp, qq, pq))
    coupled = coupling != 0
    slope = (second - first) / (2 * jnp.where(coupled, coupling, 1))
    sign = jnp.where(slope < 0, -1, 1).astype(slope.dtype)
    # The square may be infinite; then the quotient is zero, as it should be.
    tangent = jnp.where(coupled, sign / (jnp.abs(slope) + jnp.sqrt(1 + slope**2)), 0)
    cosine = 1 / jnp.sqrt(1 + tangent**2)
    sine = tangent * cosine
    kept = jnp.eye(n, dtype=state.dtype) - pp - qq
    turn = kept + cosine[..., None, None] * (pp + qq) + sine[..., None, None] * (pq - qp)
    turned = _product(state, turn)
    # Exactly zero, not to rounding: the next sweep must not turn back and forth.
    matrix = _product(_transposed(turn), turned[..., :n, :]) * (1 - pq - qp)
    return jnp.concatenate([matrix, turned[..., n:, :]], -2)


def _product(a: AnyArray, b: AnyArray) -> Array:
    """`a b`, for the few dimensions of space as sums: in full precision everywhere, and joined with what is around it."""
    return jnp.sum(a[..., :, :, None] * b[..., None, :, :], -2)


def _transposed(a: AnyArray) -> Array:
    return jnp.swapaxes(a, -1, -2)
