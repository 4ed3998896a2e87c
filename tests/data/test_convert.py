"""From any layout to a file in which everything is stated."""

from dataclasses import replace

import numpy as np
import pytest
from data.layouts import arena, by_seed, compressible, incompressible, one_tensor

from ginjax.data import NotFinite, convert_data, from_arrays, open_data, resample, resampling_for, state_steps
from ginjax.errors import ArgumentError

OPTIONS = {
    compressible: {"is_torus": True},
    one_tensor: {"is_torus": True, "fields": ["u:1+=tensor"]},
    by_seed: {"is_torus": (True, False), "fields": ["w:0-=data.1", "s:0+=data.0"]},
    incompressible: {"is_torus": False},
    arena: {"is_torus": False, "parity": {"u": "odd"}, "split": "train"},
}


@pytest.mark.parametrize("write", OPTIONS, ids=lambda write: write.__name__)
def test_the_file_asks_nothing_and_holds_the_same(tmp_path, write):
    source = open_data(write(tmp_path / "in"), **OPTIONS[write])
    done = []
    convert_data(tmp_path / "out", source, name="made up", progress=lambda *both: done.append(both))
    total = source.trajectories * source.frames
    assert done[-1] == (total, total) and done == sorted(done)
    found = open_data(tmp_path / "out")
    for what in ("schema", "constants", "spatial", "is_torus", "frames", "trajectories"):
        assert getattr(found, what) == getattr(source, what), what
    for what in ("spacing", "time_step"):
        assert getattr(found, what) == pytest.approx(getattr(source, what))
    assert not found.boundaries_assumed and found.notes == ()
    for index in range(source.trajectories):
        there, here = source.read(index, 0, source.frames), found.read(index, 0, found.frames)
        constants = source.read_constants(index), found.read_constants(index)
        for a, b in ((there, here), constants):
            assert a.keys() == b.keys()
            for name in a:
                np.testing.assert_array_equal(a[name], b[name])


