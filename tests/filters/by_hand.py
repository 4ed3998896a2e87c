"""The group and its action on filters, restated from the definition and independent of the library."""

import itertools

import numpy as np


def operators(D: int) -> list[np.ndarray]:
    """All signed permutation matrices: `B_D`."""
    eye = np.eye(D, dtype=int)
    return [
        eye[:, list(perm)] * signs
        for perm in itertools.permutations(range(D))
        for signs in itertools.product((1, -1), repeat=D)
    ]


def act(g: np.ndarray, filters: np.ndarray, k: int, p: int) -> np.ndarray:
    """`(g.C)(x) = det(g)^p g^{(x)k} C(g^{-1} x)` for each of `(n, *(M,)*D, *(D,)*k)`, by moving and flipping axes."""
    D = len(g)
    lands_on, sign = np.abs(g).argmax(axis=0), g.sum(axis=0)  # g e_j = sign[j] e_{lands_on[j]}
    comes_from = np.argsort(lands_on)
    moved = filters.transpose(0, *(1 + comes_from), *range(1 + D, 1 + D + k))
    moved = np.flip(moved, [1 + lands_on[j] for j in range(D) if sign[j] < 0])
    for axis in range(1 + D, 1 + D + k):
        moved = np.moveaxis(np.tensordot(moved, g, (axis, 1)), -1, axis)
    return round(np.linalg.det(g)) ** p * moved
