"""The layout of a file: eight bytes with a length, a JSON header, and the arrays one after another.

This is the safetensors format with one metadata entry `ginjax`, which holds the header of this project as sorted
JSON. It is a single entry because the safetensors library keeps metadata in a hash map whose order changes from run to run.

Headers are not trusted: every number is checked against the size of the file before it is used.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, NoReturn, get_args

import numpy as np

from ginjax._text import storable
from ginjax.errors import ArgumentError, FileError
from ginjax.transfer import model_digest

from ._strict_json import JsonProblem, dumps, parse_json

Kind = Literal["model", "filters", "data", "arrays"]

SCHEMA = 2
"""Version of the headers that are written. Files of every version since 1 can be read."""

METADATA_KEY = "ginjax"
LENGTH_BYTES = 8
MAX_HEADER_BYTES = 16 * 2**20
MAX_RANK = 16
_MAX_INTEGER = 2**62

_ITEM_BYTES = {
    "BOOL": 1, "I8": 1, "U8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip
_NUMPY_NAMES = {
    "BOOL": "bool", "I8": "int8", "U8": "uint8", "I16": "int16", "U16": "uint16", "F16": "float16",
    "I32": "int32", "U32": "uint32", "F32": "float32", "I64": "int64", "U64": "uint64", "F64": "float64",
    "BF16": "bfloat16",
}  # fmt: skip

_FOREIGN_ITEM_BYTES = {"F8_E4M3": 1, "F8_E5M2": 1, "C64": 8}
_FOREIGN_NAMES = {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "C64": "complex64"}
"""Types that other programs use; they are read and written unchanged."""

_TRUNCATED = "The file may be truncated or corrupt: fetch or write it again."
_CORRUPT = "The file is corrupt or was not written by ginjax."


class ArraySpec(NamedTuple):
    """What a header states about one array: NumPy's name of the dtype, and the shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes."""
        return self.size * numpy_dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Layout:
    """A checked header: the project's own part, and the arrays in the order in which they are stored in the file."""

    header: dict[str, object]
    arrays: dict[str, ArraySpec]


def numpy_dtype(name: str) -> np.dtype:
    """The dtype for a NumPy name, little-endian as in files; bfloat16 and the 8-bit types come from `ml_dtypes`."""
    if name.startswith(("bfloat", "float8")):
        import ml_dtypes  # imported only for files that need it

        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype(name).newbyteorder("<")


def supported_dtype(dtype: np.dtype) -> bool:
    """Whether arrays of this dtype can be stored."""
    return dtype.name in _NUMPY_NAMES.values()


def stored_dtype(dtype: np.dtype) -> str:
    """The name of a dtype in a safetensors header.

    **Raises:** `ArgumentError` for a dtype that such files cannot hold.
    """
    for stored, name in (_NUMPY_NAMES | _FOREIGN_NAMES).items():
        if name == dtype.name:
            return stored
    raise ArgumentError("dtype of an array", got=dtype, expected="one that safetensors can hold")


def encode_header(header: dict[str, object], arrays: Mapping[str, np.ndarray]) -> str:
    """Encode the project's header as the stored text, with the schema version and a checksum of the file.

    **Raises:** `ArgumentError` for an unknown kind or schema, or values that JSON cannot hold.
    """
    if header.get("kind") not in get_args(Kind):
        raise ArgumentError(
            "header field 'kind'", got=repr(header.get("kind")), expected=_one_of(get_args(Kind))
        )
    if header.get("schema", SCHEMA) != SCHEMA:
        raise ArgumentError("header field 'schema'", got=repr(header["schema"]), expected=SCHEMA)
    whole = {**storable(header), "schema": SCHEMA}  # the header contains file names, which may hold any bytes
    whole.pop("checksum", None)
    dumps(whole)  # refuses what JSON cannot hold, before a digest is made of it
    return dumps(whole | {"checksum": model_digest(arrays, whole)})


