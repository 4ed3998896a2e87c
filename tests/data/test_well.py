"""The reader of The Well on files by an independent writer."""

import h5py
import numpy as np
import pytest
from data.layouts import numbers, well_file

from ginjax.data import Field, open_data
from ginjax.errors import ArgumentError, FileError

BOTH = (True, True)


def unit(name, k, p=0):
    return Field(name, k, p, "unknown")


def test_orders_come_from_the_groups_and_values_from_their_places(tmp_path):
    pressure, velocity = numbers(3, 5, 4, 6), numbers(3, 5, 4, 6, 2, start=5000)
    stress = numbers(3, 5, 4, 6, 2, 2, start=9000)
    path = well_file(
        tmp_path / "a",
        {
            "pressure": (0, pressure, True, True, BOTH),
            "velocity": (1, velocity, True, True, BOTH),
            "stress": (2, stress, True, True, BOTH),
        },
    )
    source = open_data(path)
    assert source.layout == "the-well"
    assert source.schema == (unit("pressure", 0), unit("velocity", 1), unit("stress", 2))
    assert (source.D, source.spatial, source.trajectories, source.frames) == (2, (4, 6), 3, 5)
    assert (source.spacing, source.time_step, source.is_torus) == (0.5, 0.25, (True, True))
    frames = source.read(2, 1, 3)
    np.testing.assert_array_equal(frames["pressure"], pressure[2, 1:3])
    np.testing.assert_array_equal(frames["velocity"], velocity[2, 1:3])
    np.testing.assert_array_equal(frames["stress"], stress[2, 1:3])
    assert all(block.dtype == np.float32 for block in frames.values())


def test_axes_are_dropped_by_flag_and_not_by_shape(tmp_path):
    # All sides are equal, so that the shape alone could not tell which axis is missing.
    along_x, along_y = numbers(4, 4, 4), numbers(4, 4, 4, start=100)
    fixed, profile = numbers(4, 4, start=200), numbers(4, 4, 2, start=300)
    path = well_file(
        tmp_path / "a",
        {
            "along_x": (0, along_x, True, True, (True, False)),
            "along_y": (0, along_y, True, True, (False, True)),
            "fixed": (0, fixed, False, False, BOTH),
            "profile": (1, profile, True, False, (False, True)),
        },
        sides=(4, 4),
        n=4,
        T=4,
        scalars={"viscosity": (numbers(4, start=7), True, False), "depth": (np.float32([3.0]), False, False)},
    )
    source = open_data(path)
    assert [field.name for field in source.schema] == ["along_x", "along_y"]
    assert [(f.name, f.k) for f in source.constants] == [
        ("fixed", 0), ("profile", 1), ("viscosity", 0), ("depth", 0)
    ]  # fmt: skip
    frames, constants = source.read(1, 2, 3), source.read_constants(1)
    np.testing.assert_array_equal(frames["along_x"][0], np.tile(along_x[1, 2][:, None], (1, 4)))
    np.testing.assert_array_equal(frames["along_y"][0], np.tile(along_y[1, 2][None], (4, 1)))
    np.testing.assert_array_equal(constants["fixed"], fixed)
    np.testing.assert_array_equal(constants["profile"], np.tile(profile[1][None], (4, 1, 1)))
    np.testing.assert_array_equal(constants["viscosity"], np.full((4, 4), 8.0))
    np.testing.assert_array_equal(constants["depth"], np.full((4, 4), 3.0))


def test_two_dimensional_tensors_may_be_flat(tmp_path):
    flat = numbers(3, 5, 4, 6, 4)
    source = open_data(well_file(tmp_path / "a", {"s": (2, flat, True, True, BOTH)}))
    np.testing.assert_array_equal(source.read(0, 0, 1)["s"], flat[0, :1].reshape(1, 4, 6, 2, 2))


def test_boundaries_are_read_by_axis(tmp_path):
    fields = {"p": (0, numbers(3, 5, 4, 6), True, True, BOTH)}
    source = open_data(well_file(tmp_path / "a", fields, bc="WALL"))
    assert source.is_torus == (False, True) and source.notes == ()


