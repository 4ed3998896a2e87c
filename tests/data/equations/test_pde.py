"""The solvers against what is known about the equations."""

import dataclasses
import math

import evolution
import jax
import numpy as np
import pytest
from evolution import moved, rotate
from sweeps import all_but, few, few_rows

from ginjax.data import PDES, find_pde
from ginjax.errors import ArgumentError

SIDE = 8


def advance(pde, D, start, steps=1, side=SIDE):
    """`evolution.advance` in float32."""
    return evolution.advance(pde, D, start.astype(np.float32), steps, side)


@pytest.mark.parametrize("D", [1, 2, 3])
def test_diffusion_of_a_fourier_mode_decays_as_the_heat_equation_says(D):
    pde = PDES["diffusion"]
    mode = np.arange(1, D + 1)
    points = np.arange(SIDE) * pde.spacing
    wavenumber = 2 * math.pi * mode / pde.extent(SIDE)
    grid = np.meshgrid(*[points] * D, indexing="ij")
    start = np.cos(sum(k * x for k, x in zip(wavenumber, grid, strict=True)) + 0.3)[None]
    rate = pde.parameters["diffusivity"] * (wavenumber**2).sum()
    expected = np.exp(-rate * pde.time_step) * start
    after = advance(pde, D, start)[0]
    np.testing.assert_allclose(after, expected, atol=1e-5)
    # control: the same with the diffusivity off by a tenth
    assert np.abs(after - np.exp(-1.1 * rate * pde.time_step) * start).max() > 1e-3


@pytest.mark.parametrize("D", [3, *few(2)])
def test_burgers_commutes_with_rotations(D):
    # In three dimensions this grid is large enough to meet the miscompiled sum described in _burgers_solver.py.
    pde, side = PDES["burgers"], 12
    start = pde.initial_state(np.random.default_rng(0), D, side)
    g = np.roll(np.eye(D, dtype=int), 1, axis=0)
    g[0] *= -1
    after = advance(pde, D, start, side=side)[0]
    rotated = advance(pde, D, rotate(start, g), side=side)[0]
    np.testing.assert_allclose(rotated, rotate(after, g), atol=1e-4)
    # control: moving the pixels without turning the components is no symmetry
    wrong = advance(pde, D, rotate(start, g, turn=False), side=side)[0]
    assert np.abs(wrong - rotate(after, g, turn=False)).max() > 0.05


def test_burgers_obeys_the_maximum_principle_in_three_dimensions():
    pde = PDES["burgers"]
    start = pde.initial_state(np.random.default_rng(7), 3, 12)
    after = advance(pde, 3, start, steps=3, side=12)
    largest = np.abs(after).max(axis=(0, 2, 3, 4))
    assert (largest <= 1.01 * np.abs(start).max(axis=(1, 2, 3))).all()


def test_burgers_satisfies_its_equation():
    pde = PDES["burgers"]
    side = 64
    spacing = pde.spacing / pde.refinement
    points = np.arange(side * pde.refinement) * spacing
    k = 2 * math.pi / pde.extent(side)
    start = np.stack(np.broadcast_arrays(np.sin(k * points)[:, None], np.cos(k * points)[:, None]))
    start = start + np.stack(np.broadcast_arrays(np.cos(k * points)[None], np.sin(k * points)[None]))
    nu, dt = pde.parameters["diffusivity"], pde.time_step / pde.sub_steps
    u, v = start
    d = [lambda f, a=a: (np.roll(f, -1, a) - np.roll(f, 1, a)) / (2 * spacing) for a in (0, 1)]
    slope = np.stack([-(u * d[0](f) + v * d[1](f)) - nu * k**2 * f for f in (u, v)])
    solver = pde.solver(2, side)
    measured = (np.asarray(jax.jit(lambda s: solver.step(s))(start.astype(np.float32))) - start) / dt
    np.testing.assert_allclose(measured, slope, atol=0.03 * np.abs(slope).max())


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("kuramoto-sivashinsky", lambda q: q - q**2),
        ("swift-hohenberg", lambda q: 0.7 - (1 - q) ** 2),
    ],
)
def test_small_waves_grow_as_the_linear_equation_says(name, rate):
    pde, side = PDES[name], 16
    points = np.arange(side * pde.refinement) * pde.spacing / pde.refinement
    k, l = (2 * math.pi * m / pde.extent(side) for m in (1, 2))
    wave = np.cos(k * points[:, None] + l * points[None] + 0.3)[None]
    after = advance(pde, 2, 1e-3 * wave, side=side)[0] / 1e-3
    np.testing.assert_allclose(after, math.exp(rate(k**2 + l**2) * pde.time_step) * wave, atol=3e-3)
    # control: fourth derivatives along the axes only, which leave out the mixed term
    along_axes = math.exp((rate(k**2 + l**2) + 2 * (k * l) ** 2) * pde.time_step)
    assert np.abs(after - along_axes * wave).max() > 0.01


