"""NumPy's own files, memory-mapped and not read as a whole; nothing in them is unpickled."""

from __future__ import annotations

import contextlib
import math
import struct
import threading
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import IO, Any

import numpy as np

from ginjax.checkpoint import JsonProblem, opened, parse_json
from ginjax.errors import FileError

SCHEMA = "schema"
ALONE = "data"
MAX_UNPACKED = 2**28
"""Most bytes of a compressed array: a part of it cannot be read without everything before it."""

MAX_UNPACKED_TOGETHER = 2**30
"""Most bytes of all compressed arrays of a file that are used; others are never unpacked."""

MAX_SUMMED = 2**28
"""Most bytes of an array that is compared with its checksum, because this reads all of it."""

MAX_ARRAYS = 2**14
MAX_SCHEMA = 2**20
_NUMBERS = "fiub"
_CORRUPT = (
    OSError, ValueError, KeyError, EOFError, OverflowError, RecursionError, NotImplementedError, RuntimeError,
    TypeError, zipfile.BadZipFile, zlib.error, struct.error,
    SyntaxError, tokenize.TokenError,  # NumPy reads its headers as Python literals
)  # fmt: skip
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_UNREADABLE = 0x61
"""Flags of an entry that is encrypted, strongly encrypted, or a patch of another one (APPNOTE of the format, 4.4.4)."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class NumpyArray:
    """An array in a file: its shape, and its values, which are memory-mapped, or unpacked on first use.

    An array of anything but numbers, such as texts, is not read, and `problem` says so.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    load: Callable[[], np.ndarray]
    problem: str | None = None

    @property
    def values(self) -> np.ndarray:
        """All values.

        **Raises:** `FileError` for a compressed array that is damaged, or does not fit beside those in use.
        """
        return self.load()


def read_numpy(path: str) -> tuple[dict[str, NumpyArray], Mapping[str, Any] | None]:
    """The arrays of an `.npz`, or that of an `.npy` under the name `data`, and the schema if there is one.

    **Raises:** `FileError` if the file is neither, or is damaged.
    """
    with _reported(path), opened(path) as (stream, size):
        if zipfile.is_zipfile(stream):
            return _read_npz(path, stream, size)
        stream.seek(0)
        return {ALONE: _map(path, ALONE, stream, size)}, None


@contextlib.contextmanager
def _reported(path: str) -> Iterator[None]:
    """Report what NumPy and zipfile raise for a damaged file, in one line."""
    try:
        yield
    except FileError:
        raise
    except _CORRUPT as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FileError(
            f"{path}: cannot be read: {reason}", hint="The file is corrupt, or not a NumPy file."
        ) from error


def _read_npz(
    path: str, stream: IO[bytes], size: int
) -> tuple[dict[str, NumpyArray], Mapping[str, Any] | None]:
    arrays: dict[str, NumpyArray] = {}
    schema = None
    packed = _Packed(path)
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if len(members) > MAX_ARRAYS:
            raise FileError(f"{path}: arrays in it", got=len(members), expected=f"at most {MAX_ARRAYS}")
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name in arrays or (name == SCHEMA and schema is not None):
                raise FileError(f"{path}: array '{name}' is there twice", hint="The file is corrupt.")
            if name == SCHEMA:
                schema = _read_schema(archive, member, path)
            elif member.compress_type not in _METHODS or member.flag_bits & _UNREADABLE:
                raise FileError(
                    f"{path}: entry '{name}'",
                    got="packed by another method, or encrypted",
                    expected="stored or deflated, as NumPy writes",
                )
            elif member.compress_type == zipfile.ZIP_STORED:
                stream.seek(member.header_offset)
                header = stream.read(_LOCAL_HEADER.size)
                signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
                called = {member.orig_filename.encode(each, "replace") for each in ("utf-8", "cp437")}
                if (
                    signature != b"PK\x03\x04"
                    or member.compress_size != member.file_size
                    or stream.read(name_length) not in called
                ):
                    raise FileError(f"{path}: entry '{name}' is corrupt")
                start = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
                stream.seek(start)
                sound = cache(partial(_check_sum, path, name, start, member.file_size, member.CRC))
                arrays[name] = _map(path, name, stream, min(start + member.file_size, size), sound)
            else:
                arrays[name] = packed.array(archive, member, name)
    return arrays, schema


