"""Reading of an ONNX file: its size is bounded before it is parsed, and external weights are read from its own folder only."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ginjax.checkpoint import file_kind, opened, wrong_file
from ginjax.errors import FileError

from ._library import onnx_library
from ._scan import BadFile, scan

SUFFIX = ".onnx"
MAX_BYTES = 2**31 - 1
MAX_EXTERNAL = 2**36
_CORRUPT = "The file is no ONNX file, or is corrupt."


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A network as a graph of operators.

    **Arguments:**

    - `model`: the `onnx.ModelProto`, including its weights.
    - `path`: the file it was read from; None for a network from memory.
    - `external`: whether its weights are in files of their own; `weights`: these files, for a network that was read.
    """

    model: Any = field(repr=False)
    path: Path | None = None
    external: bool = False
    weights: tuple[Path, ...] = ()

    @property
    def opset(self) -> int:
        """The version of the standard operators."""
        return next((each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx")), 0)

    @property
    def parameters(self) -> int:
        """Number of entries of all constants of the graph."""
        total = 0
        for tensor in self.model.graph.initializer:
            entries = 1
            for length in tensor.dims:
                entries *= length
            total += entries
        return total

    @property
    def metadata(self) -> dict[str, str]:
        """The texts that the file holds beside the graph."""
        return {each.key: each.value for each in self.model.metadata_props}


def is_onnx(path: str | os.PathLike[str]) -> bool:
    """Whether a file is an ONNX graph by its content, or has such a name and is no other kind that ginjax reads."""
    called = os.fspath(path).lower().endswith(SUFFIX)
    try:
        kind = file_kind(path).name
    except FileError:
        return called
    return kind == "onnx" or (called and kind in ("text", "empty", "unknown", "missing"))


def read_onnx(path: str | os.PathLike[str]) -> OnnxNetwork:
    """Read an ONNX file.

    **Arguments:**

    - `path`: the file. Weights in external files are read from its folder only.

    **Raises:** `FileError` that names the file and says what is wrong with it; `UnsupportedError` without the library `onnx`.
    """
    onnx = onnx_library()
    with opened(path) as (stream, size):
        if size > MAX_BYTES:
            raise FileError(
                f"{path}: has {size} bytes", expected=f"at most {MAX_BYTES}, as the format allows"
            )
        content = stream.read(size + 1)
    model = onnx.ModelProto()
    try:
        scan(content, onnx.ModelProto.DESCRIPTOR)
        model.ParseFromString(content)
    except BadFile as problem:
        raise _refusal(path, f"cannot be read: {problem}") from problem
    except Exception as problem:
        # The protocol buffers library has its own error, in a package that depends on the version.
        if type(problem).__name__ not in ("DecodeError", "UnicodeDecodeError"):
            raise
        raise _refusal(path, "cannot be read as ONNX") from problem
    del content
    if not model.HasField("graph") or not model.graph.node or not model.opset_import:
        raise _refusal(path, "holds no graph")
    weights = _load_external(model, Path(path))
    for tensor in tensors_of(model.graph):
        _check_length(path, tensor)
    return OnnxNetwork(model, Path(path), bool(weights), weights)


def _refusal(path: str | os.PathLike[str], problem: str) -> FileError:
    """The error for a file that is not a graph: its actual kind if known, or what is wrong with it."""
    if file_kind(path).name not in ("onnx", "unknown"):
        return wrong_file(path, "a graph of ONNX")
    return FileError(f"{path}: {problem}", hint=_CORRUPT)


def tensors_of(graph: Any) -> Iterator[Any]:
    """All tensors of a graph and of the graphs in its nodes."""
    waiting = [graph]
    while waiting:
        each = waiting.pop()
        yield from each.initializer
        for sparse in each.sparse_initializer:
            yield sparse.values
            yield sparse.indices
        for node in each.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                if attribute.HasField("g"):
                    waiting.append(attribute.g)
                waiting.extend(attribute.graphs)


def _load_external(model: Any, path: Path) -> tuple[Path, ...]:
    """Read external weights into the model, and return their files."""
    files, total = dict[Path, None](), 0
    for tensor in tensors_of(model.graph):
        if tensor.data_location != 1:
            continue
        said = {each.key: each.value for each in tensor.external_data}
        name = said.get("location", "")
        target = _inside(path, name)
        files[target] = None
        offset, length = (_whole(path, tensor.name, said.get(key, "")) for key in ("offset", "length"))
        with opened(target) as (stream, size):
            start = offset or 0
            count = size - start if length is None else length
            if count < 0 or start + count > size:
                raise FileError(
                    f"{path}: the tensor {tensor.name!r} is said to end after the file {name!r}",
                    hint=_CORRUPT,
                )
            total += count
            if count > MAX_BYTES or total > MAX_EXTERNAL:
                raise FileError(
                    f"{path}: the tensor {tensor.name!r} has {count} bytes in {name!r}", hint=_CORRUPT
                )
            stream.seek(start)
            tensor.raw_data = stream.read(count)
        tensor.ClearField("data_location")
        del tensor.external_data[:]
    return tuple(files)


_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
"""Bytes per entry by `TensorProto.DataType`, for types that use whole bytes."""


def _check_length(path: str | os.PathLike[str], tensor: Any) -> None:
    """Compare the number of bytes of a tensor with its shape.

    **Raises:** `FileError` if they differ, a length is negative, or the type does not exist.
    """
    size = _BYTES.get(tensor.data_type)
    if tensor.data_type not in onnx_library().TensorProto.DataType.values() or not tensor.data_type:
        raise FileError(
            f"{path}: the tensor {tensor.name!r}",
            got=f"type {tensor.data_type}",
            expected="a type that there is",
            hint=_CORRUPT,
        )
    if any(n < 0 for n in tensor.dims):
        raise FileError(f"{path}: the tensor {tensor.name!r} has a negative length", hint=_CORRUPT)
    if size is None or not tensor.HasField("raw_data"):
        return
    wanted = size * math.prod(tensor.dims)
    if len(tensor.raw_data) != wanted:
        raise FileError(
            f"{path}: the tensor {tensor.name!r}",
            got=f"{len(tensor.raw_data)} bytes",
            expected=f"{wanted}, by its shape",
            hint=_CORRUPT,
        )


def _inside(path: Path, name: str) -> Path:
    """The path of a file beside the model.

    **Raises:** `FileError` for a file anywhere else, also through a link.
    """
    folder = Path(os.path.realpath(path.parent))
    refusal = FileError(
        f"{path}: keeps weights in {name!r}",
        expected="a file in its own folder",
        hint="Weights are read from the folder of the model only.",
    )
    if not name or "\0" in name or os.path.isabs(name) or "\\" in name:
        raise refusal
    if ".." in Path(name).parts:
        raise refusal
    target = Path(os.path.realpath(folder / name))
    if folder not in target.parents:
        raise refusal
    try:
        if stat.S_ISDIR(target.stat().st_mode):
            raise refusal
    except OSError:
        pass  # reported more precisely when it is opened
    return target


def _whole(path: Path, tensor: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise FileError(f"{path}: the tensor {tensor!r} is said to stand at {text[:40]!r}", hint=_CORRUPT)
    return int(text)