@pytest.mark.parametrize("D", [1, 2, 3])
def test_a_standing_wave_swings_at_the_speed_of_sound(D):
    pde = PDES["wave"]
    points = np.arange(SIDE) * pde.spacing
    wavenumber = 2 * math.pi * np.arange(1, D + 1) / pde.extent(SIDE)
    grid = np.meshgrid(*[points] * D, indexing="ij")
    shape = np.cos(sum(k * x for k, x in zip(wavenumber, grid, strict=True)))
    omega = pde.parameters["speed_of_sound"] * math.sqrt((wavenumber**2).sum())
    # a mean rate of 0.5 besides, which carries the mean height away linearly
    after = advance(pde, D, np.stack([shape, np.full_like(shape, 0.5)]), steps=3)[-1]
    t = 3 * pde.time_step
    np.testing.assert_allclose(after[0], math.cos(omega * t) * shape + 0.5 * t, atol=1e-4)
    np.testing.assert_allclose(after[1], -omega * math.sin(omega * t) * shape + 0.5, atol=1e-4)
    assert np.abs(after[0] - math.cos(1.1 * omega * t) * shape - 0.5 * t).max() > 0.02


@pytest.mark.parametrize(("name", "steps"), [("kuramoto-sivashinsky", 6), ("swift-hohenberg", 24)])
def test_the_error_of_a_step_falls_with_its_square(name, steps):
    pde = PDES[name]
    start = pde.initial_state(np.random.default_rng(0), 1, 32)

    def after(sub_steps):
        finer = dataclasses.replace(pde, time_step=1.2, sub_steps=sub_steps)
        return advance(finer, 1, start, side=32)[0]

    exact = after(8 * steps)
    coarse, fine = (np.abs(after(n) - exact).max() for n in (steps, 2 * steps))
    assert 1.7 < math.log2(coarse / fine) < 2.3


def test_kuramoto_sivashinsky_commutes_with_rotations_and_keeps_its_mean():
    pde, side = PDES["kuramoto-sivashinsky"], 12
    start = pde.initial_state(np.random.default_rng(0), 3, side)
    g = np.roll(np.eye(3, dtype=int), 1, axis=0)
    g[0] *= -1
    after = advance(pde, 3, start, side=side)[0]
    rotated = advance(pde, 3, rotate(start, g, turn=False), side=side)[0]
    np.testing.assert_allclose(rotated, rotate(after, g, turn=False), atol=1e-4)
    assert abs(after.mean() - start.mean()) < 1e-5 < np.abs(after - start).max()


