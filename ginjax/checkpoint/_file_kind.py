"""The kind of a file, by its content, and the command that reads it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ginjax._text import shell_word
from ginjax.errors import FileError, GinjaxError

from ._eqx import is_eqx
from ._format import LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, parse_metadata
from ._opened import missing_file, opened
from ._strict_json import JsonProblem, parse_json

FileKindName = Literal[
    "model", "filters", "pairs", "state", "arrays", "safetensors", "checkpoint", "program", "onnx", "damaged", "data", "log",
    "evaluation",
    "settings", "picture", "text", "empty", "unknown",
    "run folder", "evaluation folder", "data folder", "model folder", "folder", "missing",
]  # fmt: skip


@dataclass(frozen=True)
class FileKind:
    """The kind of a file or a folder.

    **Arguments:**

    - `name`: one word for programs.
    - `words`: a description with its article, for people.
    - `way`: what to do with it, where `{}` stands for its name in shell quotes and `{folder}` for the name of its folder; None if
      no command reads it.
    """

    name: FileKindName
    words: str
    way: str | None = None


_INSPECT, _LOOK = "Look at it with: ginjax inspect {}", "Look at it with: ginjax data inspect {}"
_TRAINING = (
    "Name the model beside it, or finish it first, by the command that began it and `resume=True`; how far it is says: "
    "ginjax inspect {}"
)
_KINDS = {
    each.name: each
    for each in (
        FileKind("model", "a model", _INSPECT),
        FileKind("filters", "a file of filters", _INSPECT),
        FileKind("pairs", "pairs of inputs and targets", _INSPECT),
        FileKind("state", "the saved state of a training", _TRAINING),
        FileKind("arrays", "arrays without a model", _INSPECT),
        FileKind("safetensors", "a safetensors file of another program", _INSPECT),
        FileKind("checkpoint", "a checkpoint of Equinox", "Make a model of it with: ginjax import {}"),
        FileKind(
            "program",
            "a program in StableHLO, which no command runs",
            "In Python jax.export.deserialize runs it; what it was made of says: ginjax inspect MODEL",
        ),
        FileKind("onnx", "a graph of ONNX", _INSPECT),
        FileKind("damaged", "a damaged file of ginjax"),
        FileKind("data", "data", _LOOK),
        FileKind(
            "log",
            "the log of a training",
            "Name the model beside it, or list the trainings there with: ginjax runs {folder}",
        ),
        FileKind("evaluation", "the numbers of an evaluation"),
        FileKind("settings", "settings in TOML", "They are the configuration of ginjax train."),
        FileKind("picture", "a picture"),
        FileKind("text", "text"),
        FileKind("empty", "empty"),
        FileKind("unknown", "nothing that is known"),
        FileKind("run folder", "the folder of a training", _TRAINING),
        FileKind("evaluation folder", "the folder of an evaluation"),
        FileKind("data folder", "a folder of data", _LOOK),
        FileKind("model folder", "a folder of models", "List them with: ginjax runs {}"),
        FileKind("folder", "a folder"),
        FileKind("missing", "missing"),
    )
}

_DATA_STARTS = {
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"PK\x03\x04": "an .npz or zip file",
    b"MATLAB 5.0": "a MATLAB file",
    b"CDF\x01": "a NetCDF file",
    b"CDF\x02": "a NetCDF file",
    b"CDF\x05": "a NetCDF file",
}
LOG_ENDING = ".log.jsonl"
"""The ending of the name of a log; a log that has just begun can only be recognised by it."""

_PROGRAM = b"ML\xefR\rStableHLO_v"
"""The first bytes of the code in an exported program; a description of its arguments precedes them."""
_NEWEST_FORMAT = 100
_GRAPH_KEYS = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)
_PICTURE_STARTS = (b"\x89PNG", b"GIF8", b"%PDF", b"<svg", b"\xff\xd8\xff")
_DATA_ENDINGS = (".h5", ".hdf5", ".npz", ".npy", ".mat", ".nc", ".zarr")
_ZARR_GROUPS = ("zarr.json", ".zgroup", ".zmetadata")
_LOOKED_AT = 4096
_MOST_ENTRIES = 1000


def file_kind(path: str | os.PathLike[str]) -> FileKind:
    """Determine the kind of a file or folder by its content; of a large file only the beginning is read.

    **Arguments:**

    - `path`: any path.

    **Raises:** `FileError` if it may not be read.
    """
    place = Path(path)
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError):
        return _KINDS["missing"]
    if stat.S_ISDIR(mode) and any((place / name).is_file() for name in _ZARR_GROUPS):
        return replace(_KINDS["data"], words="a Zarr store")
    if stat.S_ISDIR(mode):
        return _KINDS[_of_folder(place)]
    if not stat.S_ISREG(mode):
        return _KINDS["unknown"]
    with opened(path) as (stream, size):
        start = stream.read(LENGTH_BYTES)
        length = int.from_bytes(start, "little")
        if len(start) == LENGTH_BYTES and 2 <= length <= min(MAX_HEADER_BYTES, size - LENGTH_BYTES):
            first = stream.read(1)  # check it before reading more of an unknown file
            return _KINDS[_of_header(first + stream.read(length - 1))] if first == b"{" else _KINDS["unknown"]
        start += stream.read(_LOOKED_AT - len(start))
    if is_eqx(path):
        return _KINDS["checkpoint"]
    words = next((words for begin, words in _DATA_STARTS.items() if start.startswith(begin)), None)
    if words is not None:
        return replace(_KINDS["data"], words=words)
    if _begins_graph(start):
        return _KINDS["onnx"]
    name = _of_start(start, place.name)
    return _KINDS["onnx" if name == "unknown" and place.suffix.lower() == ".onnx" else name]


def wrong_file(path: str | os.PathLike[str], expected: str) -> FileError:
    """The error for a file of another kind, with the command that reads it.

    **Arguments:**

    - `path`: the file.
    - `expected`: the expected kind, with its article.
    """
    kind = file_kind(path)
    if kind.name == "missing":
        return missing_file(path)
    hint = "Check which file you named."
    if kind.way is not None:
        hint = kind.way.format(shell_word(path), folder=shell_word(Path(path).parent))
    return FileError(f"{path}: is {kind.words}", expected=expected, hint=hint)


KIND_WORDS = {
    kind: _KINDS[name].words
    for kind, name in {"model": "model", "filters": "filters", "data": "pairs", "arrays": "state"}.items()
}
"""Descriptions of the kinds in a header."""

_OWN: dict[str | None, tuple[FileKindName, ...]] = {
    None: ("model", "filters", "pairs", "state", "arrays"),
    "model": ("model",),
    "filters": ("filters",),
    "data": ("pairs",),
    "arrays": ("state", "arrays"),
}


def as_misnamed(path: str | os.PathLike[str], kind: str | None, error: FileError) -> FileError:
    """The error for a file that could not be read: its actual kind, if it is another one, or else the original error.

    **Arguments:**

    - `path`: the file.
    - `kind`: the wanted kind of header; None for any.
    - `error`: why the file was not read.
    """
    if not is_other_kind(path, *_OWN[kind], "checkpoint"):  # for these the error itself is more precise
        return error
    return wrong_file(path, "a file that ginjax wrote to be read again" if kind is None else KIND_WORDS[kind])


def is_other_kind(path: str | os.PathLike[str], *own: FileKindName) -> bool:
    """Whether a file is known to be of a kind other than these, and not only damaged or unknown.

    **Arguments:**

    - `path`: the file.
    - `own`: the kinds that it may have.
    """
    try:
        name = file_kind(path).name
    except GinjaxError:
        return False
    return name not in (*own, "damaged", "unknown", "empty", "missing", "folder", "safetensors")


def _of_header(raw: bytes) -> FileKindName:
    """The kind of a file with a header of safetensors."""
    try:
        tensors = parse_json(raw)
    except JsonProblem:
        return "damaged" if METADATA_KEY.encode() in raw else "unknown"
    if not isinstance(tensors, dict):
        return "unknown"
    metadata = tensors.get("__metadata__")
    if not isinstance(metadata, dict) or METADATA_KEY not in metadata:
        return "safetensors"
    header = parse_metadata(metadata)
    match None if header is None else header.get("kind"):
        case "model":
            return "model"
        case "filters":
            return "filters"
        case "data":
            return "pairs"
        case "arrays" if header is not None and header.get("purpose") == "state of a training":
            return "state"
        case "arrays":
            return "arrays"
    return "damaged"


def _of_start(start: bytes, name: str) -> FileKindName:
    """The kind of any other file, by its first bytes; for text also by its name."""
    if name.endswith(LOG_ENDING) and (not start or _begins_row(start)):
        return "log"
    if not start:
        return "empty"
    if start.startswith(_PICTURE_STARTS):
        return "picture"
    if _PROGRAM in start:
        return "program"
    if not _is_text(start):
        return "unknown"
    line = start.split(b"\n", 1)[0]
    if line.startswith(b"{") and b'"step"' in line and b'"seconds"' in line:
        return "log"
    if line.startswith(b"{") and b'"errors"' in start:
        return "evaluation"
    return "settings" if name.endswith(".toml") else "text"


def _begins_row(start: bytes) -> bool:
    """Whether these may be the first bytes of a log; at the start of a training, it may hold only a part of its first line."""
    return start.startswith(b"{") and _is_text(start)


def _begins_graph(start: bytes) -> bool:
    """Whether these are the first bytes of an ONNX graph: the version of the format, then the key of another part of it.

    Such a file has no signature of its own. Its parts are those of `ModelProto`.
    """
    return len(start) > 3 and start[0] == 0x08 and 1 <= start[1] <= _NEWEST_FORMAT and start[2] in _GRAPH_KEYS


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:
            return False
        text = start[: error.start].decode("utf-8")
    return all(c.isprintable() or c in "\t\r\n" for c in text)


def _of_folder(place: Path) -> FileKindName:
    if (place / "state.safetensors").is_file():
        return "run folder"
    if (place / "evaluation.json").is_file():
        return "evaluation folder"
    names: list[str] = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) >= _MOST_ENTRIES:
                    break
    except OSError:
        return "folder"
    if any(name.endswith(_DATA_ENDINGS) for name in names):
        return "data folder"
    return "model folder" if any(name.endswith(".safetensors") for name in names) else "folder"
