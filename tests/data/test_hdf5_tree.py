"""HDF5 of a layout that nobody knows: arrays anywhere in the tree, coordinates beside them, a group for each trajectory."""

import h5py
import numpy as np
import pytest
from data.layouts import numbers

from ginjax.data import convert_data, open_data
from ginjax.errors import ArgumentError, FileError

U, V = numbers(3, 7, 10, 12), numbers(3, 7, 10, 12, 2, start=5000)


@pytest.fixture
def solver(tmp_path):
    """A solver's output: fields and masks deep in the tree, coordinates in a group of their own."""
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as f:
        f["output/state/density"] = U
        f["output/state/momentum"] = V
        f["output/geometry/depth"] = numbers(10, 12)
        f["output/grid/x"] = 0.5 * np.arange(10)
        f["output/grid/y"] = 0.5 * np.arange(12)
        f["output/grid/time"] = 0.1 * np.arange(7)
        f["log/residuals"] = numbers(400)
        f["settings/name"] = "a text"
    return path


def test_by_path_with_axes(solver):
    fields = ["rho:0+=/output/state/density", "m:1+=output/state/momentum", "depth:0+=/output/geometry/depth"]
    axes = [
        "trajectory,time,x,y",
        "/output/state/momentum=trajectory,time,x,y,component",
        "output/geometry/depth=x,y",
    ]
    source = open_data(solver, fields=fields, axes=axes, is_torus=(True, False))
    assert [each.name for each in source.schema] == ["rho", "m"] and source.constants[0].name == "depth"
    assert (source.spatial, source.trajectories, source.frames) == ((10, 12), 3, 7)
    assert (source.spacing, source.time_step) == (0.5, pytest.approx(0.1))
    found = source.read(2, 1, 4, box=((2, 5), (0, 12)))
    np.testing.assert_array_equal(found["rho"], U[2, 1:4, 2:5])
    np.testing.assert_array_equal(found["m"], V[2, 1:4, 2:5])
    np.testing.assert_array_equal(source.read_constants(1)["depth"], numbers(10, 12))
    convert_data(solver.parent / "well.hdf5", source, name="run")
    np.testing.assert_array_equal(open_data(solver.parent / "well.hdf5").read(2, 0, 7)["m"], V[2])


def test_axes_alone_name_fields_by_the_end_of_their_paths(solver):
    source = open_data(
        solver, axes="trajectory,time,x,y,component", parity={"momentum": "even"}, is_torus=True
    )
    assert {each.name: each.k for each in source.schema} == {"density": 0, "momentum": 1}
    # What a model keeps of it reads the same kind of file again.
    again = open_data(solver, like=source.contract)
    np.testing.assert_array_equal(again.read(1, 0, 2)["momentum"], V[1, :2])


def test_what_is_not_said_is_asked_and_what_contradicts_coordinates_is_refused(solver):
    with pytest.raises(ArgumentError, match="cannot be inferred"):
        open_data(solver)
    with pytest.raises(
        FileError, match=r"length of the axis of x of 'output/state/density': got 12, expected 10"
    ):
        open_data(solver, fields=["u:0+=output/state/density"], axes="trajectory,time,y,x")
    with pytest.raises(ArgumentError, match=r"expected one of .*output/state/density"):
        open_data(solver, fields=["u:0+=/output/density"], axes="trajectory,time,x,y")


def runs(path, lengths=(5, 5, 5), steps=(0.2, 0.2, 0.2), names="run_{}"):
    with h5py.File(path, "w") as f:
        for i, (n, step) in enumerate(zip(lengths, steps, strict=True)):
            group = names.format(i + 8)  # 8, 9, 10: in the order of the numbers, not of the letters
            f[f"data/{group}/velocity"] = numbers(n, 6, 8, 2, start=1000.0 * i)
            f[f"data/{group}/p"] = numbers(n, 6, 8, start=9000 + 1000.0 * i)
            f[f"data/{group}/t"] = step * np.arange(n)
        f["data/x"], f["data/y"] = np.arange(6) * 0.5, np.arange(8) * 0.5
    return path


