"""NumPy files with and without a schema."""

import json
import zipfile

import numpy as np
import pytest
from data.layouts import numbers

from ginjax.data import Field, open_data
from ginjax.data.readers import _numpy_file
from ginjax.errors import ArgumentError, FileError

SCHEMA = {
    "dimension": 2,
    "spacing": 0.25,
    "time_step": 0.1,
    "periodic": [True, False],
    "fields": [{"name": "v", "order": 1, "parity": "odd", "unit": "m/s"}, {"name": "p", "order": 0}],
    "constants": [{"name": "nu", "order": 0}],
}
ARRAYS = {"v": numbers(3, 5, 4, 6, 2), "p": numbers(3, 5, 4, 6).astype(float), "nu": numbers(3, 4, 6)}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_that_describes_itself(tmp_path, save):
    with open(tmp_path / "a", "wb") as stream:
        save(stream, schema=json.dumps(SCHEMA), **ARRAYS)
    source = open_data(tmp_path / "a")
    assert source.layout == "npz"
    assert source.schema == (Field("v", 1, 1, "m/s"), Field("p", 0, 0, "1"))
    assert source.constants == (Field("nu", 0, 0, "1"),)
    assert (source.spatial, source.spacing, source.time_step) == ((4, 6), 0.25, 0.1)
    assert source.is_torus == (True, False) and source.notes == ()
    frames = source.read(2, 1, 3)
    np.testing.assert_array_equal(frames["v"], ARRAYS["v"][2, 1:3])
    np.testing.assert_array_equal(frames["p"], ARRAYS["p"][2, 1:3])
    np.testing.assert_array_equal(source.read_constants(2)["nu"], ARRAYS["nu"][2])
    assert frames["p"].dtype == np.float32


def test_a_bare_array_needs_the_user(tmp_path):
    array = np.asfortranarray(numbers(3, 5, 6, 6, 2))
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ArgumentError, match=r"axes=\['trajectory,time,x,y,component'\].*a vector"):
        open_data(tmp_path / "a.npy")
    source = open_data(tmp_path / "a.npy", fields=["velocity:1+=data"])
    assert (source.D, source.spatial, source.spacing) == (2, (6, 6), None)
    np.testing.assert_array_equal(source.read(1, 0, 2)["velocity"], array[1, :2])
    # the same numbers on a three-dimensional grid, if the user says so
    axes = "trajectory,time,x,y,z"
    assert open_data(tmp_path / "a.npy", fields=["density:0+=data"], axes=axes).spatial == (6, 6, 2)


