"""Groups of signed permutations and how they move pixels.

A signed permutation `g` of the `D` axes is stored as two integer rows: `g e_j = sign[j] e_{perm[j]}`. Pixels have centred
coordinates. On odd sides `M = 2L+1` these are the whole numbers `-L..L`. On even sides they are the odd numbers
`-(M-1)..(M-1)`, which count half-pixels. So every coordinate is an integer, and the group acts on both kinds of grid alike.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ginjax.errors import ArgumentError

GroupName = Literal["hyperoctahedral", "reflections"]


@dataclass(frozen=True)
class Group:
    """A finite group of signed permutations of `D` axes, in closed form or given by its elements.

    For the whole hyperoctahedral group `B_D` `elements` is `None`, because its orbits and stabilisers are known in closed
    form. For any other group it is `(perms, signs)`, each of shape `(order, D)`.
    """

    D: int
    elements: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def order(self) -> int:
        """The number of elements."""
        return 2**self.D * math.factorial(self.D) if self.elements is None else len(self.elements[0])


def hyperoctahedral(D: int) -> Group:
    """Return the group `B_D` of all signed permutations of `D` axes, of order `2^D D!`."""
    return Group(D)


def reflections(D: int) -> Group:
    """Return the group `C2^D` of the sign changes of `D` axes, of order `2^D`."""
    signs = np.array(list(itertools.product((1, -1), repeat=D)), dtype=np.int64).reshape(-1, D)
    return Group(D, (np.broadcast_to(np.arange(D), signs.shape), signs))


def explicit_group(operators: Sequence[np.ndarray]) -> Group:
    """Make a group from its matrices.

    **Arguments:**

    - `operators`: signed permutation matrices, each `(D, D)`, closed under multiplication.

    **Raises:** `ArgumentError` if a matrix is not a signed permutation or the set is not closed.
    """
    matrices = np.asarray([np.asarray(g) for g in operators])
    if matrices.ndim != 3 or len(matrices) == 0 or matrices.shape[1] != matrices.shape[2]:
        raise ArgumentError("operators", got=f"shape {matrices.shape}", expected="one or more D x D matrices")
    whole = np.rint(matrices).astype(np.int64)
    absolute = np.abs(whole)
    is_signed_permutation = (
        np.array_equal(whole, matrices) and np.all(absolute.sum(1) == 1) and np.all(absolute.sum(2) == 1)
    )
    if not is_signed_permutation:
        raise ArgumentError("operators", expected="signed permutation matrices (one +-1 per row and column)")
    members = {g.tobytes() for g in whole}
    if any((a @ b).tobytes() not in members for a in whole for b in whole):
        raise ArgumentError(
            "operators",
            expected="a group: the product of any two operators is an operator",
            hint="Use make_all_operators(D) or make_C2_group(D).",
        )
    perms = absolute.argmax(axis=1)
    signs = np.take_along_axis(whole, perms[:, None, :], axis=1)[:, 0, :]
    return Group(whole.shape[1], (perms, signs))


def determinants(perms: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return the determinants `(n,)` of signed permutations that are given as rows `(n, D)`."""
    D = perms.shape[-1]
    inversions = sum(
        ((perms[..., i] > perms[..., j]).astype(np.int64) for i in range(D) for j in range(i + 1, D)),
        start=np.zeros(perms.shape[:-1], dtype=np.int64),
    )
    return np.where(inversions % 2 == 0, 1, -1) * signs.prod(axis=-1)


def tensor_action(perms: np.ndarray, signs: np.ndarray, k: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Express `det(g)^p g^{(x)k}` by gather indices and signs over the `D^k` components in row-major order.

    **Returns:** `source, sign`, both `(n, D^k)`: the transformed tensor is `sign * tensor[source]`.
    """
    n, D = perms.shape
    inverse = np.argsort(perms, axis=1)
    axis_sign = np.take_along_axis(signs, inverse, axis=1)
    source = np.zeros((n, 1), dtype=np.int64)
    sign = (determinants(perms, signs) if p % 2 else np.ones(n, dtype=np.int64))[:, None]
    for a in range(k):
        source = (source[:, :, None] * D + inverse[:, None, :]).reshape(n, D ** (a + 1))
        sign = (sign[:, :, None] * axis_sign[:, None, :]).reshape(n, D ** (a + 1))
    return source, sign


def signed_cycle_types(D: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """Yield the conjugacy classes of `B_D`: lengths of the positive cycles, lengths of the negative cycles, class size.

    A class has `2^D D! / prod_c (2 len_c) / prod (multiplicities)!` elements.
    """
    order = 2**D * math.factorial(D)
    for n in range(D + 1):
        for positive in _partitions(n):
            for negative in _partitions(D - n):
                centraliser = math.prod(2 * c for c in positive + negative)
                for cycles in (positive, negative):
                    for length in set(cycles):
                        centraliser *= math.factorial(cycles.count(length))
                yield positive, negative, order // centraliser


def _partitions(n: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    if n == 0:
        yield ()
        return
    for first in range(min(n, largest or n), 0, -1):
        for rest in _partitions(n - first, first):
            yield (first, *rest)
