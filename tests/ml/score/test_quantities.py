"""Physical quantities against what is known of simple fields."""

import math

import numpy as np
import pytest

from ginjax.ml import quantities

SPACING = 0.25


def grid(*sides):
    return np.stack(np.meshgrid(*[SPACING * np.arange(n) for n in sides], indexing="ij"))


def one(field, is_torus=None):
    """The quantities of one vector field `(components, *grid)`."""
    D = field.ndim - 1
    values = np.moveaxis(field, 0, -1)[None]
    found = quantities(values, D, spacing=SPACING, is_torus=(True,) * D if is_torus is None else is_torus)
    return {name: pytest.approx(float(value[0]), abs=1e-12) for name, value in found.items()}


@pytest.mark.parametrize("D", [2, 3])
def test_a_shear_flow_turns_and_has_no_divergence(D):
    x, y, *_ = grid(*[8, 12, 6][:D])
    k = 2 * math.pi / (12 * SPACING)
    flow = np.stack([np.sin(k * y), *np.zeros((D - 1, *x.shape))])
    assert one(flow) == {"energy": 0.25, "divergence": 0, "enstrophy": k**2 / 4}


def test_a_sound_wave_has_divergence_and_does_not_turn():
    (x, _) = grid(8, 6)
    k = 2 * math.pi / (8 * SPACING)
    flow = np.stack([2 * np.sin(k * x), 0 * x])
    assert one(flow) == {"energy": 1, "divergence": 2 * k / math.sqrt(2), "enstrophy": 0}
    assert set(one(flow[:1, :, 0])) == {"energy", "divergence"}  # nothing turns in one dimension


def test_axes_that_are_not_periodic_have_differences():
    x, y = grid(5, 7)
    flow = np.stack([3 * x - 2 * y, x + y])
    expected = {"energy": np.square(flow).sum(axis=0).mean() / 2, "divergence": 4, "enstrophy": 4.5}
    assert one(flow, (False, False)) == expected
    assert one(flow) != expected  # control: as if it were periodic


def test_the_shortest_wave_has_no_derivative():
    flow = np.stack([(-1.0) ** np.arange(6)])
    assert one(flow) == {"energy": 0.5, "divergence": 0}


def test_what_a_field_has_depends_on_its_order_and_on_what_is_known():
    known = {"spacing": SPACING, "is_torus": (True, True)}
    scalars = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_allclose(quantities(scalars, 2, **known)["mean"], [5.5, 17.5])
    assert quantities(np.ones((1, 3, 4, 2, 2)), 2, **known) == {}
    assert set(quantities(np.ones((1, 3, 4, 2)), 2, spacing=None, is_torus=(True, True))) == {"energy"}
    lost = quantities(np.full((1, 3, 4, 2), np.inf, np.float32), 2, **known)
    assert not any(np.isfinite(value).any() for value in lost.values())


def test_quantities_do_not_depend_on_the_orientation():
    flow = np.random.default_rng(0).normal(size=(1, 6, 6, 2))
    turned = np.rot90(flow, axes=(1, 2))[..., ::-1] * [-1, 1]
    known = {"spacing": SPACING, "is_torus": (True, True)}
    before, after = (quantities(each, 2, **known) for each in (flow, turned))
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-12)
    # control: turning the pixels alone
    wrong = quantities(np.rot90(flow, axes=(1, 2)), 2, **known)
    assert abs(wrong["divergence"] / before["divergence"] - 1) > 1e-3