def test_a_number_that_varies_in_time_waits_to_be_asked_for(tmp_path):
    fields = {"p": (0, numbers(3, 5, 4, 6), True, True, BOTH)}
    path = well_file(tmp_path / "a", fields, scalars={"pump": (numbers(5), False, True)})
    source = open_data(path)
    assert [field.name for field in source.schema] == ["p"]
    assert "'pump' varies in time" in source.notes[0]
    asked = open_data(path, fields=["p:0+", "pump:0+"])
    np.testing.assert_array_equal(asked.read(0, 3, 4)["pump"], np.full((1, 4, 6), 3.0))


def test_a_field_that_may_be_odd_is_asked_about(tmp_path):
    fields = {"magnetic_field": (1, numbers(3, 5, 4, 6, 2), True, True, BOTH)}
    path = well_file(tmp_path / "a", fields)
    with pytest.raises(ArgumentError, match=r"'magnetic_field' is odd.*parity={'magnetic_field': 'odd'}"):
        open_data(path)
    assert open_data(path, parity={"magnetic_field": "odd"}).schema == (unit("magnetic_field", 1, 1),)
    assert open_data(path, ask=False).notes[0].startswith("cannot be inferred: whether 'magnetic_field'")
    with pytest.raises(ArgumentError, match="parity of field 'magnetic_field': got 'maybe'"):
        open_data(path, parity={"magnetic_field": "maybe"})
    with pytest.raises(ArgumentError, match="parity of a field that is not there"):
        open_data(path, parity={"magnetic_field": "odd", "other": "odd"})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"grid_type": "spherical"}, "grid: got spherical, expected cartesian"),
        ({"spacing": (np.arange(4), 0.5)}, "points of x do not increase in equal steps"),
        ({"spacing": (-0.5, -0.5)}, "do not increase"),
        ({"drop": [("/", "grid_type")]}, "attribute 'grid_type' of '/' is missing"),
        ({"drop": [("dimensions", "spatial_dims")]}, "attribute 'spatial_dims'"),
        ({"drop": [("t0_fields/p", "dim_varying")]}, "field 'p': its flags"),
        (
            {"n": 7},
            r"field 'p': its shape is \(3, 5, 4, 6\), but its flags and the grid ask for \(7, 5, 4, 6\)",
        ),
        ({"T": 6}, "field 'p': its shape"),
        ({"sides": (4, 4)}, "field 'p': its shape"),
        ({"sides": (4, 6, 4, 4)}, "number of dimensions"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(tmp_path, change, problem):
    arguments = {"fields": {"p": (0, numbers(3, 5, 4, 6), True, True, BOTH)}} | change
    path = well_file(tmp_path / "a", arguments.pop("fields"), **arguments)
    with pytest.raises(FileError, match=problem) as caught:
        open_data(path)
    assert str(path) in str(caught.value)


def test_only_the_window_is_read_from_a_file_larger_than_memory(tmp_path):
    path = well_file(tmp_path / "a", {}, sides=(512, 512), n=1000, T=1000)
    with h5py.File(path, "r+") as f:
        velocity = f["t1_fields"].create_dataset(
            "velocity", (1000, 1000, 512, 512, 2), "f4", chunks=(1, 1, 512, 512, 2), fillvalue=0.5
        )
        velocity.attrs["sample_varying"] = velocity.attrs["time_varying"] = True
        velocity.attrs["dim_varying"] = [True, True]
        velocity[7, 3] = 2.0
        assert velocity.size * 4 > 2**40
    source = open_data(path)
    frames = source.read(7, 3, 5)["velocity"]
    assert frames[0].min() == 2.0 and frames[1].max() == 0.5 and frames.shape == (2, 512, 512, 2)
    with pytest.raises(ArgumentError, match="data to read at once"):
        open_data(well_file(tmp_path / "b", {"s": (0, np.zeros((1, 5000)), True, True, (False,))}, n=1, T=5000,
                            sides=(2**19,), spacing=(1.0,))).read(0, 0, 5000)  # fmt: skip
