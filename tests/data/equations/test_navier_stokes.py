"""The solver of incompressible flow against exact flows, its equations, the energy budget and its own refinement."""

import dataclasses
import math

import numpy as np
import pytest
from evolution import advance, coordinates, derivative, divergence, laplacian, on_finer_grid
from sweeps import few, few_rows

from ginjax.data import PDES, generate, simulate
from ginjax.data.equations import Draw, solenoidal_noise
from ginjax.errors import ArgumentError, NumericsError

PDE, FORCED = PDES["navier-stokes"], PDES["navier-stokes-forced"]
STIRRED = dataclasses.replace(FORCED, dimensions=(2, 3))
"""In 2D the solver is the same; what is missing there is a steady state."""
NU = PDE.parameters["viscosity"]


def taylor_green(pde, side):
    k = 2 * math.pi / pde.extent(side)
    x, y = k * coordinates(pde, 2, side)
    return np.stack([np.cos(x) * np.sin(y), -np.sin(x) * np.cos(y)]), 2 * k**2


def beltrami(pde, side):
    """The flow of Arnold, Beltrami and Childress, which is its own curl up to a factor."""
    k = 2 * math.pi / pde.extent(side)
    x, y, z = k * coordinates(pde, 3, side)
    flow = [np.sin(z) + 0.5 * np.cos(y), 0.8 * np.sin(x) + np.cos(z), 0.5 * np.sin(y) + 0.8 * np.cos(x)]
    return np.stack(flow), k**2


@pytest.mark.parametrize("pde", [PDE, STIRRED], ids=["decaying", "forced"])
@pytest.mark.parametrize(("D", "flow"), [(2, taylor_green), (3, beltrami)])
def test_exact_flows_keep_their_shape(D, flow, pde):
    start, squared = flow(pde, 8)
    after = advance(pde, D, start.astype(np.float32), steps=4)[-1]

    def expected(nu):
        return math.exp((pde.parameters["forcing"] - nu * squared) * 4 * pde.time_step) * start

    np.testing.assert_allclose(after, expected(NU), atol=1e-5)
    # control: a viscosity that is off by a tenth
    assert np.abs(after - expected(1.1 * NU)).max() > 0.01


def kept(D, side, seed):
    """A random flow of the waves that the solver keeps."""
    start = STIRRED.initial_state(np.random.default_rng(seed), D, side).astype(float)
    return advance(at_once(STIRRED, 0.0), D, start, side=side)[0]


def at_once(pde, dt, **parameters):
    return dataclasses.replace(pde, time_step=dt, sub_steps=1, parameters=pde.parameters | parameters)


@pytest.mark.parametrize("D", [2, 3])
def test_it_satisfies_its_equation_with_a_pressure(D, x64):
    side, dt, forcing = 8, 1e-6, FORCED.parameters["forcing"]
    length, u = FORCED.extent(side), kept(D, side, 0)
    carried = np.stack([sum(u[j] * derivative(u[i], j, length) for j in range(D)) for i in range(D)])
    # `-Lap(p) = div((u . grad) u)`, and the same waves as the solver keeps
    whole = np.stack(np.meshgrid(*[np.rint(np.fft.fftfreq(2 * side, 1 / (2 * side)))] * D, indexing="ij"))
    below = (2 * np.abs(whole) < side).all(axis=0)
    squared = np.square(2 * math.pi / length * whole).sum(axis=0)
    squared.flat[0] = 1
    spectra = [np.fft.fftn(each) * below for each in (*carried, divergence(carried, length))]
    *carried, source = (np.fft.ifftn(each).real for each in spectra)
    pressure = np.fft.ifftn(np.fft.fftn(source) / squared).real
    pushed = np.stack([derivative(pressure, i, length) for i in range(D)])
    slope = np.stack([NU * laplacian(each, length) + forcing * each for each in u]) - carried - pushed
    found = (advance(at_once(STIRRED, dt), D, u, side=side)[0] - u) / dt
    np.testing.assert_allclose(found, slope, atol=1e-4 * np.abs(slope).max())
    # control: the pressure matters
    assert np.abs(found - slope - pushed).max() > 0.1 * np.abs(slope).max()


