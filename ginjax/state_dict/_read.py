"""Reading of a state dict: one safetensors file, or several with an index."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ginjax.checkpoint import (
    MAX_HEADER_BYTES,
    METADATA_KEY,
    ArraySpec,
    JsonProblem,
    expect,
    parse_json,
    read_tensor_shapes,
    read_tensors,
    read_text,
)
from ginjax.errors import FileError

from ._made_arrays import specs_of
from ._other_formats import refuse_other_formats

INDEX = ".index.json"
_MAX_SHARDS = 10_000
_CORRUPT = "The index does not belong to these files, or is corrupt."


@dataclass(frozen=True, eq=False)
class StateDict:
    """The arrays of a trained network of another library.

    **Arguments:**

    - `arrays`: every parameter and every running statistic by its dotted name.
    - `metadata`: the texts that the file holds beside them, such as `format`.
    - `path`: the file it was read from.
    - `shard_bytes`: size of the largest of several files; None for a single file.
    """

    arrays: Mapping[str, np.ndarray] = field(repr=False)
    metadata: Mapping[str, str]
    path: Path
    shard_bytes: int | None = None

    @property
    def parameters(self) -> int:
        """Number of entries of all floating-point arrays, including running statistics."""
        return sum(spec.size for spec in self.specs.values() if spec.dtype.startswith(_FLOATING))

    @property
    def specs(self) -> Mapping[str, ArraySpec]:
        """Dtype and shape of each array."""
        return specs_of(self.arrays)


def is_floating(dtype: np.dtype) -> bool:
    """Whether a dtype can hold weights, including those of `ml_dtypes`, which NumPy does not count as floating-point."""
    return dtype.name.startswith(_FLOATING)


_FLOATING = ("float", "bfloat", "complex")


def is_state_dict(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds a network of another library and not one of ginjax.

    **Returns:** True for a safetensors file without a header of ginjax, and for the index of several files. False for all other
    files, and for those that cannot be read.

    **Raises:** `FileError` for files of PyTorch and Keras, with the lines that write a safetensors file.
    """
    if os.fspath(path).endswith(INDEX):
        return True
    refuse_other_formats(path)
    try:
        _, metadata = read_tensor_shapes(path)
    except FileError:
        return False
    return METADATA_KEY not in metadata


def read_state_dict(path: str | os.PathLike[str]) -> StateDict:
    """Read a network of another library.

    **Arguments:**

    - `path`: a safetensors file, or the `*.index.json` of several.

    **Raises:** `FileError` that names the file and says what is wrong with it. Pickles are never opened.
    """
    if os.fspath(path).endswith(INDEX):
        return _read_shards(Path(path))
    refuse_other_formats(path)
    arrays, metadata = read_tensors(path)
    if METADATA_KEY in metadata:
        raise FileError(f"{path}: is a model of ginjax", expected="a network of another library")
    return StateDict(dict(sorted(arrays.items())), metadata, Path(path))


def files_of_state_dict(path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The file of a network and, if it is an index, the files listed in it; for a damaged index, only the index itself."""
    own = Path(path)
    if not own.name.endswith(INDEX):
        return (own,)
    try:
        index = parse_json(read_text(own, most=MAX_HEADER_BYTES))
    except (JsonProblem, FileError):
        return (own,)
    where = index.get("weight_map") if isinstance(index, dict) else None
    named = where.values() if isinstance(where, dict) else ()
    return own, *(own.parent / name for name in sorted({name for name in named if isinstance(name, str)}))


def _read_shards(path: Path) -> StateDict:
    try:
        index = parse_json(read_text(path, most=MAX_HEADER_BYTES))
    except JsonProblem as problem:
        raise FileError(f"{path}: cannot be read: {problem}", hint=_CORRUPT) from problem
    if not isinstance(index, dict):
        raise FileError(f"{path}: is no index of safetensors files", hint=_CORRUPT)
    where = expect(index, "weight_map", dict, where=path)
    names = sorted({name for name in where.values() if isinstance(name, str)})
    if not all(isinstance(name, str) for name in where.values()):
        raise FileError(f"{path}: names a file that is no text", expected="names of files", hint=_CORRUPT)
    if not names or len(names) > _MAX_SHARDS:
        raise FileError(f"{path}: names {len(names)} files", expected=f"1 to {_MAX_SHARDS}", hint=_CORRUPT)
    found: dict[str, np.ndarray] = {}
    metadata: dict[str, str] = {}
    largest = 0
    for name in names:
        if name != os.path.basename(name) or name in ("", ".", "..") or "\\" in name or "\0" in name:
            raise FileError(f"{path}: names the file {name!r}", expected="a file beside it", hint=_CORRUPT)
        arrays, texts = read_tensors(path.parent / name)
        wrong = {key for key, value in where.items() if value == name} ^ arrays.keys()
        if wrong:
            raise FileError(
                f"{path}: {min(wrong)!r} is not where it says, in {name}", expected=None, hint=_CORRUPT
            )
        found |= arrays
        metadata |= texts
        largest = max(largest, sum(array.nbytes for array in arrays.values()))
    return StateDict(dict(sorted(found.items())), metadata, path, largest)
