"""Finding out what a file is, several files as one, and files that mean no good."""

import os

import h5py
import numpy as np
import pytest
from data.layouts import compressible, numbers, well_file

from ginjax.data import data_splits, open_data
from ginjax.data.sources import _joined
from ginjax.errors import ArgumentError, FileError

FIELDS = {"p": (0, numbers(3, 5, 4, 6), True, True, (True, True))}


def well(path, start=0.0, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"p": (0, numbers(3, 5, 4, 6, start=start), True, True, (True, True))}
    return well_file(path, fields, **more)


def test_a_folder_is_one_source_with_its_parts(tmp_path):
    for i, name in enumerate(("train/b.dat", "train/a.dat", "valid/c.dat")):
        well(tmp_path / "data" / name, start=1000 * i)
    (tmp_path / "stats.yaml").write_text("mean: 0")
    assert data_splits(tmp_path) == ("train", "valid")
    train = open_data(tmp_path, split="train")
    assert (train.trajectories, train.frames, train.split) == (6, 5, "train")
    # in the order of the names: a before b
    assert train.read(0, 0, 1)["p"].flat[0] == 1000 and train.read(3, 0, 1)["p"].flat[0] == 0
    assert open_data(tmp_path, split="valid").read(2, 4, 5)["p"].max() == 2000 + 359
    assert open_data(tmp_path).trajectories == 9
    assert data_splits(tmp_path / "data" / "train") == ()
    with pytest.raises(ArgumentError, match="has no part 'test'"):
        open_data(tmp_path, split="test")
    with pytest.raises(ArgumentError, match="split: got 'half'"):
        open_data(tmp_path, split="half")


def test_few_files_are_open_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(_joined, "OPEN_FILES", 2)
    source = open_data([well(tmp_path / str(i), start=1000 * i) for i in range(5)])

    def opened():
        return sum(s.found.close.__self__._file is not None for s in source.sources)  # pyright: ignore

    assert opened() == 0
    for i in (0, 12, 3, 14, 6, 0):
        assert source.read(i, 0, 1)["p"].flat[0] == 1000 * (i // 3) + 120 * (i % 3)
        assert 0 < opened() <= 2
    source.close()
    assert opened() == 0


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {"bc": "WALL"},
            "b: boundaries: got x not periodic and y periodic, expected x periodic and y periodic, as in .*a",
        ),
        ({"spacing": (1.0, 1.0)}, "b: grid spacing: got 1, expected 0.5, as in"),
        ({"scalars": {"nu": (numbers(3), True, False)}}, r"b: constants: got nu:0\+, expected none, as in"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, more, problem):
    paths = [well(tmp_path / "a"), well(tmp_path / "b", **more)]
    with pytest.raises(ArgumentError, match=problem):
        open_data(paths)


def external_link(f, path):
    with h5py.File(path.with_suffix(".other"), "w") as other:
        other["p"] = numbers(3, 5, 4, 6)
    f["t0_fields/p"] = h5py.ExternalLink(path.with_suffix(".other").name, "/p")


def soft_link(f, path):
    f["t0_fields/p"] = h5py.SoftLink("/dimensions/x")


def external_storage(f, path):
    secret = path.with_suffix(".secret")
    secret.write_bytes(b"x" * 2000)
    f["t0_fields"].create_dataset("p", (3, 5, 4, 6), "f4", external=[(str(secret), 0, 1440)])


def virtual(f, path):
    layout = h5py.VirtualLayout((3, 5, 4, 6), "f4")
    layout[:] = h5py.VirtualSource(str(path.with_suffix(".other")), "p", (3, 5, 4, 6))
    f["t0_fields"].create_virtual_dataset("p", layout)


def objects(f, path):
    f["t0_fields"].create_dataset("p", (3, 5, 4, 6), h5py.string_dtype())


def compound(f, path):
    f["t0_fields"].create_dataset("p", (3, 5, 4, 6), [("a", "f4")])


def huge_chunk(f, path):
    f["t0_fields"].create_dataset("p", (3, 5, 2**15, 2**15), "f4", chunks=(1, 1, 2**15, 2**14 + 1))


def wrong_flags(f, path):
    f["t0_fields"].create_dataset("p", (3, 5, 4, 6), "f4").attrs.update(
        sample_varying=np.ones(9, bool), time_varying="yes", dim_varying=h5py.Empty("f4")
    )


def many_trajectories(f, path):
    f["t0_fields"].create_dataset("p", (2**40, 5, 4, 6), "f4", chunks=(1, 5, 4, 6))
    f.attrs["n_trajectories"] = 2**40


def no_points(f, path):
    del f["dimensions/x"]
    f["dimensions"].create_dataset("x", (0,), "f4")
    f["t0_fields"].create_dataset("p", (3, 5, 0, 6), "f4")


def many_points(f, path):
    del f["dimensions/x"]
    f["dimensions"].create_dataset("x", (2**40,), "f4", chunks=(1024,))


def no_axes(f, path):
    del f["dimensions/x"]
    f["dimensions"].create_group("x")


@pytest.mark.parametrize(
    "damage",
    [external_link, soft_link, external_storage, virtual, objects, compound, huge_chunk, wrong_flags,
     many_trajectories, no_points, many_points, no_axes],
)  # fmt: skip
def test_a_hostile_file_is_one_error(tmp_path, damage):
    path = well_file(tmp_path / "a.h5", FIELDS)
    open_data(path)
    with h5py.File(path, "r+") as f:
        del f["t0_fields/p"]
        damage(f, path)
        if damage in (huge_chunk, many_trajectories, no_points):
            f["t0_fields/p"].attrs.update(sample_varying=True, time_varying=True, dim_varying=[True, True])
    with pytest.raises(FileError) as caught:
        open_data(path)
    assert str(path) in str(caught.value)


def test_a_truncated_file_is_an_error_when_opened_or_read(tmp_path):
    path = compressible(tmp_path / "a", sides=(16, 16))
    whole = path.read_bytes()
    open_data(path)
    for keep in (0, 4, 100, 700, 2000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        with pytest.raises(FileError):
            open_data(path).read(1, 0, 4)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_text("hello"), "holds text, not arrays: expected data: The Well, .*npy"),
        (lambda path: path.write_text(""), "is empty: expected data: The Well, .*npy.* written to its end"),
        (
            lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(64)),
            "is a picture: expected data: The Well",
        ),
        (lambda path: path.write_bytes(b"\xfe\xba" * 64), "is not a file of data: expected The Well"),
        (lambda path: path.mkdir(), "data files in it: got 0, expected one or more$"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: h5py.File(path, "w").close(), "has none of the known layouts"),
    ],
)
def test_what_is_no_data_is_said_so(tmp_path, make, problem):
    make(tmp_path / "a")
    with pytest.raises(FileError, match=problem):
        open_data(tmp_path / "a")


def test_the_type_of_an_attribute_of_axes_is_not_believed(tmp_path):
    """The library's own functions for dimension scales crash on such files."""
    for value in (1.5, np.zeros(3), b"x", ["", "time", "x", "y"]):
        path = compressible(tmp_path / "a.h5")
        with h5py.File(path, "r+") as file:
            file["density"].attrs["DIMENSION_LABELS"] = value
            file["density"].attrs["DIMENSION_LIST"] = value
        assert open_data(path).trajectories == 2


@pytest.mark.parametrize("name", ("x-coordinate", "t-coordinate"))
def test_coordinates_without_an_axis_are_refused(tmp_path, name):
    path = compressible(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = 1.0
    with pytest.raises(FileError, match="an axis at least"):
        open_data(path)
