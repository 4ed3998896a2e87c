"""The size in memory of a protocol buffers file, found out before it is parsed.

A few bytes of such a file can stand for a message a hundred times their size, and messages can be nested. The bytes are read
once, following the description of the format. A file that would become too large, or with a part that does not end where it
should, is refused.
"""

from __future__ import annotations

from typing import Any

MAX_PARTS = 1_000_000
MAX_NESTED = 40
_TEXT = 9
"""The type number of texts in protocol buffers."""


class BadFile(Exception):
    """The bytes are not an ONNX file; the message has the reason."""


def scan(content: bytes, description: Any) -> None:
    """Check a message.

    **Arguments:**

    - `content`: the file.
    - `description`: the description of the message in the protocol buffers library.

    **Raises:** `BadFile`.
    """
    parts = 0
    fields: dict[Any, dict[int, Any]] = {}
    waiting = [(0, len(content), description, 0)]
    while waiting:
        at, end, kind, depth = waiting.pop()
        if depth > MAX_NESTED:
            raise BadFile(f"more than {MAX_NESTED} messages within each other")
        known = fields.get(kind.full_name)
        if known is None:
            known = fields[kind.full_name] = {field.number: field for field in kind.fields}
        while at < end:
            key, at = _number(content, at, end)
            parts += 1
            if parts > MAX_PARTS:
                raise BadFile(f"more than {MAX_PARTS} parts")
            wire = key & 7
            if wire == 0:
                _, at = _number(content, at, end)
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            elif wire == 2:
                length, at = _number(content, at, end)
                if length > end - at:
                    raise BadFile("a part that is longer than the file")
                field = known.get(key >> 3)
                if field is not None and field.message_type is not None:
                    waiting.append((at, at + length, field.message_type, depth + 1))
                elif field is not None and field.type == _TEXT:
                    _check_text(content[at : at + length])
                at += length
            else:
                raise BadFile("a part of a kind that there is not")
        if at > end:
            raise BadFile("a part that is longer than the file")


def _check_text(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile("a text that is not UTF-8") from error


def _number(content: bytes, at: int, end: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the position after it."""
    value = shift = 0
    while True:
        if at >= end or shift > 63:
            raise BadFile("a number that does not end")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
