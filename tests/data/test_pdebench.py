"""The readers of PDEBench and PDEArena on files by an independent writer."""

import h5py
import numpy as np
import pytest
from data.layouts import arena, by_seed, compressible, incompressible, numbers, one_tensor

from ginjax.data import data_splits, open_data
from ginjax.errors import ArgumentError


def names(fields):
    return [f"{field.name}:{field.k}{'-' if field.p else '+'}" for field in fields]


@pytest.mark.parametrize("D", [1, 2, 3])
def test_compressible_flow_has_its_velocity_as_a_vector(tmp_path, D):
    path = compressible(tmp_path / "a", D)
    source = open_data(path)
    assert source.layout == "pdebench" and source.D == D
    assert names(source.schema) == ["density:0+", "pressure:0+", "velocity:1+"]
    assert (source.spacing, source.time_step, source.is_torus) == (0.25, 0.05, (True,) * D)
    frames = source.read(1, 2, 4)
    with h5py.File(path) as f:
        np.testing.assert_array_equal(frames["pressure"], f["pressure"][1, 2:4])
        for i, name in enumerate(("Vx", "Vy", "Vz")[:D]):
            np.testing.assert_array_equal(frames["velocity"][..., i], f[name][1, 2:4])
    assert source.boundaries_from.startswith("assumed, since the file does not state it")
    assert open_data(path, is_torus=False).is_torus == (False,) * D


def test_a_lone_number_in_one_dimension_may_be_a_vector(tmp_path):
    path = one_tensor(tmp_path / "a")
    with pytest.raises(ArgumentError, match=r"whether .tensor. is a scalar .* or a velocity"):
        open_data(path)
    source = open_data(path, fields=["velocity:1+=tensor"])
    assert source.read(2, 1, 3)["velocity"].shape == (2, 8, 1)
    np.testing.assert_array_equal(source.read(2, 1, 3)["velocity"][..., 0], numbers(3, 5, 8)[2, 1:3])
    assert names(open_data(one_tensor(tmp_path / "b", (3, 5, 8, 8), "xy")).schema) == ["tensor:0+"]


def test_without_coordinates_nothing_is_known_but_the_axes_that_are_sure(tmp_path):
    source = open_data(one_tensor(tmp_path / "a", (3, 5, 8, 8), ""))
    assert (source.D, source.spatial, source.spacing, source.time_step) == (2, (8, 8), None, None)
    with pytest.raises(ArgumentError, match="which axis of array 'tensor'"):
        open_data(one_tensor(tmp_path / "b", (3, 5, 8, 4), ""))


def test_channels_of_a_group_per_seed_are_named_by_the_user(tmp_path):
    path = by_seed(tmp_path / "a", lengths=(5, 7, 6))
    with pytest.raises(ArgumentError, match=r"channels data.0, data.1 are scalars or the components"):
        open_data(path)
    source = open_data(path, fields=["activator:0+=data.0", "inhibitor:0+=data.1"])
    assert names(source.schema) == ["activator:0+", "inhibitor:0+"] and source.is_torus == (False, False)
    assert (source.trajectories, source.frames, [source.frames_of(i) for i in range(3)]) == (3, 5, [5, 7, 6])
    np.testing.assert_array_equal(
        source.read(1, 6, 7)["inhibitor"][0], numbers(7, 4, 4, 2, start=1000)[6, ..., 1]
    )
    vector = open_data(path, fields=["v:1-=data.1,data.0"]).read(2, 0, 1)["v"]
    np.testing.assert_array_equal(vector[0], numbers(6, 4, 4, 2, start=2000)[0][..., ::-1])


def test_incompressible_flow(tmp_path):
    source = open_data(incompressible(tmp_path / "a"))
    assert names(source.schema) == ["particles:0+", "velocity:1+"] and names(source.constants) == ["force:1+"]
    assert (source.trajectories, source.frames, source.time_step) == (2, 3, 0.02)
    frames = source.read(1, 1, 3)
    np.testing.assert_array_equal(frames["velocity"], numbers(2, 3, 4, 4, 2)[1, 1:3])
    np.testing.assert_array_equal(frames["particles"], numbers(2, 3, 4, 4, start=500)[1, 1:3])
    np.testing.assert_array_equal(source.read_constants(1)["force"], numbers(2, 4, 4, 2, start=900)[1])


def test_arena_keeps_its_parts_in_one_file_and_buoyancy_is_a_vector(tmp_path):
    path = arena(tmp_path / "a", ("train", "valid"))
    assert data_splits(path) == ("train", "valid")
    source = open_data(path, split="valid")
    assert source.layout == "pdearena" and source.split == "valid" and source.trajectories == 2
    assert names(source.schema) == ["u:0+", "velocity:1+"] and names(source.constants) == ["buoyancy:1+"]
    assert (source.spacing, source.time_step) == (0.25, 1.5)
    np.testing.assert_array_equal(
        source.read(1, 0, 2)["velocity"][..., 1], numbers(2, 3, 4, 4, start=1200)[1, :2]
    )
    np.testing.assert_array_equal(source.read_constants(1)["buoyancy"], np.tile([0.0, 1.5], (4, 4, 1)))
    whole = open_data(path)
    assert whole.trajectories == 4
    np.testing.assert_array_equal(whole.read(3, 0, 1)["u"], source.read(1, 0, 1)["u"])
    with pytest.raises(ArgumentError, match="has no part 'test'"):
        open_data(path, split="test")
    with pytest.raises(ArgumentError, match=r"spacing of the grid: got 0\.25 along x, 0\.5 along y"):
        open_data(arena(tmp_path / "b", dy=0.5), split="train")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (["velocity"], "NAME:ORDER"),
        (["velocity:1+=Vx,,Vy"], "single commas"),
        (["velocity:1+=Vx"], r"got Vx of order 0, expected one of order 1, or 2 of order 0"),
        (["velocity:1+=Vx,Vy,density"], "2 components in 2 dimensions"),
        (["velocity:1+=Vx,Vz"], "from variable 'Vz': expected one of Vx, Vy, density, pressure"),
        (["a:0+=Vx", "a:0+=Vy"], "'a' more than once"),
    ],
)
def test_a_request_that_does_not_fit_says_what_would(tmp_path, fields, problem):
    path = compressible(tmp_path / "a")
    with pytest.raises(ArgumentError, match=problem):
        open_data(path, fields=fields)


def test_times_of_which_there_are_none_are_none(tmp_path):
    path = incompressible(tmp_path / "a")
    with h5py.File(path, "r+") as file:
        del file["t"]
        file["t"] = np.zeros((2, 0))
    assert open_data(path).time_step is None
