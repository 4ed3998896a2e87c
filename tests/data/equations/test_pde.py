"""The solvers against what is known about the equations."""

import dataclasses
import itertools
import math

import jax
import numpy as np
import pytest

from ginjax.data import PDES, find_pde
from ginjax.data.sources._simulated import rollout
from ginjax.errors import ArgumentError

SIDE = 8


def advance(pde, D, start, steps=1, side=SIDE):
    """The frames that follow `start`, `(steps, components, *solver grid)`."""
    frames = rollout(pde.solver(D, side), start.astype(np.float32), steps, pde.sub_steps)
    return np.asarray(frames)[1:]


def rotate(state, g, turn=True):
    """`(g.u)(x) = g u(g^-1 x)` on a periodic grid with a point at the origin, pixel by pixel."""
    D, side = len(g), state.shape[-1]
    result = np.empty_like(state)
    for x in itertools.product(range(side), repeat=D):
        value = state[(slice(None), *(g.T @ x % side))]
        result[(slice(None), *x)] = g @ value if turn else value
    return result


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


@pytest.mark.parametrize("D", [2, 3])
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


@pytest.mark.parametrize("name", PDES)
def test_a_one_dimensional_field_evolves_the_same_in_two_dimensions(name):
    pde = PDES[name]
    low = pde.initial_state(np.random.default_rng(1), 1, 16)
    high = np.zeros((pde.components(2), *(low.shape[1],) * 2), np.float32)
    # Every field of these equations is a scalar or, for Burgers, one vector: old components come first.
    high[: len(low)] = low[:, :, None]
    after_low, after_high = advance(pde, 1, low, 2, 16), advance(pde, 2, high, 2, 16)
    np.testing.assert_allclose(
        after_high[:, : len(low)], np.repeat(after_low[..., None], low.shape[1], -1), atol=1e-4
    )
    np.testing.assert_allclose(after_high[:, len(low) :], 0, atol=1e-5)
    # control: the same line at the origin, but a field that varies along the added axis
    high[: len(low)] *= np.cos(np.arange(low.shape[1]) * 2 * math.pi / low.shape[1])
    assert np.abs(advance(pde, 2, high, 2, 16)[:, 0, :, 0] - after_low[:, 0]).max() > 1e-2


def test_unknown_equation_is_refused_with_the_choices():
    with pytest.raises(ArgumentError, match=r"'heat'.*diffusion.*burgers"):
        find_pde("heat")
