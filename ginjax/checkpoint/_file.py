"""Reading and writing of files of named arrays."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from shlex import quote

import numpy as np
from safetensors.numpy import save

from ginjax.errors import ArgumentError, FileError

from ._arrays import as_stored
from ._atomic import atomic_write
from ._eqx import is_eqx
from ._file_kind import as_misnamed
from ._format import (
    LENGTH_BYTES,
    METADATA_KEY,
    ArraySpec,
    Layout,
    check_sum,
    encode_header,
    header_length,
    numpy_dtype,
    parse_layout,
)
from ._opened import opened


@dataclass(frozen=True)
class ModelFile:
    """The content of a file: its header, its arrays in the order of their names, and its path."""

    header: dict[str, object]
    arrays: dict[str, np.ndarray]
    path: Path


def write_file(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    header: Mapping[str, object],
    *,
    force: bool = False,
) -> str:
    """Write arrays and a header to a safetensors file; equal input gives equal bytes.

    **Arguments:**

    - `path`: the file to write.
    - `arrays`: the arrays by name, of any memory layout and byte order and of a supported dtype.
    - `header`: plain JSON values with a `kind` (`model`, `filters` or `data`); the function adds `schema`.
    - `force`: replace an existing file.

    **Returns:** the SHA-256 of the file, in hexadecimal, as `sha256sum` prints it.

    **Raises:** `FileError` if the file exists or cannot be written, `ArgumentError` if the header or an array
    cannot be stored.
    """
    stored = {name: as_stored(name, arrays[name]) for name in sorted(arrays)}
    text = encode_header(dict(header), stored)
    payload = save(stored, metadata={METADATA_KEY: text})
    _check_own(payload)
    atomic_write(path, payload, force=force)
    return hashlib.sha256(payload).hexdigest()


def read_file(path: str | os.PathLike[str], *, kind: str | None = None) -> ModelFile:
    """Read a file and check everything except the values of the arrays, which `check_finite` checks.

    **Arguments:**

    - `path`: the file.
    - `kind`: the required kind (`model`, `filters` or `data`), or None for any.

    **Raises:** `FileError` that names the file, says what is wrong with it and what to do.
    """
    try:
        with opened(path) as (stream, size):
            layout = _read_layout(stream, size, str(path), kind)
            arrays = {name: read_array(stream, name, spec, str(path)) for name, spec in layout.arrays.items()}
    except FileError as error:
        raise as_misnamed(path, kind, error) from error
    check_sum(layout.header, arrays, str(path))
    return ModelFile(layout.header, {name: arrays[name] for name in sorted(arrays)}, Path(path))


def read_header(
    path: str | os.PathLike[str], kind: str | None = None
) -> tuple[dict[str, object], dict[str, ArraySpec]]:
    """Read the header of a file and the dtype and shape of each array, without the data.

    **Raises:** `FileError`, as `read_file` does.
    """
    try:
        with opened(path) as (stream, size):
            layout = _read_layout(stream, size, str(path), kind)
    except FileError as error:
        raise as_misnamed(path, kind, error) from error
    return layout.header, {name: layout.arrays[name] for name in sorted(layout.arrays)}


def _check_own(payload: bytes) -> None:
    """Refuse to write a file that the reader would refuse."""
    try:
        length = header_length(payload[:LENGTH_BYTES], len(payload), "file")
        start = LENGTH_BYTES + length
        parse_layout(payload[LENGTH_BYTES:start], len(payload) - start, "file")
    except FileError as error:
        raise ArgumentError(
            "arrays and header", got=error.problem, expected="what a file can hold"
        ) from error


def _read_layout(stream: BufferedReader, size: int, where: str, kind: str | None) -> Layout:
    try:
        length = header_length(stream.read(LENGTH_BYTES), size, where)
    except FileError:
        if is_eqx(where):
            raise FileError(
                f"{where}: is a checkpoint of Equinox (.eqx), which does not say what network it holds",
                hint=f"Bring it in with 'ginjax import {quote(where)}', or read it into a network of the same "
                "structure with ginjax.ml.load.",
            ) from None
        raise
    raw = stream.read(length)
    if len(raw) != length:
        raise _shrank(where)
    return parse_layout(raw, size - LENGTH_BYTES - length, where, kind)


def read_array(stream: BufferedReader, name: str, spec: ArraySpec, where: str) -> np.ndarray:
    """The next array of the stream, in its own memory, so that it is aligned and can be written to."""
    flat = np.empty(spec.size, numpy_dtype(spec.dtype))
    view = flat.view(np.uint8)
    if stream.readinto(view.data) != view.size:
        raise _shrank(where)
    if spec.dtype == "bool" and view.size and view.max() > 1:
        raise FileError(
            f"{where}: array {name!r} is boolean but holds bytes other than 0 and 1",
            hint="The file is corrupt or was not written by ginjax.",
        )
    return flat.reshape(spec.shape)


def _shrank(where: str) -> FileError:
    return FileError(f"{where}: the file became shorter while it was read", hint="Read it again.")
