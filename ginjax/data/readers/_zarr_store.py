"""A folder in the format Zarr, examined before a library opens it: which arrays are numbers that can be read safely."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ginjax.checkpoint import JsonProblem, parse_json, read_text
from ginjax.data.readers._hdf5 import MAX_CHUNK_BYTES
from ginjax.errors import FileError

MOST_ARRAYS = 2**12
MOST_BYTES = 2**20
"""Most bytes of the description of an array."""

_GROUPS = (".zgroup", "zarr.json", ".zmetadata")
_CODECS = {
    *("bytes", "transpose", "gzip", "zstd", "blosc", "crc32c", "sharding_indexed"),
    *("zlib", "bz2", "lzma", "lz4", "shuffle", "delta", "fixedscaleoffset", "quantize", "bitround", "packbits", "crc32"),
    *("vlen-utf8", "vlen-bytes"),  # of texts, which are left out
}  # fmt: skip
"""Filters and compressors that only rearrange or pack numbers. Others, such as pickles, may run code from a file."""


def is_zarr(path: str) -> bool:
    """Whether a folder is a group of arrays in the format Zarr, of version 2 or 3."""
    return os.path.isdir(path) and any(os.path.isfile(os.path.join(path, name)) for name in _GROUPS)


def unsafe_arrays(path: str) -> dict[str, str]:
    """The arrays of a store that must not be opened, with the reason.

    **Raises:** `FileError` for a store that is damaged, has more arrays than `MOST_ARRAYS`, or uses a filter that may run code
    from the file.
    """
    _check_files(path)
    names = sorted(name for name in os.listdir(path) if os.path.isdir(os.path.join(path, name)))
    if len(names) > MOST_ARRAYS:
        raise FileError(f"{path}: arrays in it", got=len(names), expected=f"at most {MOST_ARRAYS}")
    found = {}
    for name in names:
        about = array_description(os.path.join(path, name))
        if about is None:
            continue
        strange = [
            each
            for each in _codecs(about, os.path.join(path, name))
            if each.removeprefix("numcodecs.") not in _CODECS
        ]
        if strange:
            raise FileError(
                f"{path}: array '{name}' is stored with {strange[0][:60]!r}",
                expected=f"a filter of numbers: {', '.join(sorted(_CODECS))}",
                hint="Write the store again with one of these, such as zstd.",
            )
        problem = _problem(about)
        if problem is not None:
            found[name] = problem
    return found


def _check_files(path: str) -> None:
    """Refuse a store that contains something other than files and folders: reading a pipe would wait.

    **Raises:** `FileError` in this case.
    """
    waiting = [path]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not (entry.is_file() or entry.is_dir()):
                    raise FileError(f"{entry.path}: is not a regular file", hint="Copy the store without it.")


def array_description(folder: str) -> Mapping[str, Any] | None:
    """The description of an array; None if the folder is not an array."""
    for name in (".zarray", "zarr.json"):
        file = os.path.join(folder, name)
        if os.path.isfile(file):
            try:
                about = parse_json(read_text(file, most=MOST_BYTES))
            except JsonProblem as error:
                raise FileError(f"{file}: {error}", hint="The store is corrupt.") from error
            if not isinstance(about, dict):
                raise FileError(f"{file}: is no description of an array", hint="The store is corrupt.")
            return None if about.get("node_type", "array") != "array" else about
    return None


def _problem(about: Mapping[str, Any]) -> str | None:
    kind = about.get("data_type", about.get("dtype"))
    try:
        dtype = np.dtype(kind) if isinstance(kind, str) else None
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in "fiub":
        return f"it holds values of type {str(kind)[:60]}, expected real numbers"
    sides = sides_of(about)
    if sides is None:
        return "its chunks are not described"
    if math.prod(sides) * dtype.itemsize > MAX_CHUNK_BYTES:
        return f"its chunks are {sides}, expected at most {MAX_CHUNK_BYTES} bytes"
    return None


def sides_of(about: Mapping[str, Any]) -> list[int] | None:
    """The sides of the chunks of an array; None if they are not stated."""
    sides = about.get("chunks", [])
    grid = about.get("chunk_grid")
    if isinstance(grid, dict) and isinstance(grid.get("configuration"), dict):
        sides = grid["configuration"].get("chunk_shape", [])
    known = isinstance(sides, list) and all(isinstance(n, int) and n >= 0 for n in sides)
    return sides if known else None


def _codecs(about: Mapping[str, Any], where: str) -> list[str]:
    """The names of all filters, including nested ones.

    **Raises:** `FileError` for a description in which they are something else.
    """
    stages = [about.get("compressor"), *_list(about, "filters", where), *_list(about, "codecs", where)]
    names = []
    while stages:
        stage = stages.pop()
        if not isinstance(stage, dict):
            names += [] if stage is None else [str(stage)]
            continue
        names.append(str(stage.get("id", stage.get("name"))))
        inner = stage.get("configuration")
        if isinstance(inner, dict):
            stages += [each for key in ("codecs", "index_codecs") for each in _list(inner, key, where)]
    return names


def _list(about: Mapping[str, Any], key: str, where: str) -> list[Any]:
    found = about.get(key)
    if found is not None and not isinstance(found, list):
        raise FileError(
            f"{where}: '{key}'", got=repr(found)[:60], expected="a list", hint="The store is corrupt."
        )
    return found or []
