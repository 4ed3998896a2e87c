"""Orbits of the pixels of an `M^D` grid under a group of signed permutations."""

from dataclasses import dataclass

import numpy as np

from ._group import Group


@dataclass(frozen=True)
class Orbit:
    """One orbit of pixels.

    **Arguments:**

    - `representative`: the pixel of the orbit whose coordinates are lexicographically largest (for `B_D` their absolute
      values in descending order).
    - `positions`: `(n,)`, the row-major indices of the pixels in the grid.
    - `perms, signs`: `(n, D)`, for each pixel a group element that carries the representative to it.
    - `stabiliser`: `(perms, signs)`, generators of the subgroup that leaves the representative in place.
    """

    representative: tuple[int, ...]
    positions: np.ndarray
    perms: np.ndarray
    signs: np.ndarray
    stabiliser: tuple[np.ndarray, np.ndarray]


def pixel_coordinates(D: int, side: int) -> np.ndarray:
    """Return the centred integer coordinates `(M^D, D)` of the grid, row-major (in half-pixels on even sides)."""
    axis = np.arange(side) - (side - 1) // 2 if side % 2 else 2 * np.arange(side) - (side - 1)
    return np.stack(np.meshgrid(*[axis] * D, indexing="ij"), axis=-1).reshape(-1, D)


def pixel_unit(side: int) -> float:
    """Return the length of one coordinate step in pixels: 1 on odd sides, 1/2 on even sides."""
    return 1.0 if side % 2 else 0.5


def pixel_orbits(group: Group, side: int) -> list[Orbit]:
    """Compute the orbits of the `side^D` grid, ordered by squared radius and then by representative."""
    pixels = pixel_coordinates(group.D, side)
    found = _closed_form(pixels) if group.elements is None else _by_enumeration(pixels, group.elements, side)
    return sorted(found, key=lambda o: (sum(c * c for c in o.representative), o.representative))


def _closed_form(pixels: np.ndarray) -> list[Orbit]:
    """Orbits of `B_D`: two pixels are in one orbit if their sorted absolute coordinates agree."""
    absolute = np.abs(pixels)
    perms = np.argsort(-absolute, axis=1, kind="stable")
    sorted_absolute = np.take_along_axis(absolute, perms, axis=1)
    signs = np.where(np.take_along_axis(pixels, perms, axis=1) < 0, -1, 1)
    representatives, orbit_of = np.unique(sorted_absolute, axis=0, return_inverse=True)
    orbit_of = orbit_of.reshape(-1)
    orbits = []
    for i, representative in enumerate(representatives):
        members = np.flatnonzero(orbit_of == i)
        orbits.append(
            Orbit(
                tuple(int(c) for c in representative),
                members,
                perms[members],
                signs[members],
                _stabiliser_generators(representative),
            )
        )
    return orbits


def _stabiliser_generators(representative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transpositions of neighbouring equal coordinates, and one sign change if a coordinate is zero."""
    D = len(representative)
    perms, signs = [], []
    for j in range(D - 1):
        if representative[j] == representative[j + 1]:
            perm = np.arange(D)
            perm[[j, j + 1]] = j + 1, j
            perms.append(perm)
            signs.append(np.ones(D, dtype=np.int64))
    if representative[-1] == 0:
        sign = np.ones(D, dtype=np.int64)
        sign[-1] = -1
        perms.append(np.arange(D))
        signs.append(sign)
    return np.array(perms, dtype=np.int64).reshape(-1, D), np.array(signs, dtype=np.int64).reshape(-1, D)


def _by_enumeration(pixels: np.ndarray, elements: tuple[np.ndarray, np.ndarray], side: int) -> list[Orbit]:
    """Orbits of a group given by its elements."""
    perms, signs = elements
    D = pixels.shape[1]
    step = 1 if side % 2 else 2
    place = side ** np.arange(D - 1, -1, -1)
    inverse = np.argsort(perms, axis=1)
    axis_sign = np.take_along_axis(signs, inverse, axis=1)
    seen = np.zeros(len(pixels), dtype=bool)
    orbits = []
    for start in np.lexsort((pixels * -1).T[::-1]):
        if seen[start]:
            continue
        images = axis_sign * pixels[start][inverse]
        positions = ((images - pixels[0]) // step) @ place
        members, first = np.unique(positions, return_index=True)
        seen[members] = True
        fixed = positions == start
        orbits.append(
            Orbit(
                tuple(int(c) for c in pixels[start]),
                members,
                perms[first],
                signs[first],
                (perms[fixed], signs[fixed]),
            )
        )
    return orbits
