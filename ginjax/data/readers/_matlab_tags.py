"""The tags in a `.mat` file of version 5, checked before SciPy reads numbers, because SciPy trusts any type in a tag.

Format: MathWorks, *MAT-File Format*, chapter 1.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ginjax.checkpoint import opened
from ginjax.errors import FileError

_HEADER, _TAG = 128, 8
_MATRIX, _COMPRESSED = 14, 15
_IMAGINARY = 1 << 11
"""The flag of complex variables."""

_LOOKED_AT = 2**12
"""Bytes of a variable in which its description must end."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
"""Bytes of a number, by the type in its tag."""


@dataclass(frozen=True)
class _Tags:
    """The description of a variable.

    **Arguments:**

    - `name`: its name.
    - `shape`: its shape.
    - `imaginary`: whether a second array of numbers follows the first.
    - `kind`, `length`: type and number of bytes of its numbers.
    """

    name: bytes
    shape: tuple[int, ...]
    imaginary: bool
    kind: int
    length: int


def complex_variables(path: str) -> frozenset[str]:
    """Names of the complex variables, as far as the file can be followed."""
    found = set()
    with suppress(FileError, struct.error, zlib.error, IndexError, OverflowError):
        for each in _variables(path):
            if each.imaginary:
                found.add(each.name.decode("latin-1"))
    return frozenset(found)


def check_numbers(path: str, name: str) -> None:
    """Refuse a variable that is missing, is complex, or whose numbers have an invalid type or do not fit its shape.

    **Raises:** `FileError` for such a variable.
    """
    try:
        described = [each for each in _variables(path) if each.name == name.encode("latin-1", "replace")]
    except (struct.error, zlib.error, IndexError, OverflowError):
        described = []
    if not described:
        raise FileError(f"{path}: is cut short or corrupt", hint="Write it again.")
    for each in described:
        if each.imaginary:
            raise FileError(f"{path}: variable '{name}'", got="complex numbers", expected="real numbers")
        size = _SIZES.get(each.kind)
        if size is None or each.length != math.prod(each.shape) * size:
            raise FileError(
                f"{path}: variable '{name}'",
                got=f"{each.length} bytes of type {each.kind}",
                expected=f"numbers of shape {each.shape}",
                hint="The file is corrupt.",
            )


def _variables(path: str) -> Iterator[_Tags]:
    with opened(path) as (stream, size):
        order = "<" if stream.read(_HEADER)[-2:] == b"IM" else ">"
        at = _HEADER
        while at + _TAG <= size:
            stream.seek(at)
            kind, length = struct.unpack(f"{order}II", stream.read(_TAG))
            start = stream.read(min(length, _LOOKED_AT))
            if kind == _COMPRESSED:
                start = zlib.decompressobj().decompress(start, _LOOKED_AT)[_TAG:]
            elif kind != _MATRIX:
                raise FileError(f"{path}: is cut short or corrupt", hint="Write it again.")
            yield _described(start, order)
            at += _TAG + length


def _described(start: bytes, order: str) -> _Tags:
    """The description in the first bytes of a variable: flags, shape, name, and the tag of its numbers."""
    at, found = 0, []
    for _ in range(3):
        _, data, at = _element(start, at, order)
        found.append(data)
    kind, _, _ = _element(start, at, order)
    word, length = struct.unpack_from(f"{order}II", start, at)
    shape = struct.unpack(f"{order}{len(found[1]) // 4}i", found[1])
    (flags,) = struct.unpack_from(f"{order}I", found[0])
    return _Tags(found[2], shape, bool(flags & _IMAGINARY), kind, word >> 16 or length)


def _element(start: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Type and number of bytes of an element, and where the next one begins; up to four bytes are inside the tag."""
    (word,) = struct.unpack_from(f"{order}I", start, at)
    if word >> 16:
        return word & 0xFFFF, start[at + 4 : at + 4 + (word >> 16)], at + _TAG
    (length,) = struct.unpack_from(f"{order}I", start, at + 4)
    return word, start[at + _TAG : at + _TAG + length], at + _TAG + -(-length // 8) * 8