def test_divergence_stays_at_rounding_and_the_mean_where_it_is(x64):
    start = FORCED.initial_state(np.random.default_rng(1), 3, 8).astype(float)
    start += np.array([0.5, -0.2, 0.1])[:, None, None, None]
    after = advance(FORCED, 3, start, steps=4)[-1]
    length = FORCED.extent(8)
    steepest = max(np.abs(derivative(after[i], i, length)).max() for i in range(3))
    assert np.abs(divergence(after, length)).max() < 1e-12 * steepest
    np.testing.assert_allclose(after.mean(axis=(1, 2, 3)), start.mean(axis=(1, 2, 3)), atol=1e-13)
    # control: a field with divergence is noticed
    assert np.abs(divergence(after * after[:1], length)).max() > 0.1 * steepest


@pytest.mark.parametrize("D", [2, *few(3)])
def test_energy_goes_by_viscosity_and_comes_by_the_force_alone(D, x64):
    u, dt, length = kept(D, 8, 2), 1e-4, FORCED.extent(8)

    def gain(viscosity, forcing):
        pde = at_once(STIRRED, dt, viscosity=viscosity, forcing=forcing)
        first, second = advance(pde, D, u, steps=2)
        return (energy(second) - energy(u)) / (2 * dt), first

    def energy(state):
        return np.square(state).sum(axis=0).mean() / 2

    assert abs(gain(0.0, 0.0)[0]) < 1e-8 * energy(u)
    found, between = gain(NU, 0.9)
    slopes = (derivative(each, axis, length) for each in between for axis in range(D))
    lost = NU * sum(np.square(each).mean() for each in slopes)
    assert found == pytest.approx(2 * 0.9 * energy(between) - lost, rel=1e-5)
    assert abs(found) > 1e-3  # control: there is something to balance


def test_the_error_falls_with_the_fourth_power_of_the_time_step(x64):
    start = PDE.initial_state(np.random.default_rng(0), 2, 12).astype(float)

    def after(sub_steps):
        return advance(dataclasses.replace(PDE, sub_steps=sub_steps), 2, start, 1, 12)[0]

    exact = after(48)
    coarse, fine = (np.abs(after(n) - exact).max() for n in (8, 16))
    assert 3.7 < math.log2(coarse / fine) < 4.3 and coarse < 1e-4


def test_the_error_falls_faster_than_any_power_of_the_spacing(x64):
    long = dataclasses.replace(PDE, correlation_length=6 / 16)
    coarse = long.initial_state(np.random.default_rng(3), 2, 16).astype(float)[:, ::2, ::2]

    def after(refinement):
        pde = dataclasses.replace(long, refinement=refinement, sub_steps=16)
        frames = advance(pde, 2, on_finer_grid(coarse, 16 * refinement), 1, 16)
        return frames[-1][:, ::refinement, ::refinement]

    exact = after(4)
    errors = [np.abs(after(each) - exact).max() for each in (1, 2)]
    assert errors[0] / errors[1] > 2**8 and errors[0] < 0.05


@pytest.mark.parametrize(("D", "side", "count"), [(2, 32, 60), (3, 16, 60)])
def test_initial_fields_are_correlated_along_their_own_axis_as_in_every_dimension(D, side, count):
    rng, cells, lag = np.random.default_rng(5), 4, 4
    along, across = [], []
    for _ in range(count):
        u = PDE.initial_state(rng, D, side)
        assert np.sqrt(np.square(u).mean()) == pytest.approx(1, rel=1e-5)
        step = lag * PDE.refinement
        along += [np.mean(u[i] * np.roll(u[i], step, i)) for i in range(D)]
        across += [np.mean(u[i] * np.roll(u[i], step, (i + 1) % D)) for i in range(D)]
    expected = math.exp(-((lag / cells) ** 2) / 2)
    assert np.mean(along) == pytest.approx(expected, abs=0.06)
    assert np.mean(across) == pytest.approx((1 - 1 / (D - 1)) * expected, abs=0.1)


