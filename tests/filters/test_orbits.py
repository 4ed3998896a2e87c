import numpy as np
import pytest
from filters.by_hand import operators

from ginjax.filters import (
    Group,
    explicit_group,
    hyperoctahedral,
    pixel_coordinates,
    pixel_orbits,
    reflections,
)


def moved(group: Group, perms: np.ndarray, signs: np.ndarray, pixel) -> np.ndarray:
    """`g x` for each element `g e_j = sign[j] e_{perm[j]}`."""
    images = np.zeros_like(perms)
    np.put_along_axis(images, perms, signs * np.asarray(pixel), axis=1)
    return images


@pytest.mark.parametrize(("side", "axis"), [(1, [0]), (2, [-1, 1]), (3, [-1, 0, 1]), (4, [-3, -1, 1, 3])])
def test_coordinates(side, axis):
    assert pixel_coordinates(1, side)[:, 0].tolist() == axis
    np.testing.assert_array_equal(
        pixel_coordinates(2, side), [(a, b) for a in axis for b in axis]
    )  # row-major


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("D", [1, 2, 3])
@pytest.mark.parametrize("make", [hyperoctahedral, reflections, lambda D: explicit_group(operators(D))])
def test_orbits_partition_the_grid(make, D, side):
    group, pixels = make(D), pixel_coordinates(D, side)
    orbits = pixel_orbits(group, side)
    assert sorted(np.concatenate([o.positions for o in orbits]).tolist()) == list(range(side**D))
    radii = [(sum(c * c for c in o.representative), o.representative) for o in orbits]
    assert radii == sorted(radii)
    for orbit in orbits:
        np.testing.assert_array_equal(
            moved(group, orbit.perms, orbit.signs, orbit.representative), pixels[orbit.positions]
        )
        fixed = moved(group, *orbit.stabiliser, orbit.representative)
        np.testing.assert_array_equal(fixed, np.broadcast_to(orbit.representative, fixed.shape))


@pytest.mark.parametrize("side", [2, 3, 5])
@pytest.mark.parametrize("D", [1, 2, 3])
def test_the_closed_form_agrees_with_enumeration(D, side):
    closed = pixel_orbits(hyperoctahedral(D), side)
    listed = pixel_orbits(explicit_group(operators(D)), side)
    assert [o.representative for o in closed] == [o.representative for o in listed]
    for a, b in zip(closed, listed, strict=True):
        assert a.positions.tolist() == b.positions.tolist()
        # Orbit and stabiliser: the sizes multiply to the order of the group.
        assert len(b.positions) * len(b.stabiliser[0]) == len(operators(D))
