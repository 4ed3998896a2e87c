import functools

import numpy as np
import pytest

from ginjax.data import DEFAULT_SIDES, PDES, generate, measure_normalisation, one_step_pairs, persistence
from ginjax.errors import ArgumentError


@functools.cache
def simulated(name, D):
    """A few trajectories on the default grid, shared by the tests to compile each solver once."""
    return generate(name, D, trajectories={1: 6, 2: 3, 3: 1}[D], steps=3, seed=1)


def test_default_grids_have_equal_spacing():
    for D, side in DEFAULT_SIDES.items():
        trajectories = simulated("diffusion", D)
        assert trajectories.spatial == (side,) * D
        assert trajectories.spacing == PDES["diffusion"].spacing
        assert trajectories.time_step == PDES["diffusion"].time_step


def test_shapes_and_types():
    velocity = simulated("burgers", 2).fields["velocity"]
    assert velocity.shape == (3, 4, 32, 32, 2)
    assert velocity.dtype == np.float32 and velocity.flags.c_contiguous
    fields = simulated("gray-scott", 2).fields
    assert {name: array.shape for name, array in fields.items()} == {
        "substrate": (3, 4, 32, 32),
        "activator": (3, 4, 32, 32),
    }


def test_the_same_seed_gives_the_same_bytes_and_more_trajectories_keep_the_first():
    def velocity(count, seed):
        return generate("burgers", 2, trajectories=count, side=8, steps=2, seed=seed).fields["velocity"]

    three = velocity(3, 5)
    assert velocity(3, 5).tobytes() == three.tobytes()
    assert velocity(1, 5).tobytes() == three[:1].tobytes()
    assert velocity(1, 6).tobytes() != three[:1].tobytes()
    assert three[0].tobytes() != three[1].tobytes()


def in_low_and_high_dimensions():
    """Every equation in its lowest dimension, and in 3D every day some: the time step and the initial fields are those of all."""
    daily = ("diffusion",)
    for name, pde in PDES.items():
        yield pytest.param(name, pde.dimensions[0])
        if pde.dimensions[0] != 3:
            yield pytest.param(name, 3, marks=() if name in daily else pytest.mark.slow)


@pytest.mark.parametrize(("name", "D"), list(in_low_and_high_dimensions()))
def test_one_step_changes_the_field_neither_little_nor_beyond_recognition(name, D):
    trajectories = simulated(name, D)
    X, Y = one_step_pairs(trajectories)
    scales = measure_normalisation(trajectories)
    for a, b in zip(scales.apply(persistence(X)).values(), scales.apply(Y).values(), strict=True):
        assert 0.08 < np.linalg.norm(a - b) / np.linalg.norm(b) < 0.45
    for array in trajectories.fields.values():
        assert np.isfinite(array).all() and np.abs(array).max() < 20


@pytest.mark.parametrize("name", ["fisher-kpp", "gray-scott"])
def test_concentrations_stay_between_zero_and_one(name):
    for array in simulated(name, 2).fields.values():
        assert array.min() > -0.02 and array.max() < 1.02


def test_progress_is_reported():
    seen = []
    generate("diffusion", 1, trajectories=2, side=8, steps=1, progress=lambda *done: seen.append(done))
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"D": 4}, "dimension of the simulation: got 4, expected 1, 2 or 3"),
        ({"steps": 0}, "steps: got 0"),
        ({"trajectories": 0}, "trajectories: got 0"),
        ({"side": 1}, "side: got 1"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_bad_sizes_are_refused(wrong, message):
    arguments = {"D": 1, "trajectories": 1, "steps": 1} | wrong
    with pytest.raises(ArgumentError, match=message):
        generate("diffusion", arguments.pop("D"), **arguments)