@pytest.mark.parametrize("axes", ["time,x,y,component", "trajectory,time,x,y,component"])
def test_groups_of_one_kind_are_trajectories(tmp_path, axes):
    source = open_data(runs(tmp_path / "runs.h5"), axes=axes, is_torus=True)
    assert (source.trajectories, source.frames, source.spatial) == (3, 5, (6, 8))
    assert {each.name: each.k for each in source.schema} == {"velocity": 1, "p": 0}
    assert (source.spacing, source.time_step) == (0.5, pytest.approx(0.2))
    for i in range(3):
        np.testing.assert_array_equal(
            source.read(i, 1, 3)["velocity"], numbers(5, 6, 8, 2, start=1000.0 * i)[1:3]
        )
        np.testing.assert_array_equal(source.read(i, 0, 5)["p"], numbers(5, 6, 8, start=9000 + 1000.0 * i))
    assert any(
        "3 groups are trajectories, from 'data/run_8/velocity' to 'data/run_10/velocity'" in n
        for n in source.notes
    )


def test_trajectories_of_different_lengths_and_steps(tmp_path):
    source = open_data(runs(tmp_path / "a.h5", lengths=(5, 3, 4)), axes="time,x,y,component", is_torus=True)
    assert (source.frames, [source.frames_of(i) for i in range(3)]) == (3, [5, 3, 4])
    np.testing.assert_array_equal(source.read(0, 3, 5)["p"], numbers(5, 6, 8, start=9000)[3:])
    with pytest.raises(ArgumentError, match=r"time step of trajectory 2: got 0\.3, expected 0\.2"):
        open_data(runs(tmp_path / "b.h5", steps=(0.2, 0.2, 0.3)), axes="time,x,y,component")


def test_names_of_axes_in_the_file_are_believed(tmp_path):
    path = tmp_path / "named.h5"
    with h5py.File(path, "w") as f:
        data = f.create_dataset("deep/er/u", data=numbers(2, 5, 8, 6))
        for axis, label in enumerate(("run", "time", "y", "x")):
            data.dims[axis].label = label
    source = open_data(path, fields=["u:0+=deep/er/u"], is_torus=True)
    assert (source.spatial, source.trajectories, source.frames) == ((6, 8), 2, 5)
    np.testing.assert_array_equal(source.read(1, 2, 3)["u"][0], numbers(2, 5, 8, 6)[1, 2].T)


def test_what_is_behind_links_is_passed_over(tmp_path):
    path = tmp_path / "linked.h5"
    with h5py.File(path, "w") as f:
        f["a/u"] = numbers(4, 5, 6, 7)
        f["a/around"] = f["a"]  # a circle
        f["a/soft"] = h5py.SoftLink("/a/u")
        f["a/elsewhere"] = h5py.ExternalLink("other.h5", "/u")
    source = open_data(path, axes="trajectory,time,x,y", is_torus=True)
    assert source.spatial == (6, 7) and [each.name for each in source.schema] == ["u"]


def test_files_without_fields_are_refused(tmp_path):
    path = tmp_path / "none.h5"
    with h5py.File(path, "w") as f:
        f["a/weights"] = numbers(400)
    with pytest.raises(FileError, match="none of the known layouts"):
        open_data(path)


def test_what_is_no_array_of_real_numbers_is_said(tmp_path):
    waves = U * np.complex64(1j)
    with h5py.File(tmp_path / "both.h5", "w") as f:
        f["u"], f["psi"] = U, waves
    source = open_data(tmp_path / "both.h5", axes="trajectory,time,x,y")
    assert any("'psi' is left out: it holds values of type complex64" in note for note in source.notes)
    with h5py.File(tmp_path / "alone.h5", "w") as f:
        f["psi"] = waves
    for path in ("both.h5", "alone.h5"):
        with pytest.raises(FileError, match="field 'psi': it holds values of type complex64"):
            open_data(tmp_path / path, axes="trajectory,time,x,y", fields=["psi:0+"])
    with pytest.raises(FileError, match="complex64, expected real numbers"):
        open_data(tmp_path / "alone.h5")