def test_initial_fields_have_neither_divergence_nor_mean():
    for D in (2, 3):
        rows = tuple(map(tuple, np.eye(D, dtype=int)))
        draw = Draw(np.random.default_rng(0), side=9, spacing=1 / 9, correlation_length=0.2, rows=rows)
        u = solenoidal_noise(draw, D)
        assert np.abs(divergence(u, 1.0)).max() < 1e-11 and np.abs(u.mean()) < 1e-13
        assert np.abs(divergence(u * u[:1], 1.0)).max() > 1  # control


def steepness(velocity, length):
    """Root mean square of all derivatives together."""
    D = len(velocity)
    return math.sqrt(sum(np.square(derivative(u, j, length)).mean() for u in velocity for j in range(D)))


@pytest.mark.parametrize(("D", "side", "planes"), [(2, 16, None), (3, 8, None), *few_rows((3, 8, "oblique"))])
def test_stored_fields_have_no_divergence(D, side, planes):
    def worst(pde, side, every):
        source = simulate(pde, D, trajectories=1, steps=4, side=side, planes=planes)
        fields = source.read(0, 0, 5)["velocity"][(slice(None), *(slice(None, None, every),) * D)]
        fields = np.moveaxis(fields.astype(float), -1, 1)
        length = pde.extent(side)
        return max(np.sqrt(np.square(divergence(u, length)).mean()) / steepness(u, length) for u in fields)

    assert worst(PDE, side, 1) < 3e-6
    # control: shorter waves than the points can hold have a divergence once points are left out
    fine = dataclasses.replace(PDE, spacing=PDE.spacing / 2, refinement=1)
    assert worst(fine, 2 * side, 2) > 1e-4


def test_the_force_is_for_flows_in_space():
    with pytest.raises(ArgumentError, match=r"navier-stokes-forced: got 2, expected 3$"):
        simulate(FORCED, 2, trajectories=1, steps=1)
    with pytest.raises(ArgumentError, match="`planes` of navier-stokes-forced: it has none") as refused:
        simulate(FORCED, 3, trajectories=1, steps=1, planes="flat")
    assert "These have: diffusion," in refused.value.hint and "navier-stokes." in refused.value.hint


@pytest.mark.slow
def test_the_stirred_flow_finds_a_steady_state_in_space_and_none_in_the_plane():
    def energies(D, side):
        start = STIRRED.initial_state(np.random.default_rng(0), D, side)
        frames = advance(STIRRED, D, start, steps=120, side=side)
        return np.square(frames).sum(axis=1).mean(axis=tuple(range(1, D + 1))) / 2

    space, plane = energies(3, 16), energies(2, 16)
    assert space[40:].min() > 0.1 and space[40:].max() < 1
    assert not plane[-1] < 10 * plane[0]  # NaN once it is too fast for the time step


def test_a_flow_that_blows_up_says_what_can_be_done():
    fast = dataclasses.replace(PDE, sub_steps=1, time_step=1.0)
    with pytest.raises(NumericsError, match="NaN or infinity in trajectory 0") as blown:
        generate(fast, 2, trajectories=1, steps=8, side=8)
    assert "fewer frames" in blown.value.hint and "sub_steps" in blown.value.hint


@pytest.mark.parametrize(("pde", "expected"), [(PDE, "2 or 3"), (FORCED, "3")], ids=["decaying", "forced"])
def test_one_dimension_is_refused(pde, expected):
    with pytest.raises(
        ArgumentError, match=rf"dimension of a simulation of {pde.name}: got 1, expected {expected}$"
    ):
        generate(pde, 1, trajectories=1, steps=1)
    with pytest.raises(ArgumentError, match=f"expected {expected}$"):
        pde.solver(1, 8)
    one = dataclasses.replace(pde, dimensions=(3,))
    with pytest.raises(ArgumentError, match=r"got 2, expected 3$"):
        one.check_dimension(2)