def check_sum(header: Mapping[str, object], arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Compare a file with the checksum in its header; files of schema 1 have none.

    A checksum detects accidental changes. It is not a signature: anyone who changes a file on purpose can make a new one.

    **Raises:** `FileError` if they differ.
    """
    if header["schema"] == 1 and "checksum" not in header:
        return
    rest = {name: value for name, value in header.items() if name != "checksum"}
    if header.get("checksum") != model_digest(arrays, rest):
        _refuse(where, "the file does not match its checksum", "It was damaged: fetch or write it again.")


_OTHER_KINDS = {
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"PK\x03\x04": "an .npz or zip file",
}
"""Other kinds of files by their first bytes. As a header length, each of these would be too large."""


def header_length(prefix: bytes, file_bytes: int, where: str) -> int:
    """The length of the header, from the first bytes of a file of `file_bytes` bytes.

    **Raises:** `FileError` if the file cannot have a header of that length.
    """
    if file_bytes == 0:
        _refuse(where, "the file is empty", _TRUNCATED)
    if len(prefix) < LENGTH_BYTES or file_bytes < LENGTH_BYTES:
        _refuse(where, f"the file has {file_bytes} bytes, too few for a header", _TRUNCATED)
    length = int.from_bytes(prefix[:LENGTH_BYTES], "little")
    if length > MAX_HEADER_BYTES and _is_text(prefix[:LENGTH_BYTES]):
        _refuse(where, "the file is text", "Name a file that ginjax wrote, such as model.safetensors.")
    for start, kind in _OTHER_KINDS.items():
        if prefix.startswith(start):
            _refuse(
                where,
                f"the file is {kind}, and not a model",
                "Data are looked at with 'ginjax data inspect'.",
            )
    if length > MAX_HEADER_BYTES:
        _refuse(where, f"the header claims {length} bytes, more than {MAX_HEADER_BYTES}", _CORRUPT)
    if length > file_bytes - LENGTH_BYTES:
        _refuse(where, f"the header claims {length} bytes, but the file ends after {file_bytes}", _TRUNCATED)
    return length


def _is_text(start: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start)


def parse_layout(raw: bytes, data_bytes: int, where: str, kind: str | None = None) -> Layout:
    """Check the header of a file.

    **Arguments:**

    - `raw`: the bytes of the header.
    - `data_bytes`: number of bytes after the header.
    - `where`: the name of the file, for messages.
    - `kind`: the wanted kind, or None for any.

    **Raises:** `FileError` for the first violation of the format.
    """
    metadata, arrays = parse_entries(raw, data_bytes, where)
    return Layout(_own_header(metadata, where, kind), arrays)


def parse_entries(
    raw: bytes, data_bytes: int, where: str, *, foreign: bool = False
) -> tuple[object, dict[str, ArraySpec]]:
    """Check what a safetensors header states about its arrays.

    **Arguments:** as in `parse_layout`, and:

    - `foreign`: also accept types that files of this project never hold.

    **Returns:** the metadata, unchecked, and the arrays in the order in which they are stored in the file.

    **Raises:** `FileError`, as `parse_layout` does.
    """
    tensors = _load(raw, where, "header")
    if not isinstance(tensors, dict) or not raw.startswith(b"{"):
        _refuse(where, "the header is not a JSON object", _CORRUPT)
    metadata = tensors.pop("__metadata__", None)
    spans = sorted(
        (_span(name, entry, data_bytes, where, foreign) for name, entry in tensors.items()),
        key=lambda s: s[:3],
    )
    end = 0
    for begin, stop, name, _ in spans:
        if begin != end:
            state = "overlaps the array before it" if begin < end else "leaves a gap before it"
            _refuse(where, f"array {name!r} {state} (starts at byte {begin}, not {end})", _CORRUPT)
        end = stop
    if end != data_bytes:
        _refuse(where, f"{data_bytes - end} bytes after the last array belong to nothing", _CORRUPT)
    return metadata, {name: spec for _, _, name, spec in spans}


def _own_header(metadata: object, where: str, kind: str | None) -> dict[str, object]:
    foreign = "It is no model of ginjax. Networks of other libraries are converted by 'ginjax convert-d', and not run."
    if metadata is not None and not isinstance(metadata, dict):
        _refuse(where, "the metadata is not a JSON object", _CORRUPT)
    if not metadata or METADATA_KEY not in metadata:
        _refuse(where, f"there is no {METADATA_KEY!r} entry in the metadata", foreign)
    if len(metadata) > 1:
        extra = next(name for name in metadata if name != METADATA_KEY)
        _refuse(where, f"unexpected metadata {extra!r} beside {METADATA_KEY!r}", _CORRUPT)
    if not isinstance(metadata[METADATA_KEY], str):
        _refuse(where, f"the metadata {METADATA_KEY!r} is not a string", _CORRUPT)
    header = _load(metadata[METADATA_KEY], where, f"metadata {METADATA_KEY!r}")
    if not isinstance(header, dict):
        _refuse(where, f"the metadata {METADATA_KEY!r} is not a JSON object", _CORRUPT)
    schema = header.get("schema")
    if type(schema) is not int or schema < 1:
        _refuse(where, f"the schema version is {_shown(schema)}, not a positive whole number", _CORRUPT)
    if schema > SCHEMA:
        _refuse(
            where,
            f"schema version {_shown(schema)}, but this ginjax reads versions up to {SCHEMA}",
            "A newer ginjax wrote the file: install that version.",
        )
    found = header.get("kind")
    if found not in get_args(Kind):
        _refuse(where, f"the kind of file is {_shown(found)}, not {_one_of(get_args(Kind))}", _CORRUPT)
    if kind is not None and found != kind:
        _refuse(where, f"a file of kind {found!r}, expected kind {kind!r}", "Check which file you named.")
    return header


def parse_metadata(metadata: Mapping[str, object]) -> Mapping[str, object] | None:
    """The project's own header in the metadata of a file, unchecked; None if there is none that can be read."""
    text = metadata.get(METADATA_KEY)
    try:
        header = parse_json(text) if isinstance(text, str) else None
    except JsonProblem:
        return None
    return header if isinstance(header, dict) else None


def _span(
    name: str, entry: object, data_bytes: int, where: str, foreign: bool
) -> tuple[int, int, str, ArraySpec]:
    """One array as (first byte, end, name, spec); empty arrays with equal positions are ordered by name."""
    label = f"array {_shown(name)}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _refuse(where, f"{label} is not described by dtype, shape and data_offsets", _CORRUPT)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    known = _ITEM_BYTES | _FOREIGN_ITEM_BYTES if foreign else _ITEM_BYTES
    if not isinstance(dtype, str) or dtype not in known:
        _refuse(where, f"{label} has the unknown dtype {_shown(dtype)}", f"Known are {', '.join(known)}.")
    if not isinstance(shape, list) or not all(_is_count(side) for side in shape):
        _refuse(where, f"{label} has the impossible shape {_shown(shape)}", _CORRUPT)
    if len(shape) > MAX_RANK:
        _refuse(where, f"{label} has {len(shape)} axes, more than {MAX_RANK}", _CORRUPT)
    # NumPy multiplies the sides that are not zero, so even an empty array can overflow.
    if math.prod(side for side in shape if side) * known[dtype] > _MAX_INTEGER:
        _refuse(where, f"{label} has the impossible shape {_shown(shape)}", _CORRUPT)
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_is_count(offset) for offset in offsets):
        _refuse(where, f"{label} has the impossible offsets {_shown(offsets)}", _CORRUPT)
    begin, end = offsets
    if begin > end:
        _refuse(where, f"{label} ends (byte {end}) before it starts (byte {begin})", _CORRUPT)
    if end > data_bytes:
        _refuse(where, f"{label} ends at byte {end} of the data, but there are {data_bytes}", _TRUNCATED)
    needed = math.prod(shape) * known[dtype]
    if end - begin != needed:
        _refuse(where, f"{label} takes {end - begin} bytes, but {dtype} {shape} needs {needed}", _CORRUPT)
    return begin, end, name, ArraySpec((_NUMPY_NAMES | _FOREIGN_NAMES)[dtype], tuple(shape))


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_INTEGER


def _load(text: str | bytes, where: str, part: str) -> object:
    try:
        return parse_json(text)
    except JsonProblem as problem:
        raise FileError(f"{where}: the {part} cannot be read: {problem}", hint=_CORRUPT) from problem


def _refuse(where: str, problem: str, hint: str) -> NoReturn:
    raise FileError(f"{where}: {problem}", hint=hint)


def _shown(value: object) -> str:
    """A value of a header, shortened to one line, because the header is not trusted."""
    if type(value) is int and abs(value) > _MAX_INTEGER:
        return "a number of absurd size"
    try:
        text = repr(value)
    except ValueError:  # a list with an integer too long to print
        return "numbers of absurd size"
    return text if len(text) <= 60 else text[:57] + "..."


def _one_of(names: tuple[str, ...]) -> str:
    return " or ".join(names)