@pytest.mark.parametrize(
    ("name", "D", "side"),
    [
        ("acoustics", 2, 12),
        ("isothermal", 2, 12),
        ("navier-stokes", 3, 6),
        *few_rows(("acoustics", 3, 6), ("isothermal", 3, 6), ("navier-stokes", 2, 12)),
        *(
            (f, D, n)
            for f in ("navier-stokes-forced",)
            for D, n in ((2, 12), (3, 6))
            if D in PDES[f].dimensions
        ),
    ],
)
def test_flows_commute_with_quarter_turns_and_mirrors(name, D, side):
    pde = PDES[name]
    start = pde.initial_state(np.random.default_rng(0), D, side)
    after = advance(pde, D, start, side=side)[0]
    turn, mirror = np.eye(D, dtype=int), np.eye(D, dtype=int)
    turn[:2, :2] = [[0, -1], [1, 0]]
    mirror[0, 0] = -1
    for g in (turn, mirror, np.roll(np.eye(D, dtype=int), 1, axis=0)):
        found = advance(pde, D, moved(pde, start, g), side=side)[0]
        np.testing.assert_allclose(found, moved(pde, after, g), atol=2e-5)
        # control: moving the pixels without turning the vectors is no symmetry
        wrong = advance(pde, D, moved(pde, start, g, turn=False), side=side)[0]
        assert np.abs(wrong - moved(pde, after, g, turn=False)).max() > 0.003


@pytest.mark.slow
@pytest.mark.parametrize("name", PDES)
def test_every_equation_commutes_with_turns_of_a_large_grid(name):
    # More than the 10^4 points from which on the miscompiled sum described in _burgers_solver.py goes wrong.
    pde = PDES[name]
    side = 24 // pde.refinement
    start = pde.initial_state(np.random.default_rng(0), 3, side)
    g = np.roll(np.eye(3, dtype=int), 1, axis=0)
    g[0] *= -1
    after = advance(pde, 3, start, side=side)[0]
    found = advance(pde, 3, moved(pde, start, g), side=side)[0]
    np.testing.assert_allclose(found, moved(pde, after, g), atol=1e-4 * np.abs(after).max())


def embedded(pde, low):
    """A field of one more dimension that does not vary along it, with new components zero; and where the old ones are."""
    D, old, count = low.ndim - 1, [], 0
    for field in pde.fields:
        old += [count + i for i in range(D**field.k)]  # a vector has its new component last
        count += (D + 1) ** field.k
    high = np.zeros((count, *low.shape[1:], low.shape[1]), np.float32)
    high[old] = low[..., None]
    return high, old


SEVERAL = [name for name, pde in PDES.items() if len(pde.dimensions) > 1]
SCALARS = ("fisher-kpp", "allen-cahn", "swift-hohenberg", "diffusion")
"""Their terms are those of Gray-Scott and Kuramoto-Sivashinsky, point by point or derivatives of a scalar."""


@pytest.mark.parametrize("name", all_but(SEVERAL, *SCALARS))
def test_a_field_of_lower_dimension_evolves_the_same_in_a_higher_one(name):
    pde = PDES[name]
    D = pde.dimensions[0]
    side = 16 if D == 1 else 6
    low = pde.initial_state(np.random.default_rng(1), D, side)
    high, old = embedded(pde, low)
    new = [i for i in range(len(high)) if i not in old]
    after_low, after_high = advance(pde, D, low, 2, side), advance(pde, D + 1, high, 2, side)
    expected = np.repeat(after_low[..., None], low.shape[1], -1)
    np.testing.assert_allclose(after_high[:, old], expected, atol=1e-4)
    np.testing.assert_allclose(after_high[:, new], 0, atol=1e-5)
    # control: the same at the origin of the added axis, but a field that varies along it
    high[old] *= 0.7 + 0.3 * np.cos(np.arange(low.shape[1]) * 2 * math.pi / low.shape[1])
    assert np.abs(advance(pde, D + 1, high, 2, side)[:, old[0], ..., 0] - after_low[:, 0]).max() > 5e-3


def test_unknown_equation_is_refused_with_the_choices():
    with pytest.raises(ArgumentError, match=r"'heat'.*diffusion.*burgers"):
        find_pde("heat")
