"""Values as text: table cells, aligned lines, JSON. Nothing here prints."""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote
from typing import Any

LONGEST_CELL = 500
"""Most characters of a name or a value in a table."""

LONGEST_PART = 1000
"""Most characters of a quotation in a message."""

LONGEST_MESSAGE = 5000
"""Most characters of a message; a file name can have up to 4096."""


def shortened(text: str, most: int) -> str:
    """Shorten a text to a number of characters: its beginning and its end, with an ellipsis between them."""
    if len(text) <= most:
        return text
    end = (most - 3) // 2
    return f"{text[: most - 3 - end]}...{text[len(text) - end :]}"


def clean(text: object, most: int = LONGEST_MESSAGE) -> str:
    """Text on one line, without control characters, which could come from a file and control a terminal.

    **Arguments:**

    - `text`: any text.
    - `most`: most characters that the result may have, see `shortened`.
    """
    short = shortened(str(text), most)
    if short.isprintable():
        return short
    short = _NOT_UTF8.sub(lambda found: _ansi_quoted(found[0]), short)
    return shortened("".join(c if c.isprintable() else repr(c)[1:-1] for c in short), most)


_NOT_UTF8 = re.compile("[\udc80-\udcff]+")
"""Python's form of bytes in a name that are not UTF-8."""


def shell_word(name: str | os.PathLike[str]) -> str:
    """A word in the form that a shell accepts: quoted if needed, and in `$'...'` if it cannot be printed.

    **Arguments:**

    - `name`: the word, such as a file name as Python has it.
    """
    text = os.fspath(name)
    return quote(text) if text.isprintable() else _ansi_quoted(text)


def shell_line(words: Iterable[str | os.PathLike[str]]) -> str:
    """Words as one line for a shell."""
    return " ".join(map(shell_word, words))


def _ansi_quoted(text: str) -> str:
    """Text in `$'...'`: printable characters are written as they are, other bytes as numbers."""
    written = [
        f"\\{c}" if c in "\\'" else c if c.isprintable() else "".join(f"\\x{b:02x}" for b in os.fsencode(c))
        for c in text
    ]
    return f"$'{''.join(written)}'"


def plural(count: int, what: str) -> str:
    """A count with its noun: `1 trajectory`, `6 trajectories`."""
    many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{count} {what if count == 1 else many}"


def cell(value: object) -> str:
    """A value as text in a table for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        # Only items that could be shown at either end, not the millions that a file may hold.
        listed = [*value[:LONGEST_CELL], *value[LONGEST_CELL:][-LONGEST_CELL:]]
        return shortened(", ".join(cell(item) for item in listed), LONGEST_CELL) or "-"
    return clean(value, LONGEST_CELL)


def is_number(value: object) -> bool:
    """Whether a value is right-aligned in a table."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def right_aligned(rows: Sequence[Sequence[object]], column: int) -> bool:
    """Whether a column contains only numbers, and at least one."""
    values = [row[column] for row in rows if row[column] is not None]
    return bool(values) and all(is_number(value) for value in values)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table as aligned lines, one for each row, of any length: the form for a pipe."""
    cells = [
        [clean(name, LONGEST_CELL) for name in columns],
        *([cell(value) for value in row] for row in rows),
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    rights = [right_aligned(rows, i) for i in range(len(columns))]
    return [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, rights, strict=True)
        ).rstrip()
        for line in cells
    ]


def in_bytes(size: float) -> str:
    """A number of bytes as text for people."""
    for unit, least in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= 0.97 * least:  # 1000 MiB are 0.977 GiB
            return f"{size / least:.3g} {unit}"
    return f"{size:.0f} bytes"


def in_time(seconds: float) -> str:
    """A time as text for people: `0.12 s`, `45 s`, `12 min`, `3.5 h`, `2 days`."""
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= (2 if unit == "days" else 1.5) * length:
            count = seconds / length
            return f"{count:.2g} {unit}" if count < 10 else f"{count:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def field_lines(fields: Mapping[str, object]) -> list[str]:
    """Names and values in two columns."""
    names = [clean(name, LONGEST_CELL) for name in fields]
    width = max(map(len, names), default=0)
    return [f"{name.ljust(width)}  {cell(value)}" for name, value in zip(names, fields.values(), strict=True)]


def storable(value: Any) -> Any:
    """A value that a UTF-8 file can hold: bytes of a name that are not UTF-8 are written as escapes, as in `run\\xff.h5`.

    **Arguments:**

    - `value`: text, or lists and JSON objects with text in them; any other value stays as it is.
    """
    if isinstance(value, str):
        return _SURROGATES.sub(lambda found: _written_out(ord(found[0])), value)
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


_SURROGATES = re.compile("[\ud800-\udfff]")


def _written_out(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def json_line(payload: Mapping[str, Any]) -> str:
    """One JSON object on one line: sorted keys, ASCII, and null for numbers that JSON does not have."""
    return json.dumps(_plain(payload), sort_keys=True, allow_nan=False)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # NumPy and JAX arrays and scalars, without importing either
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
