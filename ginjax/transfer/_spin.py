r"""The spin target: the filter that a converted one should resemble where (C) leaves freedom.

On a pixel with at most `D` non-zero coordinates, the target is the value of the old filter carried there by the group,
zero-padded and averaged over the stabiliser of the pixel. On a pixel with `j > D` non-zero coordinates, the target continues
linearly in the number of non-zero coordinates, `2 m_{j-1} - m_{j-2}`. Here `m_q` is the mean of the target over
the pixels that result from setting coordinates to zero until `q` are left (from one dimension, `m_1` alone is used). On even
sides no coordinate is zero, and the value at the `D` largest coordinates is used.

Filters that are invariant under reflections alone may treat their axes differently. Then the group can carry a
value to a pixel in several ways, and their mean is taken. It is the target of the filter averaged over exchanges of
axes. On pixels whose new coordinates are zero, the target is the old filter itself.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from ginjax.filters import (
    Orbit,
    hyperoctahedral,
    pixel_coordinates,
    pixel_orbits,
    signed_orbit_sums,
    tensor_action,
)

from ._system import FilterPair


def spin_target(pair: FilterPair) -> np.ndarray:
    """The target for each old filter, `(n_old, M^D_new, D_new^k)`, linear in the filter, float64."""
    D, D_new, side, p = pair.D_old, pair.D_new, pair.side, pair.p
    k = sum(pair.orders_new)
    n_old = len(pair.old)
    given = pair.old.filters
    symmetric = _averaged_over_exchanges(given, D, p)
    old = symmetric.reshape(n_old, side**D, D ** (pair.k_in + pair.k_out))
    target = np.zeros((n_old, side**D_new, D_new**k))
    k_out_new = pair.orders_new[1]
    place = (pair.input_components[:, None] * D_new**k_out_new + pair.output_components).reshape(-1)
    orbits = pixel_orbits(hyperoctahedral(D_new), side)
    for orbit in sorted(orbits, key=_non_zero):
        if side % 2 == 0 or _non_zero(orbit) <= D:
            value = np.zeros((n_old, D_new**k))
            value[:, place] = old[:, _position(orbit.representative[:D], side)]
        else:
            value = _continued(orbit, target, D, side)
        value = _average_over_stabiliser(orbit, value, k, p)
        source, sign = tensor_action(orbit.perms, orbit.signs, k, p)
        target[:, orbit.positions] = value[:, source] * sign
    if side % 2 and symmetric is not given:
        _set_old_plane(target, pair, place)
    return target


def _averaged_over_exchanges(filters: np.ndarray, D: int, p: int) -> np.ndarray:
    """The mean of filters `(n, *(M,)*D, D, ..., D)` over exchanges of axes; the same array if these change nothing."""
    if treats_axes_alike(filters, D, p):
        return filters
    orders = itertools.permutations(range(D))
    return np.mean([_exchanged(filters, D, p, order) for order in orders], axis=0)


def treats_axes_alike(filters: np.ndarray, D: int, p: int) -> bool:
    """Whether exchanges of axes leave filters `(n, *(M,)*D, D, ..., D)` of parity `p` unchanged."""
    return all(np.allclose(filters, _exchanged(filters, D, p, order), atol=1e-12) for order in _neighbours(D))


def _neighbours(D: int) -> Iterator[tuple[int, ...]]:
    """The transpositions of neighbours, which generate all exchanges."""
    for i in range(D - 1):
        yield (*range(i), i + 1, i, *range(i + 2, D))


def _exchanged(filters: np.ndarray, D: int, p: int, order: tuple[int, ...]) -> np.ndarray:
    """Filters after an exchange of axes, which moves pixels and components alike."""
    tensor_axes = range(1 + D, filters.ndim)
    moved = np.transpose(filters, (0, *(1 + axis for axis in order), *tensor_axes))
    for axis in tensor_axes:
        moved = np.take(moved, order, axis)
    return moved * np.linalg.det(np.eye(D)[list(order)]).round() ** p


def _set_old_plane(target: np.ndarray, pair: FilterPair, place: np.ndarray) -> None:
    """Put the old filters themselves, zero-padded, on the pixels whose new coordinates are zero.

    This is not done if the reflection of a new axis, which does not move those pixels, would change the sign of the values there.
    """
    if (pair.p + pair.lift_in + pair.lift_out) % 2:
        return
    n_old, side, D = len(pair.old), pair.side, pair.D_old
    plane = target.reshape(n_old, side**D, *(side,) * (pair.D_new - D), -1)
    plane = plane[(slice(None), slice(None), *(side // 2,) * (pair.D_new - D))]
    plane[...] = 0.0
    plane[..., place] = pair.old.filters.reshape(n_old, side**D, len(place))


def corner_pixels(pair: FilterPair) -> np.ndarray:
    """Row-major mask `(M^D_new,)` of the pixels with more than `D_old` non-zero coordinates."""
    pixels = pixel_coordinates(pair.D_new, pair.side)
    if pair.side % 2 == 0:
        return np.zeros(len(pixels), dtype=bool)
    return (pixels != 0).sum(axis=1) > pair.D_old


def _non_zero(orbit: Orbit) -> int:
    return sum(c != 0 for c in orbit.representative)


def _position(pixel: tuple[int, ...], side: int) -> int:
    """Row-major index of a pixel given by centred coordinates."""
    steps = [c + side // 2 if side % 2 else (c + side - 1) // 2 for c in pixel]
    return sum(s * side ** (len(steps) - 1 - i) for i, s in enumerate(steps))


def _continued(orbit: Orbit, target: np.ndarray, D: int, side: int) -> np.ndarray:
    """`2 m_{j-1} - m_{j-2}` from the values on pixels with fewer non-zero coordinates."""
    j = _non_zero(orbit)

    def mean(q: int) -> np.ndarray:
        pixels = [
            tuple(c if i in kept else 0 for i, c in enumerate(orbit.representative))
            for kept in itertools.combinations(range(j), q)
        ]
        return target[:, [_position(pixel, side) for pixel in pixels]].mean(axis=1)

    return mean(1) if D == 1 else 2 * mean(j - 1) - mean(j - 2)


def _average_over_stabiliser(orbit: Orbit, value: np.ndarray, k: int, p: int) -> np.ndarray:
    """Project tensors `(n, D^k)` onto those that are invariant under the stabiliser."""
    perms, signs = orbit.stabiliser
    source, sign = tensor_action(perms, signs, k, p)
    sums = signed_orbit_sums(source, sign, value.shape[1])
    if len(sums) == 0:
        return np.zeros_like(value)
    return (value @ sums.T / (sums**2).sum(axis=1)) @ sums
