"""PDEArena's sets in 1D and 3D as they are published."""

import h5py
import numpy as np
import pytest
from data.layouts import arena, arena_1d, arena_3d, numbers

from ginjax.data import data_splits, open_data
from ginjax.errors import ArgumentError, FileError


def test_kuramoto_sivashinsky_in_one_dimension(tmp_path):
    path = arena_1d(tmp_path / "ks.h5", viscosity=0.7)
    assert data_splits(path) == ("train",)
    source = open_data(path, split="train")
    assert (source.layout, source.D, source.spatial, source.frames) == ("pdearena", 1, (16,), 5)
    assert (source.spacing, source.time_step, source.is_torus) == (0.25, 0.2, (True,))
    assert [each.kind for each in source.schema] == ["pde_5-16:0+"]
    assert [each.kind for each in source.constants] == ["v:0+"]
    np.testing.assert_array_equal(source.read(2, 1, 3)["pde_5-16"], numbers(3, 5, 16)[2, 1:3])
    np.testing.assert_allclose(source.read_constants(1)["v"], 0.7)


def test_steps_that_differ_become_conditions_of_the_network_if_that_is_said(tmp_path):
    path = arena_1d(tmp_path / "ks.h5", varying=True)
    with pytest.raises(ArgumentError, match=r"spacing of trajectory 1: got 0.2525, expected 0.25") as refused:
        open_data(path)
    both = ["spacing", "time_step"]
    assert f"`conditions={both}`" in str(refused.value.hint)
    source = open_data(path, conditions=both)
    assert (source.spacing, source.time_step, source.conditions) == (None, None, ("spacing", "time_step"))
    np.testing.assert_allclose(source.read_constants(2)["time_step"], np.full(16, 0.2 * 1.02), rtol=1e-6)
    with pytest.raises(ArgumentError, match="spacing of trajectory 1"):
        open_data(path, conditions="time_step")  # what is not named is still to be one number


def test_steps_that_are_named_as_fields_are_conditions_too(tmp_path):
    source = open_data(arena_1d(tmp_path / "ks.h5", varying=True), fields=["u:0+=pde_5-16", "dt:0+", "dx:0+"])
    assert (source.spacing, source.time_step) == (None, None)
    assert [each.name for each in source.constants] == ["dt", "dx"] == list(source.conditions)
    np.testing.assert_allclose(source.read_constants(2)["dt"], np.full(16, 0.2 * 1.02), rtol=1e-6)


def test_a_sample_has_one_number(tmp_path):
    for shape, message in (
        ((2, 2), "'train/buo_y': got 2 numbers for a sample, expected one"),
        ((1,), "out of range"),
    ):
        path = arena(tmp_path / f"{len(shape)}.h5")
        with h5py.File(path, "r+") as file:
            del file["train/buo_y"]
            file["train/buo_y"] = np.zeros(shape, np.float32)
        with pytest.raises(FileError, match=message):
            open_data(path).read_constants(1)


def test_maxwell_in_three_dimensions(tmp_path):
    source = open_data(arena_3d(tmp_path / "a"), split="valid")
    assert [each.kind for each in source.schema] == ["d_field:1+", "h_field:1-"]
    assert (source.D, source.spatial, source.is_torus, source.spacing) == (3, (4, 4, 4), (False,) * 3, None)
    expected = numbers(2, 3, 4, 4, 4, 3, start=1e4)
    np.testing.assert_array_equal(source.read(1, 0, 3)["h_field"], expected[1])
