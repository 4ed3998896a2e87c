"""The symmetries of filters, measured on the arrays themselves."""

import itertools
import math
from collections.abc import Iterator, Mapping

import numpy as np

from ._bank import FilterKey
from ._group import tensor_action
from ._match import MATCH_TOLERANCE

MAX_ENUMERATED = 4
"""The largest dimension in which every signed permutation is tried; above it only generators are tried."""


def symmetries(D: int, blocks: Mapping[FilterKey, np.ndarray]) -> int:
    """Count the signed permutations `g` of the axes under which every filter is invariant.

    That is `det(g)^p g^{(x)k} F(g^-1 x) = F(x)` for every filter `F` of order `k` and parity `p`. There are `2^D D!` signed
    permutations in all; the result 1 means that the filters have no symmetry.

    **Arguments:**

    - `D`: the dimension.
    - `blocks`: filters `(n, *(M,)*D, *(D,)*k)` by `(order, parity)`.

    **Returns:** the number of symmetries. Above `MAX_ENUMERATED` dimensions it is the product of `2^D`, if the filters are
    invariant under every sign change of an axis, and `D!`, if they are invariant under every exchange of neighbouring axes.
    """
    filters = {key: np.asarray(array, np.float64) for key, array in blocks.items() if len(array)}
    if D <= MAX_ENUMERATED:
        return sum(all(_keeps(array, key, *g) for key, array in filters.items()) for g in _elements(D))
    names = tuple(range(D))
    flips = [(names, tuple(-1 if i == axis else 1 for i in names)) for axis in names]
    swaps = [((*names[:i], i + 1, i, *names[i + 2 :]), (1,) * D) for i in range(D - 1)]
    order = 1
    for generators, count in ((flips, 2**D), (swaps, math.factorial(D))):
        if all(_keeps(array, key, *g) for g in generators for key, array in filters.items()):
            order *= count
    return order


def _elements(D: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    return itertools.product(itertools.permutations(range(D)), itertools.product((1, -1), repeat=D))


def _keeps(array: np.ndarray, key: FilterKey, perm: tuple[int, ...], sign: tuple[int, ...]) -> bool:
    """Whether filters are invariant under a signed permutation, up to the rounding in files."""
    (k, p), D = key, len(perm)
    inverse = np.argsort(perm)
    moved = np.transpose(array, (0, *(1 + inverse), *range(1 + D, 1 + D + k)))
    moved = np.flip(moved, tuple(1 + perm[j] for j in range(D) if sign[j] < 0))
    source, signs = tensor_action(np.array([perm]), np.array([sign]), k, p)
    moved = signs[0] * moved.reshape(*array.shape[: 1 + D], D**k)[..., source[0]]
    flat = array.reshape(moved.shape)
    largest = np.abs(flat).max(axis=tuple(range(1, flat.ndim)), keepdims=True, initial=0.0)
    return bool((np.abs(moved - flat) <= MATCH_TOLERANCE * largest).all())
