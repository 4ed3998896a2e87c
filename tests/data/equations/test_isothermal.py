"""The solver of isothermal flow against its equations, sound waves, conservation laws and its own refinement."""

import dataclasses
import math

import numpy as np
import pytest
from evolution import advance, coordinates, derivative, divergence, laplacian, on_finer_grid
from sweeps import few

from ginjax.data import PDES, generate

PDE = PDES["isothermal"]
MU = PDE.parameters["viscosity"]


@pytest.fixture
def start():
    return PDE.initial_state(np.random.default_rng(0), 2, 12).astype(float)


def test_it_satisfies_its_equations_in_primitive_form(x64, start):
    # `u_t + (u . grad) u = (-grad(rho) + mu (Lap(u) + grad(div u) / 3)) / rho`, from smooth fields on a fine grid
    length, dt = PDE.extent(12), 1e-6
    fine = on_finer_grid(start, 72)
    rho, u = fine[0], fine[1:]
    slopes = [-divergence(rho * u, length)]
    for i in range(2):
        force = MU * (laplacian(u[i], length) + derivative(divergence(u, length), i, length) / 3)
        force = force - derivative(rho, i, length)
        slopes.append(force / rho - sum(u[j] * derivative(u[i], j, length) for j in range(2)))
    pde = dataclasses.replace(PDE, time_step=dt, sub_steps=1, spacing=PDE.spacing / 6, refinement=1)
    found = (advance(pde, 2, fine, side=72)[0] - fine) / dt
    for mine, theirs in zip(found, slopes, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3 * np.abs(theirs).max())


@pytest.mark.parametrize("D", [1, 2, *few(3)])
def test_a_sound_wave_of_small_amplitude_travels_and_decays(D, x64):
    side, size, small = 8, 2 * math.pi / PDE.extent(8) * math.sqrt(D), 1e-6
    along = size / math.sqrt(D) * coordinates(PDE, D, side).sum(axis=0)

    def wave(t, mu=MU):
        # amplitudes of density and of the velocity along the wave vector, one standing wave each
        rates = np.array([[0, -1j * size], [-1j * size, -4 / 3 * mu * size**2]])
        values, vectors = np.linalg.eig(rates)
        rho, u = vectors @ (np.exp(values * t) * np.linalg.solve(vectors, [1, 0]))
        waves = [(each * np.exp(1j * along)).real for each in (rho, *[u / math.sqrt(D)] * D)]
        return np.stack(waves)

    still = np.zeros((1 + D, *along.shape))
    still[0] = 1
    after = advance(PDE, D, still + small * wave(0), steps=4, side=side)[-1]
    found, t = (after - still) / small, 4 * PDE.time_step
    np.testing.assert_allclose(found, wave(t), atol=1e-5)
    # control: a viscosity that is off by a tenth
    assert np.abs(found - wave(t, 1.1 * MU)).max() > 1e-3


def test_mass_and_momentum_stay(x64):
    start = PDE.initial_state(np.random.default_rng(1), 3, 8).astype(float)
    after = advance(PDE, 3, start, steps=4)[-1]
    mean = {name: np.mean(values) for name, values in (("before", start[0]), ("after", after[0]))}
    assert abs(mean["after"] - mean["before"]) < 1e-13
    momentum = [(each[0] * each[1:]).mean(axis=(1, 2, 3)) for each in (start, after)]
    np.testing.assert_allclose(*momentum, atol=1e-13)
    # control: the velocity by itself does not stay
    assert np.abs(after[1:].mean(axis=(1, 2, 3)) - start[1:].mean(axis=(1, 2, 3))).max() > 1e-3


def test_moving_observers_see_the_same(x64, start):
    cells = np.array([3, -2])
    wind = cells * PDE.spacing / PDE.refinement / (4 * PDE.time_step)
    blown = start.copy()
    blown[1:] += wind[:, None, None]
    at_rest, moving = (advance(PDE, 2, each, steps=4, side=12)[-1] for each in (start, blown))
    expected = np.roll(at_rest, cells, axis=(1, 2))
    expected[1:] += wind[:, None, None]
    np.testing.assert_allclose(moving, expected, atol=1e-4)
    # control: without the way that the wind went
    assert np.abs(moving[0] - at_rest[0]).max() > 0.1


def test_the_error_falls_with_the_fourth_power_of_the_time_step(x64, start):
    def after(sub_steps):
        return advance(dataclasses.replace(PDE, sub_steps=sub_steps), 2, start, 1, 12)[0]

    exact = after(36)
    coarse, fine = (np.abs(after(n) - exact).max() for n in (6, 12))
    assert 3.7 < math.log2(coarse / fine) < 4.3 and coarse < 1e-5


def test_the_error_falls_faster_than_any_power_of_the_spacing(x64):
    long = dataclasses.replace(PDE, correlation_length=6 / 16)
    coarse = long.initial_state(np.random.default_rng(3), 1, 32).astype(float)[:, ::2]

    def after(refinement):
        pde = dataclasses.replace(long, refinement=refinement, sub_steps=24)
        return advance(pde, 1, on_finer_grid(coarse, 32 * refinement), 2, 32)[-1][:, ::refinement]

    exact = after(4)
    errors = [np.abs(after(each) - exact).max() for each in (1, 2)]
    assert errors[0] / errors[1] > 2**8 and errors[0] < 0.01


@pytest.mark.parametrize("D", [1, *few(2)])
def test_density_stays_positive_and_the_rms_speed_below_that_of_sound(D):
    found = generate(PDE, D, trajectories=4, steps=16, side=16).fields
    assert found["density"].min() > 0.2
    speed = np.sqrt(np.square(found["velocity"]).sum(axis=-1).mean())
    assert 0.2 < speed / PDE.parameters["speed_of_sound"] < 0.6
