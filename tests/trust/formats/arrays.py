"""Data in the formats of NumPy."""

import contextlib
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from data.layouts import numbers
from trust.formats._data import READ
from trust.formats._format import a_format, values_that_stand_there
from trust.mutators import changed_json, json_text

NPZ_SCHEMA = {
    "dimension": 2,
    "spacing": 0.5,
    "time_step": 0.1,
    "periodic": [True, False],
    "fields": [{"name": "p", "order": 0, "parity": "odd", "unit": "m"}, {"name": "v", "order": 1}],
    "constants": [{"name": "c", "order": 0}],
}


def npz_arrays() -> dict[str, np.ndarray]:
    return {
        "p": numbers(2, 3, 4, 5),
        "v": numbers(2, 3, 4, 5, 2, start=500).astype(np.float64),
        "c": numbers(2, 4, 5, start=900),
    }


def change_npz(path: Path, rng: np.random.Generator) -> None:
    """An archive that is sound, of arrays and a schema that may not be."""
    schema: Any = changed_json(NPZ_SCHEMA, rng) if rng.integers(2) else NPZ_SCHEMA
    text = np.array(json_text(schema, rng).replace("\x00", "")).astype(np.str_)
    method = zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, array in {**npz_arrays(), "schema": text}.items():
            content = _npy(array)
            if rng.integers(4) == 0:
                content = change_npy_header(content, rng)
            archive.writestr(f"{name}.npy", content)
            if rng.integers(12) == 0:
                archive.writestr(f"{name}.npy", _npy(array + 1 if array.dtype.kind == "f" else array))


def change_npy_header(content: bytes, rng: np.random.Generator) -> bytes:
    """Another shape, type or order in the header of an array."""
    length = struct.unpack("<H", content[8:10])[0]
    header, data = content[10 : 10 + length].decode("latin-1"), content[10 + length :]
    swaps = (
        ("'<f4'", "'<f8'"), ("'<f4'", "'|O'"), ("'<f4'", "'>f4'"), ("'<f4'", "'<c8'"), ("False", "True"), ("(2,", "(4,"),
        ("(2,", "(-2,"), ("(2,", "(2**40,"), ("(2,", "(1099511627776,"), ("(2, ", "("), ("'<f4'", "'<M8[s]'"),
        ("'<f4'", "[('a', '<f4')]"), ("{", "{" * 500), ("'shape'", "'shapes'"), ("(2,", "(True,"), ("(2,", "(0,"),
    )  # fmt: skip
    old, new = swaps[int(rng.integers(len(swaps)))]
    made = header.replace(old, new).encode("latin-1")
    version = b"\x93NUMPY\x01\x00" if rng.integers(8) else b"\x93NUMPY\x03\x00"
    return version + struct.pack("<H", len(made) % 2**16) + made + data


def change_npy(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(change_npy_header(path.read_bytes(), rng))


def _npy(array: np.ndarray) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def arrays_of_npz(path: Path) -> list[np.ndarray]:
    found = []
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            with contextlib.suppress(Exception):  # what NumPy refuses is not there
                found.append(archive[name])
    return [each for each in found if each.dtype.kind in "fiub"]


def arrays_of_npy(path: Path) -> list[np.ndarray]:
    return [np.load(path, allow_pickle=False)]


@a_format("npz", judge=values_that_stand_there(arrays_of_npz), aware=(change_npz,), **READ)
def npz(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, schema=json.dumps(NPZ_SCHEMA), **npz_arrays())


@a_format("npz, compressed", judge=values_that_stand_there(arrays_of_npz), aware=(change_npz,), **READ)
def npz_compressed(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(stream, schema=json.dumps(NPZ_SCHEMA), **npz_arrays())


@a_format("npy", judge=values_that_stand_there(arrays_of_npy), aware=(change_npy,), **READ)
def npy(path: Path) -> None:
    path.write_bytes(_npy(numbers(2, 5, 7, 9)))
