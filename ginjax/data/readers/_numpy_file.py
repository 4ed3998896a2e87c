"""NumPy's own files, mapped and not read; nothing in them is unpickled."""

from __future__ import annotations

import json
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, NoReturn

import numpy as np

from ginjax.errors import FileError

SCHEMA = "schema"
ALONE = "data"
MAX_UNPACKED = 2**28
MAX_SCHEMA = 2**20
_NUMBERS = "fiub"
_CORRUPT = (
    OSError, ValueError, KeyError, EOFError, OverflowError, RecursionError, NotImplementedError, RuntimeError,
    TypeError, zipfile.BadZipFile, zlib.error, struct.error,
    SyntaxError, tokenize.TokenError,  # NumPy reads its headers as Python literals
)  # fmt: skip
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class NumpyArray:
    """An array in a file: its shape, and its values, which are mapped unless they were packed.

    An array of anything but numbers, such as texts, is not read, and `problem` says so.
    """

    shape: tuple[int, ...]
    values: np.ndarray
    problem: str | None = None


def read_numpy(path: str) -> tuple[dict[str, NumpyArray], Mapping[str, Any] | None]:
    """The arrays of an `.npz`, or the one of an `.npy` under the name `data`, and the schema if there is one.

    **Raises:** `FileError` if the file is neither, or corrupt.
    """
    try:
        if zipfile.is_zipfile(path):
            return _read_npz(path)
        with open(path, "rb") as stream:
            return {ALONE: _map(path, ALONE, stream, os.path.getsize(path))}, None
    except FileError:
        raise
    except _CORRUPT as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FileError(
            f"{path}: cannot be read: {reason}", hint="The file is corrupt, or not a NumPy file."
        ) from error


def _read_npz(path: str) -> tuple[dict[str, NumpyArray], Mapping[str, Any] | None]:
    arrays: dict[str, NumpyArray] = {}
    schema = None
    with zipfile.ZipFile(path) as archive, open(path, "rb") as stream:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == SCHEMA:
                schema = _read_schema(archive, member, path)
            elif member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1:
                stream.seek(member.header_offset)
                header = stream.read(_LOCAL_HEADER.size)
                signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
                if signature != b"PK\x03\x04":
                    raise FileError(f"{path}: entry '{name}' is corrupt")
                start = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
                stream.seek(start)
                arrays[name] = _map(path, name, stream, start + member.file_size)
            else:
                arrays[name] = _unpack(archive, member, path, name)
    return arrays, schema


def _read_schema(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> Mapping[str, Any]:
    where = f"{path}: entry '{SCHEMA}'"
    with archive.open(member) as stream:
        shape, _, dtype = _any_header(path, SCHEMA, stream)
        if dtype.kind not in "US" or shape or dtype.itemsize > 4 * MAX_SCHEMA:
            raise FileError(where, got=f"{dtype} of shape {shape}", expected="one JSON text")
        value = np.frombuffer(stream.read(dtype.itemsize), dtype)[0]
    text = value.decode() if isinstance(value, bytes) else str(value)
    schema = json.loads(text, parse_constant=_refuse_number)
    if not isinstance(schema, dict):
        raise FileError(where, got=type(schema).__name__, expected="a JSON object")
    return schema


def _refuse_number(name: str) -> NoReturn:
    raise ValueError(f"the schema holds {name}")


def _map(path: str, name: str, stream: IO[bytes], end: int) -> NumpyArray:
    """The array at the position of a stream, which must end before `end`."""
    shape, fortran, dtype = _any_header(path, name, stream)
    if dtype.kind not in _NUMBERS:
        return _no_numbers(shape, dtype)
    offset = stream.tell()
    if offset + math.prod(shape) * dtype.itemsize > min(end, os.path.getsize(path)):
        raise FileError(f"{path}: array '{name}' is cut short", hint="The file is truncated or corrupt.")
    if 0 in shape:
        return NumpyArray(shape, np.empty(shape, dtype))
    order = "F" if fortran else "C"
    return NumpyArray(shape, np.memmap(path, dtype, "r", offset, shape, order))


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, name: str) -> NumpyArray:
    if member.file_size > MAX_UNPACKED:
        raise FileError(
            f"{path}: array '{name}' is compressed and takes {member.file_size} bytes unpacked",
            expected=f"at most {MAX_UNPACKED}",
            hint="Write it with numpy.savez (not savez_compressed) or as HDF5, so that parts of it can be read.",
        )
    with archive.open(member) as stream:
        shape, fortran, dtype = _any_header(path, name, stream)
        if dtype.kind not in _NUMBERS:
            return _no_numbers(shape, dtype)
        size = math.prod(shape) * dtype.itemsize
        raw = stream.read(min(size, MAX_UNPACKED) + 1)
    if len(raw) != size:
        raise FileError(f"{path}: array '{name}' is cut short", hint="The file is truncated or corrupt.")
    return NumpyArray(shape, np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C"))


def _no_numbers(shape: tuple[int, ...], dtype: np.dtype) -> NumpyArray:
    return NumpyArray(shape, np.empty(0), f"it holds values of type {dtype}, expected real numbers")


def _any_header(path: str, name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise FileError(f"{path}: array '{name}'", got=f"NumPy format {version}", expected="1.0 or 2.0")
    shape, fortran, dtype = _HEADERS[version](stream)
    if any(side < 0 for side in shape):
        raise FileError(f"{path}: array '{name}'", got=f"shape {shape}", expected="sides >= 0")
    return shape, fortran, dtype
