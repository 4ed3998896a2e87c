"""MATLAB's files as SciPy and h5py write them: the axes are those that MATLAB shows."""

import h5py
import numpy as np
import pytest
from data.layouts import numbers
from scipy.io import savemat

from ginjax.data import open_data
from ginjax.errors import ArgumentError, FileError

U = numbers(3, 8, 8, 5)
"""As Fourier neural operators' data: trajectory, x, y, time."""

TIMES = 0.25 * np.arange(5)
AXES = "trajectory,x,y,time"


def version_5(path, arrays, **options):
    with open(path, "wb") as stream:
        savemat(stream, arrays, **options)
    return path


def version_7(path, arrays, *, header=True):
    """HDF5 with axes reversed, and MATLAB's header in the 512 bytes in front of it."""
    with h5py.File(path, "w", userblock_size=512 if header else 0) as file:
        for name, values in arrays.items():
            values = np.atleast_2d(values)
            file.create_dataset(name, data=values.astype("u1" if values.dtype == bool else values.dtype).T)
            kind = {"float32": "single", "float64": "double", "bool": "logical"}.get(
                str(values.dtype), "int64"
            )
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
        file.create_group("#refs#")
        file.create_dataset("label", data=np.array([[112, 113]], "u2")).attrs["MATLAB_class"] = np.bytes_(
            "char"
        )
    if header:
        with open(path, "r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


WRITERS = {
    "5": version_5,
    "5 compressed": lambda path, arrays: version_5(path, arrays, do_compression=True),
    "7.3": version_7,
    "7.3 without its header": lambda path, arrays: version_7(path, arrays, header=False),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_an_array_is_read_in_matlabs_order(tmp_path, write):
    path = write(tmp_path / "a", {"u": U, "t": TIMES, "x": 0.5 * np.arange(8), "y": 0.5 * np.arange(8)})
    source = open_data(path, axes=AXES)
    assert (source.layout, source.trajectories, source.frames, source.spatial) == ("matlab", 3, 5, (8, 8))
    assert (source.time_step, source.spacing) == (0.25, 0.5)
    for trajectory in range(3):
        np.testing.assert_array_equal(
            source.read(trajectory, 1, 4)["u"], np.moveaxis(U[trajectory], -1, 0)[1:4]
        )
    source.close()
    np.testing.assert_array_equal(source.read(2, 4, 5)["u"][0], U[2, ..., 4])


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_the_order_is_asked_for_and_what_is_no_field_is_left_out_with_a_word(tmp_path, write):
    path = write(tmp_path / "a", {"u": U, "nu": 0.001, "mask": np.ones((8, 8), bool)})
    with pytest.raises(ArgumentError, match="which axis of array 'u'"):
        open_data(path)
    source = open_data(path, axes=AXES)
    assert [each.name for each in source.schema] == ["u"] and source.time_step is None
    assert any("number 'nu' is left out" in note for note in source.notes)


def test_a_vector_and_a_logical_field(tmp_path):
    v, wet = numbers(2, 6, 6, 4, 2), np.ones((6, 6), bool)
    wet[2, 3] = False
    said = {"v": "trajectory,x,y,time,component", "wet": "x,y"}
    for write in (version_5, version_7):
        source = open_data(write(tmp_path / write.__name__, {"v": v, "wet": wet}), axes=said)
        assert source.schema[0].k == 1 and [each.name for each in source.constants] == ["wet"]
        np.testing.assert_array_equal(source.read(1, 2, 3)["v"][0], v[1, :, :, 2])
        np.testing.assert_array_equal(source.read_constants(0)["wet"], wet)


def test_scalars_that_look_like_the_components_of_a_vector_are_asked_about(tmp_path):
    path = version_5(tmp_path / "a", {"u": U, "v": U + 1})
    with pytest.raises(ArgumentError, match=r"whether u and v are .*`fields=\['velocity:1\+=u,v'\]`"):
        open_data(path, axes=AXES)
    source = open_data(path, axes=AXES, fields=["velocity:1+=u,v"])
    np.testing.assert_array_equal(source.read(0, 0, 1)["velocity"][0, ..., 1], U[0, ..., 0] + 1)
    assert len(open_data(path, axes=AXES, fields=["u:0+", "v:0+"]).schema) == 2


def test_times_that_contradict_the_array_or_are_not_equal_are_refused(tmp_path):
    with pytest.raises(FileError, match="got 5, expected 4, the number of points in 't'"):
        open_data(version_5(tmp_path / "a", {"u": U, "t": TIMES[:4]}), axes=AXES)
    with pytest.raises(FileError, match="do not increase in equal steps"):
        open_data(version_5(tmp_path / "b", {"u": U, "t": TIMES**2}), axes=AXES)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array(["text"]), "char"),
        ({"a": 1.0}, "struct"),
        (np.array([[1, 2], [3, "x"]], object), "cell"),
    ],
)
def test_what_is_no_array_of_numbers_is_no_field(tmp_path, values, words):
    path = version_5(tmp_path / "a", {"u": U, "odd": values})
    source = open_data(path, axes={"u": AXES})
    assert any("'odd' is left out" in note and words in note for note in source.notes)
    with pytest.raises(FileError, match=words):
        open_data(path, axes={"u": AXES}, fields=["odd:0+"])