def test_an_order_of_axes_that_was_said_stands_in_the_file(tmp_path):
    values = np.random.default_rng(0).normal(size=(12, 2, 5, 10)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    source = open_data(tmp_path / "a.npy", axes="x,component,time,y", is_torus=(True, False))
    convert_data(tmp_path / "b", source, name="flow")
    found = open_data(tmp_path / "b")
    assert (found.spatial, found.frames, found.schema[0].k) == ((12, 10), 5, 1)
    np.testing.assert_array_equal(found.read(0, 3, 4)["data"][0], values[:, :, 3].transpose(0, 2, 1))
    assert found.read_as == {} and found.spacing is None and found.time_step is None


def test_values_that_are_not_finite_are_counted_and_placed(tmp_path):
    u, v = np.zeros((4, 6, 8, 8)), np.zeros((4, 6, 8, 8, 2))
    mask = np.ones((4, 8, 8))
    assert convert_data(tmp_path / "whole", of_2d(u=u, v=v), name="whole", force=True) == ()
    u[3, 1, 0, 0], u[2, 3, 4, 5] = np.inf, np.nan
    v[1, 2, 3, 4, 1] = 1e39  # which single precision does not hold
    mask[1, 7, 2] = np.nan
    found = convert_data(tmp_path / "holes", of_2d(constants={"mask": mask}, u=u, v=v), name="holes")
    assert {each.field: each for each in found} == {
        "u": NotFinite("u", 2, u.size, 2, 2, 3, (4, 5)),
        "v": NotFinite("v", 1, v.size, 1, 1, 2, (3, 4)),
        "mask": NotFinite("mask", 1, mask.size, 1, 1, None, (7, 2)),
    }
    assert {each.in_words for each in found} == {
        "field 'u': NaN or infinity in 2 of 1536 values, in 2 trajectories, first in trajectory 2, frame 3, grid point (4, 5)",
        "field 'v': NaN or infinity in 1 of 3072 values, first in trajectory 1, frame 2, grid point (3, 4)",
        "field 'mask': NaN or infinity in 1 of 256 values, first in trajectory 1, grid point (7, 2)",
    }


def of_2d(constants=None, **fields):
    """Arrays that nobody has looked through, as those of a file."""
    steps = {"spacing": 0.1, "time_step": 0.1, "periodic": True, "order": {"v": 1}}
    source = from_arrays(
        {name: np.zeros_like(each) for name, each in fields.items()},
        constants={name: np.zeros_like(each) for name, each in (constants or {}).items()},
        **steps,
    )
    return replace(source, held=fields, steady=constants or {})


def test_a_file_is_not_called_what_it_is_not(tmp_path):
    source = from_arrays({"u": np.zeros((2, 3, 8))}, spacing=0.1, time_step=0.1, periodic=True)
    for name in ("out.npz", "out.NC", "out.zarr"):
        with pytest.raises(
            ArgumentError, match=r"output.*got a name that ends in \.\w+, expected one that ends in \.hdf5"
        ):
            convert_data(tmp_path / name, source, name="made up")
        assert not (tmp_path / name).exists()
    convert_data(tmp_path / "out.h5", source, name="made up")


def test_what_was_assumed_is_not_written_down_as_known(tmp_path):
    source = open_data(compressible(tmp_path / "a"))
    with pytest.raises(
        ArgumentError, match=r"with `is_torus`\. Otherwise x periodic and y periodic is assumed"
    ):
        convert_data(tmp_path / "b", source, name="a")
    assert not (tmp_path / "b").exists()


def test_a_few_frames_are_read_at_a_time(tmp_path, monkeypatch):
    source = open_data(incompressible(tmp_path / "a", n=2, T=5), is_torus=True)
    sizes = []
    real = type(source).read
    monkeypatch.setattr(
        type(source), "read", lambda self, i, a, b, **more: sizes.append(b - a) or real(self, i, a, b, **more)
    )
    monkeypatch.setattr("ginjax.data._write_well.MAX_VALUES_AT_ONCE", 2 * 4 * 4 * 3)
    convert_data(tmp_path / "b", source, name="a")
    assert max(sizes) == 2 and sizes.count(2) == 4
    np.testing.assert_array_equal(
        open_data(tmp_path / "b").read(1, 0, 5)["velocity"], real(source, 1, 0, 5)["velocity"]
    )


def test_trajectories_of_different_lengths_are_cut_when_that_is_said(tmp_path):
    source = open_data(by_seed(tmp_path / "a", channels=1, lengths=(5, 3, 4)), is_torus=False)
    with pytest.raises(ArgumentError, match="`frames=3` keeps the first 3 of each"):
        convert_data(tmp_path / "b", source, name="a")
    convert_data(tmp_path / "b", resample(source, frames=3), name="a")
    assert open_data(tmp_path / "b").frames == 3


def test_spacing_and_time_step_are_said_where_they_are_not_known():
    source = from_arrays({"u": np.zeros((1, 3, 8))}, periodic=True, spacing=0.5)
    found = state_steps(source, data_spacing=0.5, data_time_step=0.1)
    assert (found.spacing, found.time_step) == (0.5, 0.1)
    with pytest.raises(
        ArgumentError, match=r"`data_spacing`: got 0\.25, expected 0\.5, which the data state"
    ):
        state_steps(source, data_spacing=0.25)
    with pytest.raises(ArgumentError, match="`data_time_step`"):
        state_steps(source, data_time_step=0.0)


def test_how_data_come_to_another_spacing_and_time_step():
    source = from_arrays({"u": np.zeros((1, 3, 8))}, periodic=True, spacing=0.5, time_step=0.1)
    found = resampling_for(source, 1.0, 0.2)
    assert (found.spacing, found.every) == (1.0, 2)
    assert resampling_for(source, 0.5, None).spacing is None
    assert resampling_for(replace(source, spacing=None), 1.0, 0.1).spacing is None
    with pytest.raises(ArgumentError, match=r"0\.15 divided by a whole number"):
        resampling_for(source, 0.5, 0.15)
    with pytest.raises(ArgumentError, match="along x"):
        resampling_for(source, 0.7, 0.1)


def test_values_that_first_vary_later_keep_their_digits(tmp_path):
    values = np.full((1, 4, 8), 101325.0)
    values[0, 3] += 0.001 * np.arange(8)
    convert_data(tmp_path / "a", from_arrays({"p": values}, periodic=True), name="p")
    found = open_data(tmp_path / "a").read(0, 3, 4, precise=True)["p"]
    np.testing.assert_array_equal(found[0], values[0, 3])
