"""A check of Blosc frames before the Blosc library unpacks them, because it trusts the lengths stored in them.

Without the check, a truncated frame would be unpacked with whatever follows it in memory. The layout is that of version 1 of the
format (README_CHUNK_FORMAT of c-blosc): 16 bytes of header, the starts of the blocks, the blocks.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ginjax.data.readers._zarr_store import sides_of
from ginjax.errors import FileError

_HEADER = struct.Struct("<BBBBIII")
_STORED = 0x2
"""The flag of a frame that was copied without compression."""


def check_blosc(
    folder: str, about: Mapping[str, Any], shape: Sequence[int], selection: Sequence[int | slice]
) -> None:
    """Check the chunks of a Zarr array that a selection needs, if they are Blosc frames.

    **Arguments:**

    - `folder`: folder of the array; `about`: its description, of version 2 or 3.
    - `shape`, `selection`: shape of the array, and the part to read; axes without an entry are read completely.

    **Raises:** `FileError` for a frame whose lengths do not fit the file.
    """
    if not _ends_with_blosc(about):
        return
    sides = sides_of(about)
    if sides is None or len(sides) != len(shape) or 0 in sides:
        return  # zarr reports it
    for key in _keys(about, sides, shape, selection):
        path = os.path.join(folder, key)
        if os.path.isfile(path):  # chunks that were never written have no file
            _check_frame(path)


def _ends_with_blosc(about: Mapping[str, Any]) -> bool:
    codecs = about.get("codecs")
    last = about.get("compressor") or (codecs[-1] if isinstance(codecs, list) and codecs else None)
    return isinstance(last, dict) and str(last.get("id", last.get("name"))).endswith("blosc")


def _keys(
    about: Mapping[str, Any], sides: Sequence[int], shape: Sequence[int], selection: Sequence[int | slice]
) -> Iterator[str]:
    """Names of the chunk files, relative to the folder of the array."""
    ranges = []
    rest = (slice(None),) * (len(shape) - len(selection))
    for n, side, each in zip(shape, sides, (*selection, *rest), strict=True):
        places = range(n)[each] if isinstance(each, slice) else range(each % n, each % n + 1)
        ranges.append(range(min(places) // side, max(places) // side + 1) if places else range(0))
    encoding = about.get("chunk_key_encoding")
    if isinstance(encoding, dict):
        default = encoding.get("name", "default") == "default"
        inner = encoding.get("configuration")
        said = inner.get("separator") if isinstance(inner, dict) else None
        between, front = said or ("/" if default else "."), ("c",) if default else ()
    else:
        between, front = about.get("dimension_separator") or ".", ()
    if between not in (".", "/"):
        return  # no store has this, and zarr reports it
    for numbers in itertools.product(*ranges):
        yield between.join((*front, *map(str, numbers))) or "0"


def _check_frame(path: str) -> None:
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        start = stream.read(_HEADER.size)
        if len(start) < _HEADER.size:
            raise _damaged(path, size, f"at least {_HEADER.size} bytes")
        _, _, flags, _, unpacked, block, packed = _HEADER.unpack(start)
        if packed != size:
            raise _damaged(path, size, f"the {packed} bytes that it says it has")
        if flags & _STORED:
            if packed != unpacked + _HEADER.size:
                raise _damaged(path, size, f"{unpacked + _HEADER.size} bytes")
            return
        blocks = -(-unpacked // block) if block else 0
        begin = _HEADER.size + 4 * blocks
        if begin > size or (unpacked and not block):
            raise _damaged(path, size, f"at least {begin} bytes")
        places = struct.unpack(f"<{blocks}I", stream.read(4 * blocks))
        if any(not begin <= place < size for place in places):
            raise _damaged(path, size, "blocks that lie within it")


def _damaged(path: str, size: int, expected: str) -> FileError:
    return FileError(
        f"{path}: a piece of an array, packed by Blosc",
        got=f"{size} bytes",
        expected=expected,
        hint="The file is corrupt, or still being written.",
    )
