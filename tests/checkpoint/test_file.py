"""Round trips, determinism, and what a file is to the rest of the world."""

import hashlib
import json
import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from raw_files import with_checksum

from ginjax.checkpoint import ArraySpec, check_finite, read_file, read_header, write_file
from ginjax.errors import ArgumentError, FileError, NumericsError
from ginjax.transfer import array_digest, model_digest

HEADER = {"kind": "model", "spec": {"width": 4, "name": "Größe"}, "empty": [], "none": None, "x": 0.1}
DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", ml_dtypes.bfloat16,
]  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_round_trip_of_header_and_every_dtype(path):
    arrays = {f"a.{np.dtype(d).name}": np.arange(6).reshape(2, 3).astype(d) for d in DTYPES}
    arrays |= {"scalar": np.array(2.5), "empty": np.zeros((3, 0, 2), np.float32), "名前": np.ones(1)}
    digest = write_file(path, arrays, HEADER)
    found = read_file(path, kind="model")
    checksum = found.header.pop("checksum")
    assert found.header == {**HEADER, "schema": 2}
    assert checksum == model_digest(arrays, found.header)
    assert list(found.arrays) == sorted(arrays)
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()
        assert found.arrays[name].flags.writeable and found.arrays[name].flags.aligned
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_header_is_read_without_the_data(path):
    write_file(path, {"b": np.zeros((2, 3)), "a": np.zeros(1, ml_dtypes.bfloat16)}, HEADER)
    header, arrays = read_header(path, "model")
    assert header["spec"] == HEADER["spec"]
    assert list(arrays.items()) == [("a", ArraySpec("bfloat16", (1,))), ("b", ArraySpec("float64", (2, 3)))]
    assert arrays["b"].size == 6


def test_equal_input_gives_equal_bytes(path):
    first = {"a": np.ones(2), "b": np.zeros(3, np.int8), "c": np.zeros((1, 2), np.float32)}
    write_file(path, first, {"kind": "data", "x": {"p": 1, "q": 2}})
    before = path.read_bytes()
    write_file(path, dict(reversed(first.items())), {"x": {"q": 2, "p": 1}, "kind": "data"}, force=True)
    assert path.read_bytes() == before
    write_file(path, first, {"kind": "data", "x": {"p": 1, "q": 3}}, force=True)
    assert path.read_bytes() != before


def test_bytes_do_not_depend_on_the_process(path, tmp_path):
    code = (
        "import numpy as np, sys; from ginjax.checkpoint import write_file\n"
        "write_file(sys.argv[1], {c: np.full(2, i) for i, c in enumerate('xyzuvw')}, {'kind': 'data'})"
    )
    contents = set()
    for seed in ("1", "2"):
        target = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", code, target], check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        contents.add(target.read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.arange(5.0)[::-1],
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.broadcast_to(np.float32(3), (2, 2)),
        np.arange(4, dtype=">f4"),
    ],
    ids=["transposed", "strided", "reversed", "fortran", "broadcast", "big-endian"],
)
def test_memory_layout_does_not_matter(path, array):
    write_file(path, {"a": array}, {"kind": "data"})
    assert np.array_equal(read_file(path).arrays["a"], array)
    assert array_digest({"a": array}) == array_digest(
        {"a": np.array(array.tolist(), array.dtype.newbyteorder("="))}
    )


def test_the_safetensors_library_reads_our_files(path):
    arrays = {"a": np.arange(3.0), "b": np.array(True)}
    write_file(path, arrays, {"kind": "data"})
    found = safetensors.numpy.load_file(path)
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    with safetensors.safe_open(path, "np") as stream:
        header = json.loads(stream.metadata()["ginjax"])
    assert header == with_checksum({"kind": "data", "schema": 2}, arrays)


def test_files_of_other_programs_are_refused(path):
    safetensors.numpy.save_file({"a": np.zeros(2)}, path, metadata={"format": "np"})
    with pytest.raises(FileError, match="no model of ginjax"):
        read_file(path)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kind": "pickle"},
        {"kind": "model", "schema": 1},
        {"kind": "model", "schema": 3},
        {"kind": "model", "x": float("nan")},
        {"kind": "model", "x": float("inf")},
        {"kind": "model", "x": {1: 2}},
        {"kind": "model", "x": np.ones(2)},
    ],
    ids=str,
)
def test_headers_that_cannot_be_stored(path, header):
    with pytest.raises(ArgumentError):
        write_file(path, {}, header)
    assert not path.exists()


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": np.ones(2, complex)},
        {"a": np.array(["x"])},
        {"a": np.array([None])},
        {"a": np.zeros((1,) * 17)},
    ],
    ids=["complex", "text", "object", "rank"],
)
def test_arrays_that_cannot_be_stored(path, arrays):
    with pytest.raises(ArgumentError):
        write_file(path, arrays, {"kind": "data"})
    assert not path.exists()


def test_missing_file_folder_and_device(tmp_path, path):
    for target, message in [
        (path, "no such file"),
        (tmp_path, "is a folder"),
        ("/dev/null", "not a regular file"),
        (path / "below", "no such file"),
        ("a\0b", "not the name of a file"),
    ]:
        with pytest.raises(FileError, match=message):
            read_file(target)
    path.write_bytes(b"")
    with pytest.raises(FileError, match="Not a directory"):
        read_file(path / "below")


def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="not a regular file"):
        read_file(tmp_path / "pipe")


def test_digest_sees_names_dtypes_shapes_and_values():
    base = {"a": np.zeros((2, 3), np.float32), "b": np.ones(1)}
    assert array_digest(base) == array_digest(dict(reversed(base.items())))
    others = [
        {"a": base["a"]},
        {"c": base["a"], "b": base["b"]},
        {**base, "a": base["a"].reshape(3, 2)},
        {**base, "a": base["a"].view(np.int32)},
        {**base, "b": np.nextafter(base["b"], 2)},
    ]
    assert len({array_digest(arrays) for arrays in [base, *others]}) == 1 + len(others)


def test_digest_is_stable():
    """A constant of the format: certificates in files compare with it."""
    arrays = {"w": np.arange(3, dtype=np.float32)}
    content = b'["w","float32",[3]]\n' + np.arange(3, dtype="<f4").tobytes()
    assert array_digest(arrays) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(dtype, bad):
    sound = {"a": np.zeros(3, dtype), "count": np.arange(3), "flag": np.array([True])}
    check_finite(sound)
    with pytest.raises(NumericsError, match=r"'b'.*1 of 2"):
        check_finite({**sound, "b": np.array([0, bad], dtype)})


def test_values_are_not_checked_by_reading(path):
    write_file(path, {"a": np.array([np.nan])}, {"kind": "model"})
    with pytest.raises(NumericsError):
        check_finite(read_file(path).arrays)


def test_a_file_that_shrinks_while_it_is_read(path, monkeypatch):
    write_file(path, {"a": np.zeros(1000)}, {"kind": "data"})
    size = path.stat().st_size
    real = os.fstat
    os.truncate(path, size - 8)

    def earlier(descriptor):
        result = list(real(descriptor))
        result[6] = size
        return os.stat_result(result)

    monkeypatch.setattr(os, "fstat", earlier)
    with pytest.raises(FileError, match="became shorter"):
        read_file(path)


def test_the_package_stays_on_the_ground_floor():
    code = (
        "import sys, ginjax.checkpoint as c, ginjax.transfer as t\n"
        "assert [getattr(p, name) for p in (c, t) for name in p.__all__]\n"  # names are imported when first used
        "print([m for m in ('jax', 'equinox', 'jaxtyping', 'ml_dtypes', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
