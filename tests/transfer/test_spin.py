import itertools

import numpy as np
import pytest
from filters.by_hand import act, operators
from transfer.by_hand import make_pair

from ginjax.filters import BankRecipe, pixel_coordinates
from ginjax.transfer import FilterPair, make_rule, spin_target

CASES = [
    (dims, side, k)
    for dims, side, k in itertools.product(((1, 2), (2, 3), (1, 3)), (2, 3, 4, 5), (0, 1, 2))
    if side ** dims[1] * 3**k <= 1200
]


def shaped(pair: FilterPair) -> np.ndarray:
    k = pair.k_in + pair.k_out
    return spin_target(pair).reshape(len(pair.old), *(pair.side,) * pair.D_new, *(pair.D_new,) * k)


def average_carried(filters: np.ndarray, source: np.ndarray, D: int, k: int, p: int) -> np.ndarray:
    """At each pixel the mean over the group of what it carries there from the pixels marked in `source`."""
    marked = filters * source.reshape(1, *source.shape, *(1,) * k)
    total = sum(act(g, marked, k, p) for g in operators(D))
    times = sum(act(g, source[None].astype(int), 0, 0) for g in operators(D)).reshape(
        1, *source.shape, *(1,) * k
    )
    return np.where(times == 0, 0.0, total / np.maximum(times, 1))


def by_definition(pair: FilterPair) -> np.ndarray:
    D, D_new, side, k = pair.D_old, pair.D_new, pair.side, pair.k_in + pair.k_out
    grid = pixel_coordinates(D_new, side).reshape(*(side,) * D_new, D_new)
    size = np.abs(grid)
    padded = np.zeros((len(pair.old), *(side,) * D_new, *(D_new,) * k))
    padded[(..., *(slice(0, D),) * k)] = pair.old.filters.reshape(
        len(pair.old), *(side,) * D, *(1,) * (D_new - D), *(D,) * k
    )
    if side % 2 == 0:  # from the pixels whose coordinates are in descending order, so the largest come first
        return average_carried(padded, (np.diff(size) <= 0).all(axis=-1), D_new, k, pair.p)
    psi = average_carried(padded, (size[..., D:] == 0).all(axis=-1), D_new, k, pair.p)
    for j in range(D + 1, D_new + 1):
        for pixel in np.argwhere((size > 0).sum(axis=-1) == j):

            def mean(q, pixel=pixel):
                """Over the pixels that keep `q` of the non-zero coordinates."""
                occupied = np.flatnonzero(pixel != side // 2)
                kept = [np.isin(range(D_new), c) for c in itertools.combinations(occupied, q)]
                return np.mean([psi[(slice(None), *np.where(c, pixel, side // 2))] for c in kept], axis=0)

            psi[(slice(None), *pixel)] = mean(1) if D == 1 else 2 * mean(j - 1) - mean(j - 2)
    return psi


@pytest.mark.parametrize(("dims", "side", "k"), CASES)
def test_the_definition(dims, side, k):
    for k_in in range(k + 1):
        pair = make_pair(BankRecipe(side), dims, (k_in, k - k_in))
        np.testing.assert_allclose(shaped(pair), by_definition(pair), atol=1e-14)


@pytest.mark.parametrize(("dims", "side", "k"), CASES)
@pytest.mark.parametrize("p", [0, 1])
def test_invariance_under_the_whole_group(dims, side, k, p):
    pair = make_pair(BankRecipe(side), dims, (0, k), p)
    target = shaped(pair)
    for g in operators(dims[1]):
        np.testing.assert_allclose(act(g, target, k, p), target, atol=1e-14)
    if np.abs(target).max(initial=0.0) > 0:
        assert any(not np.allclose(act(g, target, k, 1 - p), target) for g in operators(dims[1]))


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize(("dims", "side"), [((1, 2), 5), ((2, 3), 3), ((2, 3), 5), ((1, 3), 3)])
def test_on_the_old_plane_it_is_the_old_filter(dims, side, k):
    pair = make_pair(BankRecipe(side), dims, (0, k))
    D, n = dims[0], dims[1] - dims[0]
    plane = shaped(pair)[(slice(None), *(slice(None),) * D, *(side // 2,) * n)]
    np.testing.assert_allclose(plane[(..., *(slice(0, D),) * k)], pair.old.filters, atol=1e-15)
    assert k == 0 or not plane[..., D:].any()


def test_a_five_point_laplacian_stays_one():
    pair = make_pair(BankRecipe(3), (2, 3), (0, 0))
    seven_point = np.array([-4.0, 1.0, 0.0]) @ spin_target(pair).reshape(3, 27)
    # Corners continue linearly: face 1, edge 0, so the corner would be 2 * 0 - 1.
    wanted = {0: -4.0, 1: 1.0, 2: 0.0, 3: -1.0}
    for value, pixel in zip(seven_point, pixel_coordinates(3, 3), strict=True):
        assert value == pytest.approx(wanted[np.count_nonzero(pixel)])


@pytest.mark.parametrize("side", [2, 4])
def test_on_even_sides_flex_has_no_effect(side):
    for dims, orders in itertools.product(((1, 2), (2, 3)), ((0, 0), (1, 1))):
        pair = make_pair(BankRecipe(side), dims, orders)
        weights = np.ones((1, 1, len(pair.old)))
        at = [make_rule("compat-flex", t)(weights, pair) for t in (0.0, 0.5, 1.0)]
        np.testing.assert_allclose(at[0], at[2], atol=1e-12)
        np.testing.assert_allclose(at[1], at[2], atol=1e-12)


# --- filters that know reflections only ------------------------------------------------------------------------------

REFLECTIONS = [((2, 3), 3, 0, 0), ((2, 3), 3, 1, 0), ((2, 3), 3, 2, 1), ((2, 3), 5, 1, 1), ((3, 4), 3, 1, 0)]


@pytest.mark.parametrize(("dims", "side", "k", "p"), REFLECTIONS)
def test_filters_that_treat_axes_differently(dims, side, k, p):
    pair = make_pair(BankRecipe(side, group="reflections"), dims, (0, k), p)
    (D, D_new), target = dims, shaped(pair)
    assert len(pair.old) > len(make_pair(BankRecipe(side), dims, (0, k), p).old)
    for g in operators(D_new):
        if np.count_nonzero(np.diag(g)) == D_new:
            np.testing.assert_allclose(act(g, target, k, p), target, atol=1e-14)
    # On the old plane the filter itself ...
    plane = target[(slice(None), *(slice(None),) * D, *(side // 2,) * (D_new - D))]
    np.testing.assert_array_equal(plane[(..., *(slice(0, D),) * k)], (1 - p) * pair.old.filters)
    # ... and beside it, as far as something can be carried there, the mean of all that the group carries.
    size = np.abs(pixel_coordinates(D_new, side).reshape(*(side,) * D_new, D_new))
    padded = np.zeros_like(target)
    padded[(..., *(slice(0, D),) * k)] = pair.old.filters.reshape(
        len(pair.old), *(side,) * D, *(1,) * (D_new - D), *(D,) * k
    ) * (size[..., D:] == 0).all(axis=-1).reshape(1, *(side,) * D_new, *(1,) * k)
    carried = average_carried(padded, (size[..., D:] == 0).all(axis=-1), D_new, k, p)
    beside = (size[..., D:] != 0).any(axis=-1) & ((size > 0).sum(axis=-1) <= D)
    np.testing.assert_allclose(target[:, beside], carried[:, beside], atol=1e-14)
    # Control: it is not the target of the averaged filter, unless reflections leave nothing on the plane.
    assert np.allclose(target, carried) == bool(p)