def _read_schema(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> Mapping[str, Any]:
    where = f"{path}: entry '{SCHEMA}'"
    if member.file_size > 5 * MAX_SCHEMA:
        raise FileError(where, got=f"{member.file_size} bytes", expected=f"at most {5 * MAX_SCHEMA}")
    with archive.open(member) as stream:
        shape, _, dtype = _any_header(path, SCHEMA, stream)
        if dtype.kind not in "US" or shape or dtype.itemsize > 4 * MAX_SCHEMA:
            raise FileError(where, got=f"{dtype} of shape {shape}", expected="one JSON text")
        value = np.frombuffer(stream.read(dtype.itemsize), dtype)[0]
    try:
        schema = parse_json(value if isinstance(value, bytes) else str(value))
    except JsonProblem as problem:
        raise FileError(f"{where} cannot be read: {problem}", hint="Write it anew.") from problem
    if not isinstance(schema, dict):
        raise FileError(where, got=type(schema).__name__, expected="a JSON object")
    return schema


def _map(
    path: str, name: str, stream: IO[bytes], end: int, sound: Callable[[], None] = lambda: None
) -> NumpyArray:
    """The array at the position of a stream, which must end before `end`; `sound` is called when the array is used."""
    shape, fortran, dtype = _any_header(path, name, stream)
    if dtype.kind not in _NUMBERS:
        return _no_numbers(shape, dtype)
    offset = stream.tell()
    if offset + math.prod(shape) * dtype.itemsize > end:
        raise FileError(f"{path}: array '{name}' is cut short", hint="The file is truncated or corrupt.")
    if 0 in shape:
        return NumpyArray(shape, dtype, partial(np.empty, shape, dtype))
    mapped = np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")

    def load() -> np.ndarray:
        sound()
        return mapped

    return NumpyArray(shape, dtype, load)


def _check_sum(path: str, name: str, start: int, length: int, expected: int) -> None:
    """Compare the bytes of an entry with its checksum in the archive, unless they are too many."""
    if length > MAX_SUMMED:
        return
    found = 0
    with opened(path) as (stream, _):
        stream.seek(start)
        while length > 0 and (block := stream.read(min(length, 2**20))):
            found = zlib.crc32(block, found)
            length -= len(block)
    if found != expected:
        raise FileError(f"{path}: array '{name}' does not match its checksum", hint="The file is corrupt.")


class _Packed:
    """The compressed arrays of an `.npz`, each unpacked on first use.

    **Arguments:**

    - `path`: the file.
    """

    def __init__(self, path: str):
        self._path = path
        self._values: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()  # a thread that reads ahead may share the file with the one that trains

    def array(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> NumpyArray:
        """An array of which only the header has been read."""
        if member.file_size > MAX_UNPACKED:
            raise self._too_large(f"array '{name}' is compressed and takes", member.file_size, MAX_UNPACKED)
        with archive.open(member) as stream:
            shape, fortran, dtype = _any_header(self._path, name, stream)
            begin = stream.tell()
        if dtype.kind not in _NUMBERS:
            return _no_numbers(shape, dtype)
        size = math.prod(shape) * dtype.itemsize
        if begin + size > member.file_size:
            raise self._cut_short(name)

        def load() -> np.ndarray:
            with self._lock:
                if name not in self._values:
                    flat = self._unpacked(member, name, begin, size)
                    values = np.frombuffer(flat, dtype).reshape(shape, order="F" if fortran else "C")
                    self._values[name] = values
                return self._values[name]

        return NumpyArray(shape, dtype, load)

    def _unpacked(self, member: zipfile.ZipInfo, name: str, begin: int, size: int) -> bytes:
        together = size + sum(each.nbytes for each in self._values.values())
        if together > MAX_UNPACKED_TOGETHER:
            raise self._too_large("its compressed arrays that are used take", together, MAX_UNPACKED_TOGETHER)
        with (
            _reported(self._path),
            opened(self._path) as (file, _),
            zipfile.ZipFile(file) as archive,
            archive.open(member) as stream,
        ):
            stream.read(begin)
            raw = stream.read(size)
            stream.read(1)  # the checksum is compared at the end
        if len(raw) != size:
            raise self._cut_short(name)
        return raw

    def _cut_short(self, name: str) -> FileError:
        return FileError(
            f"{self._path}: array '{name}' is cut short", hint="The file is truncated or corrupt."
        )

    def _too_large(self, what: str, got: int, most: int) -> FileError:
        return FileError(
            f"{self._path}: {what} {got} bytes unpacked",
            expected=f"at most {most}",
            hint="Write it with numpy.savez (not savez_compressed) or as HDF5, so that parts of it can be read.",
        )


def _no_numbers(shape: tuple[int, ...], dtype: np.dtype) -> NumpyArray:
    return NumpyArray(
        shape, dtype, partial(np.empty, 0), f"it holds values of type {dtype}, expected real numbers"
    )


def _any_header(path: str, name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise FileError(f"{path}: array '{name}'", got=f"NumPy format {version}", expected="1.0 or 2.0")
    shape, fortran, dtype = _HEADERS[version](stream)
    if any(type(side) is not int or side < 0 for side in shape):  # NumPy accepts a boolean as an integer
        raise FileError(
            f"{path}: array '{name}'", got=f"shape {shape}", expected="whole numbers >= 0 as sides"
        )
    return shape, fortran, dtype
