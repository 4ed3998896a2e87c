"""Checkpoints of Equinox (`.eqx`): the arrays of a model as consecutive `.npy` records without names."""

import ast
import math
import os
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from ginjax.errors import FileError

from ._format import MAX_RANK
from ._opened import opened
from ._strict_json import JsonProblem, parse_json

_MAGIC = b"\x93NUMPY"
_MAX_LINE = 2**20
_MAX_RECORDS = 100_000
_MAX_RECORD_HEADER = 10_000

_DAMAGED = "The file may be truncated or corrupt: fetch or write it again."


@dataclass(frozen=True)
class EqxFile:
    """The content of an `.eqx` file.

    **Arguments:**

    - `further`: the JSON value in the line before the arrays; None if there is no such line.
    - `arrays`: the arrays in the order of the tree of the saved model; the file has no names for them.
    - `path`: the file.
    """

    further: object
    arrays: tuple[np.ndarray, ...]
    path: Path


def is_eqx(path: str | os.PathLike[str]) -> bool:
    """Whether a file consists of several `.npy` records, with or without a line of JSON before them.

    A single record is a NumPy array, not a checkpoint.

    **Raises:** `FileError` for a file that cannot be opened.
    """
    with opened(path) as (stream, size):
        try:
            further_line(stream)
            _skip_record(stream, size, "")
        except FileError:
            return False
        return stream.read(len(_MAGIC)) == _MAGIC


def read_eqx(path: str | os.PathLike[str]) -> EqxFile:
    """Read a checkpoint of Equinox. Nothing in it is executed, and it takes no more memory than the file has bytes.

    **Raises:** `FileError` for a file of another kind, a damaged one, or records that are not numbers.
    """
    where = os.fspath(path)
    with opened(path) as (stream, size):
        line = further_line(stream) if size else None
        try:
            further = None if line is None else parse_json(line)
        except JsonProblem as problem:
            raise FileError(
                f"{where}: begins neither with an array of NumPy nor with a line of JSON",
                expected="a checkpoint of Equinox (.eqx)",
                hint="Check which file you named.",
            ) from problem
        arrays = []
        while stream.tell() < size:
            if len(arrays) == _MAX_RECORDS:
                raise FileError(
                    f"{where}: has more records", expected=f"at most {_MAX_RECORDS}", hint=_DAMAGED
                )
            arrays.append(_read_record(stream, size, where))
    if not arrays:
        raise FileError(f"{where}: holds no array", expected="a checkpoint of Equinox (.eqx)", hint=_DAMAGED)
    return EqxFile(further, tuple(arrays), Path(path))


def further_line(stream: BufferedReader) -> bytes | None:
    """The line of text before the first record; None if the file begins with a record."""
    start = stream.tell()
    if stream.read(len(_MAGIC)) == _MAGIC:
        stream.seek(start)
        return None
    stream.seek(start)
    line = stream.readline(_MAX_LINE)
    return line.rstrip(b"\r\n")


def _read_record(stream: BufferedReader, size: int, where: str) -> np.ndarray:
    shape, fortran, dtype = _record_header(stream, size, where)
    flat = np.empty(math.prod(shape), dtype)
    if flat.nbytes and stream.readinto(flat.view(np.uint8).data) != flat.nbytes:
        raise FileError(f"{where}: the file became shorter while it was read", hint="Read it again.")
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    if dtype.kind == "V":  # how NumPy writes the bfloat16 of ml_dtypes
        import ml_dtypes

        return np.ascontiguousarray(array).view(ml_dtypes.bfloat16)
    return np.ascontiguousarray(array, dtype.newbyteorder("=")).reshape(shape)


def _skip_record(stream: BufferedReader, size: int, where: str) -> None:
    shape, _, dtype = _record_header(stream, size, where)
    stream.seek(math.prod(shape) * dtype.itemsize, os.SEEK_CUR)


def _record_header(stream: BufferedReader, size: int, where: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, memory order and dtype of the next record, checked against the rest of the file."""
    begin = stream.tell()
    problem = f"{where}: no array can be read from byte {begin} on"
    lengths = {b"\x01\x00": 2, b"\x02\x00": 4}
    start = stream.read(len(_MAGIC) + 2)
    if not start.startswith(_MAGIC) or start[len(_MAGIC) :] not in lengths:
        raise FileError(problem, expected="a checkpoint of Equinox (.eqx)", hint=_DAMAGED)
    length = int.from_bytes(stream.read(lengths[start[len(_MAGIC) :]]), "little")
    if length > _MAX_RECORD_HEADER:
        raise FileError(problem, got=f"a header of {length} bytes", hint=_DAMAGED)
    try:
        header = ast.literal_eval(stream.read(length).decode("latin-1"))
        descr, fortran, shape = (header[name] for name in ("descr", "fortran_order", "shape"))
        dtype = np.dtype(descr)
    except (SyntaxError, ValueError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise FileError(problem, got="a damaged header", hint=_DAMAGED) from error
    sides = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
    if not sides or type(fortran) is not bool or len(shape) > MAX_RANK:
        raise FileError(f"{where}: the array at byte {begin} has an impossible shape", hint=_DAMAGED)
    bfloat16 = dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None and dtype.subdtype is None
    if dtype.hasobject or not (dtype.kind in "biufc" or bfloat16):
        raise FileError(
            f"{where}: the array at byte {begin}",
            got=f"{dtype}, which is no number",
            expected="numbers",
            hint="Pickled objects are not read.",
        )
    if math.prod(side for side in shape if side) * dtype.itemsize > size - stream.tell():
        raise FileError(
            f"{where}: the array at byte {begin} has shape {shape}, but the file ends after {size}",
            hint=_DAMAGED,
        )
    return tuple(shape), fortran, dtype
