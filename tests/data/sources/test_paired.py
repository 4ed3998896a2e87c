"""Pairs of input and target: what is predicted is named, and the network is given the rest."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray
from data.layouts import numbers
from scipy.io import savemat

from ginjax.checkpoint import Reading
from ginjax.checkpoint._reading import reading_from_json
from ginjax.data import from_arrays, measure_normalisation, open_data, paired
from ginjax.errors import ArgumentError, GinjaxError

COEFFICIENT, SOLUTION = numbers(5, 6, 6), numbers(5, 6, 6, start=500)
AXES = "trajectory,x,y"


def npz(path):
    np.savez(path, a=COEFFICIENT, u=SOLUTION)
    return f"{path}.npz"


def mat(path):
    savemat(f"{path}.mat", {"a": COEFFICIENT, "u": SOLUTION})
    return f"{path}.mat"


def netcdf(path):
    dims = ("sample", "x", "y")
    xarray.Dataset({"a": (dims, COEFFICIENT), "u": (dims, SOLUTION)}).to_netcdf(path, engine="scipy")
    return path


def pdebench(path):
    """Darcy flow as PDEBench publishes it."""
    with h5py.File(path, "w") as file:
        file["nu"], file["tensor"] = COEFFICIENT, SOLUTION[:, None]
        for axis in "xy":
            file[f"{axis}-coordinate"] = 0.5 * np.arange(6)
    return path


def plain_hdf5(path):
    with h5py.File(path, "w") as file:
        file["a"], file["tensor"] = COEFFICIENT, SOLUTION
    return path


CASES = {
    plain_hdf5: {"axes": AXES, "target": ["tensor"]},
    npz: {"axes": AXES, "target": ["u"]},
    mat: {"axes": AXES, "target": ["u"]},
    netcdf: {"target": ["u"]},
    pdebench: {"target": ["tensor"]},
}


@pytest.mark.parametrize("write", CASES, ids=lambda each: each.__name__)
def test_the_target_is_the_second_frame_and_the_rest_does_not_vary(tmp_path, write):
    source = open_data(write(tmp_path / "pairs"), **CASES[write])
    (target,), (given,) = source.schema, source.constants
    assert (source.trajectories, source.frames, source.time_step) == (5, 2, None)
    for pair in range(5):
        frames = source.read(pair, 0, 2)[target.name]
        np.testing.assert_array_equal(frames, [np.zeros((6, 6)), SOLUTION[pair]])
        np.testing.assert_array_equal(source.read(pair, 1, 2)[target.name][0], SOLUTION[pair])
        np.testing.assert_array_equal(source.read_constants(pair)[given.name], COEFFICIENT[pair])
    assert f"pairs: {target.name} from {given.name}" in source.notes


def test_the_zeros_in_front_are_not_measured(tmp_path):
    scales = measure_normalisation(open_data(npz(tmp_path / "a"), **CASES[npz]))
    found = scales.of("u")
    assert found.offset == pytest.approx(SOLUTION.mean()) and found.scale == pytest.approx(SOLUTION.std())
    assert found.increment == pytest.approx(np.sqrt(np.square(SOLUTION).mean()))


def test_what_was_said_holds_for_data_of_the_same_kind_with_and_without_the_target(tmp_path):
    model = open_data(npz(tmp_path / "a"), **CASES[npz], fields=["k:0+=a", "u:0+"]).contract
    assert model.reading is not None and model.reading.target == ("u",)
    assert reading_from_json(model.reading.to_json(), "here") == model.reading
    assert "target" not in Reading("npz").to_json()
    again = open_data(npz(tmp_path / "b"), like=model)
    assert [each.name for each in again.schema] == ["u"] and again.frames == 2
    np.savez(tmp_path / "c.npz", a=COEFFICIENT[:2])
    new = open_data(tmp_path / "c.npz", like=model)
    assert (new.trajectories, new.frames, new.schema) == (2, 1, again.schema)
    np.testing.assert_array_equal(new.read_constants(1)["k"], COEFFICIENT[1])
    assert not new.read(1, 0, 1)["u"].any()


def test_every_frame_of_a_time_series_is_a_pair():
    v, stress = numbers(2, 3, 4, 4, 2), numbers(2, 3, 4, 4, start=900)
    series = from_arrays({"v": v, "stress": stress}, order={"v": 1, "stress": 0}, periodic=True)
    source = paired(series, ["stress"])
    assert source.trajectories == 6
    np.testing.assert_array_equal(source.read(4, 1, 2)["stress"][0], stress[1, 1])
    np.testing.assert_array_equal(source.read_constants(4)["v"], v[1, 1])
    assert any("pairs of one trajectory may be parted" in note for note in source.notes)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"axes": AXES, "target": ["w"]}, "`target`: got w, expected some of a, u"),
        ({"axes": AXES, "target": ["a", "u"]}, "got all fields"),
        ({"target": ["u"]}, "the order of the axes of pairs"),
        ({"axes": AXES}, "`target="),
        ({"axes": "trajectory,x", "target": ["u"]}, "shape"),
    ],
)
def test_what_is_missing_or_wrong_is_said(tmp_path, said, words):
    with pytest.raises(GinjaxError, match=words):
        open_data(npz(tmp_path / "a"), **said)


def test_a_target_that_nobody_knows_is_refused():
    series = from_arrays(
        {"a": numbers(1, 2, 8), "b": numbers(1, 2, 8)}, order={"a": 0, "b": 0}, periodic=True
    )
    with pytest.raises(ArgumentError, match="got c"):
        paired(series, ["c"])
    known = replace(series.schema[0], name="c")
    assert paired(series, ["c"], [known]).schema == (known,)
