"""The acoustic solver against plane waves and the energy of sound."""

import dataclasses
import math

import numpy as np
import pytest
from evolution import advance, coordinates, derivative, divergence

from ginjax.data import PDES

SIDE = 8
PDE = dataclasses.replace(PDES["acoustics"], parameters={"speed_of_sound": 1.5, "density": 2.0})
C, RHO = 1.5, 2.0


@pytest.mark.parametrize("D", [1, 2, 3])
def test_a_plane_wave_travels_at_the_speed_of_sound(D):
    k = 2 * math.pi * np.arange(1, D + 1) / PDE.extent(SIDE)
    size = math.sqrt((k**2).sum())
    along = np.tensordot(k, coordinates(PDE, D, SIDE), 1) + 0.3

    def wave(t, speed=C):
        pressure = np.cos(along - speed * size * t)
        return np.stack([pressure, *(n * pressure / (RHO * C) for n in k / size)])

    after = advance(PDE, D, wave(0).astype(np.float32), steps=3, side=SIDE)[-1]
    t = 3 * PDE.time_step
    np.testing.assert_allclose(after, wave(t), atol=2e-5)
    # control: a speed that is off by a tenth
    assert np.abs(after - wave(t, 1.1 * C)).max() > 0.05


def test_it_satisfies_its_equations(x64):
    start = PDE.initial_state(np.random.default_rng(0), 2, 16).astype(float)
    length, dt = PDE.extent(16), 1e-6
    after = advance(dataclasses.replace(PDE, time_step=dt), 2, start, side=16)[0]
    slope = [-RHO * C**2 * divergence(start[1:], length)]
    slope += [-derivative(start[0], axis, length) / RHO for axis in range(2)]
    np.testing.assert_allclose((after - start) / dt, slope, atol=1e-4 * np.abs(slope).max())


def test_energy_and_vorticity_stay(x64):
    start = PDE.initial_state(np.random.default_rng(1), 3, SIDE).astype(float)
    frames = np.concatenate([start[None], advance(PDE, 3, start, steps=20, side=SIDE)])
    potential = np.square(frames[:, 0]).mean(axis=(1, 2, 3)) / (2 * RHO * C**2)
    kinetic = RHO / 2 * np.square(frames[:, 1:]).sum(axis=1).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(potential + kinetic, potential[0] + kinetic[0], rtol=1e-12)
    assert np.ptp(potential) > 0.1 * potential[0]  # control: neither of the two stays

    def vorticity(v):
        length = PDE.extent(SIDE)
        return derivative(v[1], 0, length) - derivative(v[0], 1, length)

    np.testing.assert_allclose(vorticity(frames[-1, 1:]), vorticity(start[1:]), atol=1e-11)
    assert np.abs(divergence(frames[-1, 1:] - start[1:], PDE.extent(SIDE))).max() > 1


def test_a_step_is_exact_whatever_its_length(x64):
    start = PDE.initial_state(np.random.default_rng(2), 2, SIDE).astype(float)
    long = advance(dataclasses.replace(PDE, time_step=5 * PDE.time_step), 2, start, side=SIDE)[0]
    np.testing.assert_allclose(long, advance(PDE, 2, start, 5, SIDE)[-1], atol=1e-12)
    assert np.abs(long - advance(PDE, 2, start, 4, SIDE)[-1]).max() > 0.1
