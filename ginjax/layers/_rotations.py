"""Eigenvalues and eigenvectors of small symmetric matrices by Jacobi's method."""

import itertools
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import ShapedArray
from jaxtyping import Float

from .._jax_internals import define, primitive
from ..geometric import AnyArray

Entries = dict[tuple[int, int], Array]
"""A matrix as one array for each entry, or for each entry on and above the diagonal."""

_rotations = primitive("ginjax_rotations", several=True)


def rotations(
    matrix: Float[AnyArray, "*leading dim dim"],
) -> tuple[Float[Array, "*leading dim"], Float[Array, "*leading dim dim"]]:
    """Compute eigenvalues and eigenvectors of symmetric matrices `(..., n, n)` by Jacobi's method.

    One plane after another is rotated so that its off-diagonal entry vanishes. A rotation is a few elementwise operations for
    all matrices at once. Entries that are zero already stay zero. Neither result has a derivative.

    On CPUs the rotations are a loop, which compiles fastest. On other devices each entry is an array of its own and there is
    no loop for up to three dimensions, so that the whole computation is one or two kernels.

    **Returns:** the eigenvalues, in no particular order, and the eigenvectors as columns.
    """
    values, vectors = _rotations.bind(jnp.asarray(matrix))
    return values, vectors


def in_a_loop(matrix: Float[Array, "*leading dim dim"]) -> tuple[Array, Array]:
    """Compute `rotations` with matrix products."""
    n = matrix.shape[-1]
    planes = jnp.asarray(_planes(n), matrix.dtype)
    # The matrix is stacked above its eigenvectors: both get the same rotation of their columns.
    state = jnp.concatenate([matrix, jnp.broadcast_to(jnp.eye(n, dtype=matrix.dtype), matrix.shape)], -2)
    if len(planes) == 1:
        state = _turn_columns(state, planes[0])
    elif len(planes) > 1:
        turns = jnp.tile(planes, (_sweeps(n), 1, 1, 1))
        state, _ = lax.scan(lambda state, plane: (_turn_columns(state, plane), None), state, turns)
    return jnp.sum(state[..., :n, :] * jnp.eye(n, dtype=matrix.dtype), -1), state[..., n:, :]


def entry_by_entry(matrix: Float[Array, "*leading dim dim"]) -> tuple[Array, Array]:
    """Compute `rotations` with an array for each entry."""
    n = matrix.shape[-1]
    every = range(n)
    entries = {(i, j): matrix[..., i, j] for i in every for j in range(i, n)}
    one, zero = jnp.ones_like(entries[0, 0]), jnp.zeros_like(entries[0, 0])
    vectors = {(i, j): one if i == j else zero for i in every for j in every}

    def sweep(_: object, state: tuple[Entries, Entries]) -> tuple[Entries, Entries]:
        for p, q in itertools.combinations(every, 2):
            state = _turn_entries(*state, p, q)
        return state

    state = entries, vectors
    if n <= 3:
        for i in range(_sweeps(n)):
            state = sweep(i, state)
    else:
        state = lax.fori_loop(0, _sweeps(n), sweep, state)
    entries, vectors = state
    rows = [jnp.stack([vectors[i, j] for j in every], -1) for i in every]
    return jnp.stack([entries[i, i] for i in every], -1), jnp.stack(rows, -2)


def _sweeps(n: int) -> int:
    """The number of sweeps: one rotation is exact for a single plane, else convergence becomes quadratic."""
    return 1 if n <= 2 else 6 if n <= 4 else 10


def _planes(n: int) -> np.ndarray:
    """For each pair of axes `p < q`, four matrices with a 1 at `(p, p)`, `(q, q)`, `(p, q)`, `(q, p)`: `(pairs, 4, n, n)`."""
    pairs = list(itertools.combinations(range(n), 2))
    table = np.zeros((len(pairs), 4, n, n))
    for plane, (p, q) in zip(table, pairs, strict=True):
        plane[0, p, p] = plane[1, q, q] = plane[2, p, q] = plane[3, q, p] = 1
    return table


