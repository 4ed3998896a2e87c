"""Checkpoints of Equinox: every record, and nothing that would not be a number or not be there."""

import io

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ginjax.checkpoint import is_eqx, read_eqx, read_file
from ginjax.errors import FileError

ARRAYS = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.float64(2.5),
    np.array([True, False]),
    np.zeros((0, 3), np.float32),
    np.asfortranarray(np.arange(12, dtype=">i4").reshape(3, 4)),
]


def records(*arrays) -> bytes:
    stream = io.BytesIO()
    for array in arrays:
        np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


@pytest.fixture
def written(tmp_path):
    def write(content: bytes):
        path = tmp_path / "run.eqx"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("line", "further"),
    [(b"", None), (b'{"depth": 2}\n', {"depth": 2}), (b"[1, 2]\r\n", [1, 2]), (b"3\n", 3)],
)
def test_every_array_and_the_line_before(written, line, further):
    path = written(line + records(*ARRAYS))
    assert is_eqx(path)
    found = read_eqx(path)
    assert found.further == further and len(found.arrays) == len(ARRAYS)
    for array, wanted in zip(found.arrays, ARRAYS, strict=True):
        assert (array.shape, array.dtype) == (wanted.shape, wanted.dtype.newbyteorder("="))
        assert np.array_equal(array, wanted) and array.flags.c_contiguous


def test_bfloat16_as_numpy_writes_it(written):
    wanted = np.array([1.5, -2, 0.125], ml_dtypes.bfloat16)
    (found,) = read_eqx(written(records(wanted))).arrays
    assert found.dtype == ml_dtypes.bfloat16 and np.array_equal(found, wanted)


def test_one_array_is_an_array_and_no_checkpoint(written):
    assert not is_eqx(written(records(ARRAYS[0])))
    for content in (b"", b"\x93NUMPY", b"{}\n", b"text", b"PK\x03\x04" + bytes(50)):
        assert not is_eqx(written(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (records(*ARRAYS)[:-1], "the file ends after"),
        (records(ARRAYS[0]) + b"\x93NUMPY", "no array can be read"),
        (records(ARRAYS[0]) + b"rest", "no array can be read"),
        (records(ARRAYS[0], np.array([{}], object)), "no number"),
        (records(ARRAYS[0], np.array(["text"])), "no number"),
        (records(ARRAYS[0], np.zeros(2, "f4,i4")), "no number"),
        (b"not json\n" + records(*ARRAYS), "neither with an array"),
        (b'{"a": 1, "a": 2}\n' + records(*ARRAYS), "neither with an array"),
        (b"{}\n", "holds no array"),
        (b"", "holds no array"),
        (records(ARRAYS[0]).replace(b"(2, 3)", b"(-2, 3)"), "impossible shape"),
        (records(ARRAYS[0]).replace(b"(2, 3), }  ", b"(2, 30000), }"), "the file ends after"),
        (records(ARRAYS[0]).replace(b"\x01\x00", b"\x07\x00", 1), "no array can be read"),
    ],
)
def test_what_is_refused(written, content, words):
    with pytest.raises(FileError, match=words):
        read_eqx(written(content))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_changed_by_chance(tmp_path, data):
    """No crash, and no memory beyond the file's own size."""
    content = bytearray(b'{"depth": 2}\n' + records(*ARRAYS))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "run.eqx"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    is_eqx(path)
    try:
        found = read_eqx(path)
    except FileError:
        return
    assert sum(array.nbytes for array in found.arrays) <= len(content)


def test_other_readers_say_what_it_is(written):
    for line in (b"", b'{"depth": 2}\n'):
        with pytest.raises(FileError, match=r"checkpoint of Equinox .*ginjax import"):
            read_file(written(line + records(*ARRAYS)))
    with pytest.raises(FileError, match="NumPy array"):
        read_file(written(records(ARRAYS[0])))
