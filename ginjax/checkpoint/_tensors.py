"""Safetensors files of any program: named arrays and a few texts, checked when read and written in the same way every time."""

import json
import os
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from ginjax.errors import FileError

from ._atomic import atomic_write
from ._file import read_array
from ._format import LENGTH_BYTES, ArraySpec, header_length, numpy_dtype, parse_entries, stored_dtype
from ._opened import opened

_ALIGNMENT = 8


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the arrays and the metadata of a safetensors file of any program.

    **Returns:** arrays by name in the order of the file; metadata by name.

    **Raises:** `FileError` that names the file and says what is wrong with it.
    """
    where = str(path)
    with opened(path) as (stream, size):
        specs, metadata = _read_entries(stream, size, where)
        arrays = {name: read_array(stream, name, spec, where) for name, spec in specs.items()}
    return arrays, metadata


def read_tensor_shapes(path: str | os.PathLike[str]) -> tuple[dict[str, ArraySpec], dict[str, str]]:
    """Like `read_tensors`, without reading the arrays: their dtypes and shapes by name, and the metadata."""
    with opened(path) as (stream, size):
        return _read_entries(stream, size, str(path))


def write_tensors(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    *,
    specs: Mapping[str, ArraySpec] | None = None,
    force: bool = False,
) -> None:
    """Write a safetensors file; equal input gives equal bytes.

    The safetensors library keeps metadata in a hash map, so its files differ from run to run, and it writes the memory
    of arrays that are not contiguous as it is. The arrays have the order of that library: wide types first, then by name.

    **Arguments:**

    - `path`: the file to write.
    - `arrays`: arrays by name, of any memory layout.
    - `metadata`: texts by name; some programs look for `format`.
    - `specs`: dtype and shape of each array, if it takes time to make the arrays; each of them is then requested once.
    - `force`: replace an existing file.

    **Raises:** `FileError` as `atomic_write`, `ArgumentError` for a dtype that such files cannot hold.
    """
    if specs is None:
        specs = {name: ArraySpec(array.dtype.name, array.shape) for name, array in arrays.items()}
    types = {name: numpy_dtype(spec.dtype) for name, spec in specs.items()}
    stored = {name: stored_dtype(dtype) for name, dtype in types.items()}
    order = sorted(specs, key=lambda name: (-types[name].itemsize, name))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    end = 0
    for name in order:
        begin, end = end, end + specs[name].size * types[name].itemsize
        header[name] = {
            "dtype": stored[name],
            "shape": list(specs[name].shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)

    def put(stream: BinaryIO) -> None:
        stream.write(len(text).to_bytes(LENGTH_BYTES, "little") + text)
        for name in order:
            array = np.asarray(arrays[name], dtype=types[name], order="C")
            stream.write(array.reshape(-1).view(np.uint8).data)

    atomic_write(path, put, force=force)


def _read_entries(stream: BinaryIO, size: int, where: str) -> tuple[dict[str, ArraySpec], dict[str, str]]:
    length = header_length(stream.read(LENGTH_BYTES), size, where)
    raw = stream.read(length)
    if len(raw) != length:
        raise FileError(f"{where}: the file became shorter while it was read", hint="Read it again.")
    metadata, specs = parse_entries(raw, size - LENGTH_BYTES - length, where, foreign=True)
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FileError(f"{where}: the metadata are not texts by name", hint="The file is corrupt.")
    return specs, metadata