def _tangent(first: Array, second: Array, coupling: Array) -> Array:
    """The tangent of the angle that diagonalises a plane with these entries; zero if it is diagonal already."""
    coupled = coupling != 0
    slope = (second - first) / (2 * jnp.where(coupled, coupling, 1))
    sign = jnp.where(slope < 0, -1, 1).astype(slope.dtype)
    # The square may be infinite; then the quotient is zero, as it should be.
    return jnp.where(coupled, sign / (jnp.abs(slope) + jnp.sqrt(1 + slope**2)), 0)


def _turn_columns(state: Array, plane: Array) -> Array:
    """Rotate a plane so that its off-diagonal entry of the matrix vanishes.

    **Arguments:**

    - `state`: `(..., 2 n, n)`, the matrix stacked above its eigenvectors.
    - `plane`: one of `_planes`.
    """
    n = state.shape[-1]
    pp, qq, pq, qp = plane
    first, second, coupling = (jnp.sum(state[..., :n, :] * entry, (-2, -1)) for entry in (pp, qq, pq))
    tangent = _tangent(first, second, coupling)
    cosine = 1 / jnp.sqrt(1 + tangent**2)
    sine = tangent * cosine
    kept = jnp.eye(n, dtype=state.dtype) - pp - qq
    turn = kept + cosine[..., None, None] * (pp + qq) + sine[..., None, None] * (pq - qp)
    turned = product(state, turn)
    # Set to exactly zero, without rounding errors: the next sweep must not rotate back and forth.
    matrix = product(jnp.swapaxes(turn, -1, -2), turned[..., :n, :]) * (1 - pq - qp)
    return jnp.concatenate([matrix, turned[..., n:, :]], -2)


def _turn_entries(matrix: Entries, vectors: Entries, p: int, q: int) -> tuple[Entries, Entries]:
    """Rotate a plane, with one array for each entry on and above the diagonal and of the eigenvectors."""
    n = 1 + max(i for i, _ in matrix)
    coupling = matrix[p, q]
    tangent = _tangent(matrix[p, p], matrix[q, q], coupling)
    cosine = 1 / jnp.sqrt(1 + tangent**2)
    sine = tangent * cosine
    new, turned = dict(matrix), dict(vectors)
    new[p, p], new[q, q] = matrix[p, p] - tangent * coupling, matrix[q, q] + tangent * coupling
    new[p, q] = jnp.zeros_like(coupling)
    for r in range(n):
        if r not in (p, q):
            rp, rq = (min(r, p), max(r, p)), (min(r, q), max(r, q))
            new[rp] = cosine * matrix[rp] - sine * matrix[rq]
            new[rq] = sine * matrix[rp] + cosine * matrix[rq]
        turned[r, p] = cosine * vectors[r, p] - sine * vectors[r, q]
        turned[r, q] = sine * vectors[r, p] + cosine * vectors[r, q]
    return new, turned


def product(a: AnyArray, b: AnyArray) -> Array:
    """Compute `a b` of small matrices as sums: in full precision everywhere, and fused with the operations around it."""
    return jnp.sum(a[..., :, :, None] * b[..., None, :, :], -2)


def _shapes(matrix: ShapedArray) -> tuple[ShapedArray, ShapedArray]:
    return matrix.update(shape=matrix.shape[:-1], weak_type=False), matrix.update(weak_type=False)


def _batch(operands: Sequence[Array], dims: Sequence[int]) -> tuple[list[Array], tuple[int, int]]:
    # The operation takes any leading axes as a batch.
    return _rotations.bind(jnp.moveaxis(operands[0], dims[0], 0)), (0, 0)


define(
    _rotations,
    in_a_loop,
    _shapes,
    _batch,
    static=(),
    on_platforms=dict.fromkeys(("cuda", "rocm", "tpu"), lambda _: entry_by_entry),
)