def test_arrays_are_mapped_and_not_read(tmp_path):
    # 40 GB in a sparse file: to read it all would not fit.
    shape = (100, 1000, 10**5)
    with open(tmp_path / "a.npy", "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
        stream.truncate(stream.tell() + 4 * int(np.prod(shape)))
    source = open_data(tmp_path / "a.npy", axes="trajectory,time,x", fields=["u:0+=data"])
    assert source.read(99, 999, 1000)["u"].shape == (1, 10**5)


def damaged_schema(path, **change):
    np.savez(path, schema=json.dumps(SCHEMA | change), **ARRAYS)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dimension": 3}, r"array 'v' of the schema: its shape is \(3, 5, 4, 6, 2\), expected"),
        ({"dimension": 0}, "field 'dimension'"),
        ({"dimension": None}, "field 'dimension'"),
        ({"fields": [{"name": "q", "order": 0}]}, "array 'q' of the schema is missing"),
        ({"fields": [{"order": 0}]}, "field 'name' is missing"),
        ({"fields": 3}, "field 'fields'"),
        ({"fields": [{"name": "v", "order": 1, "parity": ["odd"]}]}, "field 'parity'"),
        ({"periodic": [True]}, "field 'periodic'"),
        ({"periodc": False}, "entry 'schema': got key 'periodc'.*Is 'periodic' meant"),
        ({"time-step": 0.1}, "entry 'schema': got key 'time-step'.*Is 'time_step' meant"),
        ({"fields": [{"name": "v", "order": 1, "pairty": "odd"}]}, "fields of the schema: got key 'pairty'"),
        ({"periodic": "yes"}, "field 'periodic'"),
        ({"spacing": -1.0}, "field 'spacing'"),
        ({"spacing": float("nan")}, "NaN is not a JSON value"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(tmp_path, change, problem):
    damaged_schema(tmp_path / "a.npz", **change)
    with pytest.raises(FileError, match=problem) as caught:
        open_data(tmp_path / "a.npz")
    assert str(tmp_path / "a.npz") in str(caught.value)


def test_axes_of_an_array_that_no_schema_names_are_refused(tmp_path):
    damaged_schema(tmp_path / "a.npz")
    with pytest.raises(ArgumentError, match="`axes` of array 'q': got no such array in the schema"):
        open_data(tmp_path / "a.npz", axes={"q": "time,x,y"})


def pickled(path):
    np.savez(path, a=np.array([{}], dtype=object))


def cut(path):
    damaged_schema(path)
    path.write_bytes(path.read_bytes()[:-400])


def boastful(path):
    np.save(path, numbers(3, 5, 4))
    path.write_bytes(path.read_bytes().replace(b"(3, 5, 4)", b"(3, 5, 9)"))


def deep(path):
    np.savez(path, schema="[" * 10**5, a=numbers(3, 5, 4))


def not_text(path):
    np.savez(path, schema=numbers(3), a=numbers(3, 5, 4))


def junk_inside(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00\xff\xff junk")


def truthful(path):
    """A side that is a truth value, packed."""
    np.savez(path.with_suffix(".sound.npz"), a=numbers(3, 5, 4))
    with zipfile.ZipFile(path.with_suffix(".sound.npz")) as sound:
        content = sound.read("a.npy")
    path.with_suffix(".sound.npz").unlink()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content.replace(b"(3, 5, 4), }   ", b"(True, 5, 4), }"))


@pytest.mark.parametrize("write", [truthful, pickled, cut, boastful, deep, not_text, junk_inside])
def test_a_hostile_file_is_one_error(tmp_path, write):
    write(tmp_path / "a.npy" if write is boastful else tmp_path / "a.npz")
    with pytest.raises(FileError):
        open_data(next(tmp_path.iterdir()), fields=["a:0+"])


def test_a_packed_array_is_not_unpacked_beyond_a_limit(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros((10, 10, 1000), np.float32))
    assert open_data(tmp_path / "a.npz", fields=["a:0+"], axes="trajectory,time,x").frames == 10
    monkeypatch.setattr(_numpy_file, "MAX_UNPACKED", 10**5)
    with pytest.raises(FileError, match="compressed and takes 400128 bytes"):
        open_data(tmp_path / "a.npz", fields=["a:0+"])


def test_flipped_bytes_are_noticed(tmp_path):
    np.savez(tmp_path / "whole.npz", schema=json.dumps(SCHEMA), **ARRAYS)
    whole, readable = (tmp_path / "whole.npz").read_bytes(), 0
    expected = open_data(tmp_path / "whole.npz").read(0, 0, 1)
    rng = np.random.default_rng(0)
    for i in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole) if i % 2 else 1000, size=1 + i % 4):
            damaged[place] = rng.integers(256)
        path = tmp_path / f"damaged {i}"
        path.write_bytes(damaged)
        try:
            with open_data(path, ask=False) as source:
                found = source.read(0, 0, 1)
            readable += 1
            assert all((found[name] == expected[name]).all() for name in found)
        except (FileError, ArgumentError):
            pass
    assert readable < 6  # what was hit there means nothing


@pytest.mark.parametrize(
    "shape, message",
    [
        ((0, 3, 4, 5), "trajectories: got 0, expected at least 1"),
        ((2, 0, 4, 5), "frames: got 0"),
        ((2, 3, 4, 0), "grid: got 4x0"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_an_empty_axis_is_no_data(tmp_path, shape, message, compressed):
    schema = {"dimension": 2, "fields": [{"name": "u", "order": 0, "parity": "even"}]}
    write = np.savez_compressed if compressed else np.savez
    write(tmp_path / "a.npz", u=np.zeros(shape, np.float32), schema=json.dumps(schema))
    with pytest.raises(FileError, match=message):
        open_data(tmp_path / "a.npz")


@pytest.mark.parametrize("what", ["sound", "two sizes", "strongly encrypted", "another name"])
def test_an_entry_that_contradicts_itself_is_refused(tmp_path, what):
    """NumPy refuses such entries too; their values could be those of another archive."""
    path = tmp_path / "a.npz"
    schema = {"dimension": 2, "fields": [{"name": "u", "order": 0, "parity": "even"}]}
    np.savez(path, u=numbers(2, 3, 4, 5), schema=json.dumps(schema))
    content = bytearray(path.read_bytes())
    local, central = content.index(b"u.npy") - 30, content.rindex(b"u.npy") - 46
    if what == "two sizes":
        content[central + 20 : central + 24] = bytes(4)
    elif what == "strongly encrypted":
        content[central + 8] |= 0x40
    elif what == "another name":
        content[local + 30] = ord("w")
    path.write_bytes(content)
    if what == "sound":
        np.testing.assert_array_equal(open_data(path).read(1, 0, 3)["u"], numbers(2, 3, 4, 5)[1])
        return
    with pytest.raises(FileError, match=r"corrupt|encrypted"):
        open_data(path).read(1, 0, 3)