def test_complex_numbers_are_refused(tmp_path):
    """When the file is opened: what is next to them can still be read."""
    path = version_5(tmp_path / "a", {"u": U, "psi": U * 1j})
    with pytest.raises(FileError, match="complex single, expected real numbers"):
        open_data(path, axes=AXES, fields=["psi:0+"])
    source = open_data(path, axes=AXES)
    assert [each.name for each in source.schema] == ["u"] and source.read(0, 0, 1)["u"].shape
    assert any("'psi' is left out" in note and "complex" in note for note in source.notes)


@pytest.mark.parametrize("flag", [False, True], ids=["sound", "said to be complex"])
def test_a_second_array_of_numbers_is_not_looked_for(tmp_path, flag):
    """SciPy reads whatever follows as imaginary parts, and takes its type from there."""
    path = version_5(tmp_path / "a", {"u": U, "name": "flow"})
    whole = bytearray(path.read_bytes())
    assert whole[144:146] == b"\x07\x00"  # single precision, no flags
    whole[145] |= flag << 3
    path.write_bytes(whole)
    if not flag:
        assert open_data(path, axes={"u": AXES}).read(0, 0, 1)["u"].shape
        return
    with pytest.raises(FileError, match="complex single, expected real numbers"):
        open_data(path, axes={"u": AXES})


def test_a_variable_without_a_name_is_no_field(tmp_path):
    """MATLAB keeps functions in one, and so does a file whose name was wiped out, with the type of its numbers."""
    path = version_5(tmp_path / "a", {"u": U, "v": U})
    whole = bytearray(path.read_bytes())
    at = whole.index(b"\x01\x00\x01\x00u")
    whole[at : at + 16] = b"\x01" + bytes(15)
    path.write_bytes(whole)
    source = open_data(path, axes={"v": AXES})
    assert list(source.read(0, 0, 1)) == ["v"]
    assert any("'__function_workspace__' is left out" in note and "no name" in note for note in source.notes)
    with pytest.raises(FileError, match="no name"):
        open_data(path, axes={"v": AXES}, fields=["__function_workspace__:0+"])


@pytest.mark.parametrize("kind", [0, 14, 0xE7])
def test_numbers_of_a_type_that_is_none_are_refused_before_they_are_read(tmp_path, kind):
    path = version_5(tmp_path / "a", {"u": U})
    whole = bytearray(path.read_bytes())
    at = whole.index(b"\x01\x00\x01\x00u") + 8  # the tag of the numbers is behind the name
    assert whole[at] == 7
    whole[at] = kind
    path.write_bytes(whole)
    with pytest.raises(FileError, match=f"bytes of type {kind}, expected numbers of shape"):
        open_data(path, axes=AXES).read(0, 0, 1)


@pytest.mark.parametrize("cut", [130, 200, 1000])
def test_a_damaged_file_is_one_line(tmp_path, cut):
    whole = version_5(tmp_path / "a", {"u": U}, do_compression=True).read_bytes()
    (tmp_path / "b").write_bytes(whole[:cut])
    with pytest.raises(FileError):
        open_data(tmp_path / "b", axes=AXES).read(0, 0, 1)


def test_an_array_far_larger_than_its_file_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("ginjax.data.readers._matlab.MAX_UNPACKED", 2**10)
    path = version_5(tmp_path / "a", {"u": np.zeros((3, 64, 64, 5))}, do_compression=True)
    with pytest.raises(FileError, match=r"save it with -v7\.3"):
        open_data(path, axes={"u": AXES}, fields=["u:0+"])
