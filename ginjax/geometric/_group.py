r"""The symmetries of the grid and their action on fields."""

import itertools
import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Int, Real, Shaped

from .._jax_internals import is_traced
from ..errors import ArgumentError
from ._arrays import AnyArray

GroupElement = Real[AnyArray, "dim dim"] | Sequence[Sequence[int | float]]
"""A signed permutation matrix: `(g v)_i = sum_j g_ij v_j`."""


def make_C2_group(D: int) -> list[Int[np.ndarray, "dim dim"]]:
    """Make the `2^D` reflections along the axes, as diagonal matrices; the identity comes first."""
    return [np.diag(signs) for signs in itertools.product((1, -1), repeat=D)]


def make_all_operators(D: int) -> list[Int[np.ndarray, "dim dim"]]:
    """Make the `2^D D!` matrices of the hyperoctahedral group `B_D`: every permutation of the axes times every reflection.

    The identity comes first. The permutations are in lexicographic order. For each of them the reflections, which act first,
    are in the order of `make_C2_group`.
    """
    permutations = (np.eye(D, dtype=int)[list(order)] for order in itertools.permutations(range(D)))
    return [permutation @ signs for permutation in permutations for signs in make_C2_group(D)]


def signed_permutation(g: GroupElement, D: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Read a signed permutation matrix as `(source, sign)` with `(g v)_i = sign_i v_{source_i}`.

    **Raises:** `ArgumentError` if `g` is not a signed permutation of `D` axes, or is a traced array.
    """
    if is_traced(g):
        raise ArgumentError(
            "the group element is traced",
            got=g,
            expected="a concrete matrix",
            hint="It decides how axes are permuted, so it must be a constant (NumPy) inside jit and vmap.",
        )
    matrix = np.asarray(g)
    rounded = np.rint(matrix).astype(int) if matrix.shape == (D, D) else np.zeros((D, D), int)
    hits = np.abs(rounded)
    valid = np.array_equal(hits.sum(0), np.ones(D, int)) and np.array_equal(hits.sum(1), np.ones(D, int))
    if not valid or not np.allclose(matrix, rounded, atol=1e-6):
        raise ArgumentError(
            "not a symmetry of the grid",
            got=matrix.tolist(),
            expected=f"a {D} x {D} signed permutation matrix",
            hint="make_all_operators(D) lists them.",
        )
    source = hits.argmax(axis=1)
    return tuple(map(int, source)), tuple(int(rounded[i, j]) for i, j in enumerate(source))


def determinant(source: tuple[int, ...], sign: tuple[int, ...]) -> int:
    """Return the determinant, 1 or -1, of the signed permutation `(source, sign)`."""
    inversions = sum(a > b for a, b in itertools.combinations(source, 2))
    return math.prod(sign) * (-1) ** inversions


def times_group_element(
    D: int,
    data: Shaped[AnyArray, "*leading_field"],
    parity: int,
    gg: GroupElement,
    covariant_axes: Sequence[bool] | None = None,
    precision: object = None,
) -> Shaped[Array, "*leading_moved_field"]:
    r"""Apply a symmetry of the grid to a field.

    $$(g \cdot A)(i) = \det(g)^p \, g^{\otimes k} A(g^{-1} i)$$

    The position `i` is measured from the centre of the grid, which lies between pixels where a side is even. Axes are
    permuted and flipped, so the result is exact. The sides need not be equal; they are permuted too.

    **Arguments:**

    - `D`: the dimension.
    - `data`: `(*leading, *spatial, D, ..., D)`.
    - `parity`: 0, or 1 for fields that are also multiplied by the determinant.
    - `gg`: the group element, a `D x D` signed permutation matrix.
    - `covariant_axes`: one bool for each tensor axis; only their number matters under these symmetries. The axes before the
      spatial ones (batch, channels) stay as they are. None stands for a field without leading axes: then every axis after the
      spatial ones is a tensor axis.
    - `precision`: accepted because callers pass it; nothing is rounded here.

    **Returns:** the transformed field, `(*leading, *permuted spatial, D, ..., D)`.

    **Raises:** `ArgumentError` if `gg` is not a concrete signed permutation, if `data` has too few axes, or if a tensor axis
    is not `D` long.
    """
    del precision
    data = jnp.asarray(data)
    source, sign = signed_permutation(gg, D)
    if covariant_axes is not None and not isinstance(covariant_axes, list | tuple):
        raise ArgumentError(
            "covariant_axes", got=repr(covariant_axes)[:40], expected="one bool for each tensor axis"
        )
    first_tensor = D if covariant_axes is None else data.ndim - len(covariant_axes)
    n_leading = first_tensor - D
    if n_leading < 0 or data.ndim < first_tensor:
        orders = 0 if covariant_axes is None else len(covariant_axes)
        raise ArgumentError("too few axes for a field", got=data.shape, expected=f">= {D + orders} axes")
    if any(length != D for length in data.shape[first_tensor:]):
        raise ArgumentError(
            "tensor axes of the field",
            got=data.shape[first_tensor:],
            expected=f"{data.ndim - first_tensor} of length {D}",
            hint="Say how many axes at the end are tensor axes: covariant_axes=(False,) * k.",
        )

    leading, tensor = range(n_leading), range(first_tensor, data.ndim)
    moved = data.transpose(*leading, *(n_leading + axis for axis in source), *tensor)
    moved = jnp.flip(moved, [n_leading + axis for axis in range(D) if sign[axis] < 0])

    factor = np.asarray(determinant(source, sign) if parity % 2 else 1)
    for axis in tensor:
        factor = np.multiply.outer(factor, sign)
        if source != tuple(range(D)):
            # Slices instead of a matrix product, which accelerators would round.
            moved = jnp.concatenate([lax.slice_in_dim(moved, j, j + 1, axis=axis) for j in source], axis=axis)
    return moved if np.all(factor == 1) else moved * factor.astype(data.dtype)
