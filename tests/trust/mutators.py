"""Ways to damage a file: bytes that are blind to its format, and values within a text of JSON."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

Mutator = Callable[[bytes, np.random.Generator], bytes]

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF)
_NUMBERS = (0, 1, 2**7, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1)


def flip_a_bit(content: bytes, rng: np.random.Generator) -> bytes:
    """One bit, as a disk or a cable does."""
    made = bytearray(content)
    made[_place(made, rng)] ^= 1 << int(rng.integers(8))
    return bytes(made)


def set_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes, some of them extreme."""
    made = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        made[_place(made, rng)] = int(rng.choice([*_EXTREMES, int(rng.integers(256))]))
    return bytes(made)


def set_number(content: bytes, rng: np.random.Generator) -> bytes:
    """An extreme whole number of 1 to 8 bytes, in either order, at an aligned place."""
    made, size = bytearray(content), 2 ** int(rng.integers(4))
    at = _place(made, rng) // size * size
    number = int(rng.choice(np.array(_NUMBERS, np.uint64))) % 256**size
    made[at : at + size] = number.to_bytes(size, "little" if rng.integers(2) else "big")
    return bytes(made)


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    """The end is missing."""
    return content[: int(rng.integers(len(content)))]


def drop(content: bytes, rng: np.random.Generator) -> bytes:
    """A piece is missing."""
    at, size = _piece(content, rng)
    return content[:at] + content[at + size :]


def repeat(content: bytes, rng: np.random.Generator) -> bytes:
    """A piece is there twice."""
    at, size = _piece(content, rng)
    return content[: at + size] + content[at:]


def move(content: bytes, rng: np.random.Generator) -> bytes:
    """A piece lies over another one."""
    (at, size), to = _piece(content, rng), _place(content, rng)
    made = bytearray(content)
    made[to : to + size] = content[at : at + size]
    return bytes(made)


def blank(content: bytes, rng: np.random.Generator) -> bytes:
    """A piece is all zeros or ones, as a block of a disk that was never written."""
    at, size = _piece(content, rng)
    made = bytearray(content)
    made[at : at + size] = bytes([255 * int(rng.integers(2))]) * len(made[at : at + size])
    return bytes(made)


def append(content: bytes, rng: np.random.Generator) -> bytes:
    """Something comes after the end."""
    return content + rng.bytes(int(rng.integers(1, 64)))


RAW: tuple[Mutator, ...] = (
    flip_a_bit,
    set_bytes,
    set_number,
    cut,
    drop,
    repeat,
    move,
    blank,
    append,
)
"""What can happen to any file."""


def changed_json(value: Any, rng: np.random.Generator) -> Any:
    """A JSON value with one change somewhere within."""
    made = json.loads(json.dumps(value))
    places = list(_places(made))
    if not places:
        return odd_value(rng)
    inside, key = places[int(rng.integers(len(places)))]
    what = int(rng.integers(6))
    if what == 0:
        del inside[key]
    elif what == 1 and isinstance(inside, dict):
        inside[str(rng.choice(["", "x", "../x", "\x1b[2J", "é" * 3000]))] = odd_value(rng)
    elif what == 2:
        inside[key] = near(inside[key], rng)
    elif what == 3:
        other, name = places[int(rng.integers(len(places)))]
        inside[key] = json.loads(json.dumps(other[name]))
    else:
        inside[key] = odd_value(rng)
    return made


def odd_value(rng: np.random.Generator) -> Any:
    """A value of some type, often one that nobody expects."""
    deep: Any = 0
    for _ in range(int(rng.choice([3, 60, 70, 3000]))):
        deep = [deep] if rng.integers(2) else {"a": deep}
    values = (
        None, True, False, 0, 1, -1, 2, 3, 7, 2**31, 2**53, 2**63, 10**400, 0.5, -0.0, 1e308, 5e-324, "", "1", "one",
        "\x00", "\x1b]0;x\x07", "x" * 200_000, [], {}, [[]], [None] * 3, list(range(5)), {"a": 1}, deep,
    )  # fmt: skip
    return values[int(rng.integers(len(values)))]


def near(value: Any, rng: np.random.Generator) -> Any:
    """A value of the same type, a little beside."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + int(rng.choice([-1, 1, 2, -value, 1000]))
    if isinstance(value, float):
        return value * float(rng.choice([-1, 0, 2, 1 + 1e-12, 1e300, 1e-300]))
    if isinstance(value, str):
        return value[:-1] if rng.integers(2) else value + "a"
    if isinstance(value, list):
        return value[1:] if rng.integers(2) else [*value, *value]
    return odd_value(rng) if value is None else dict(list(value.items())[1:])


def json_text(value: Any, rng: np.random.Generator) -> str:
    """A value as text that some parsers take and others do not, now and then."""
    text = dumps(value)
    what = int(rng.integers(12))
    if what == 0 and text.startswith("{") and len(text) > 2:
        return text[:-1] + "," + text[1:]  # every name twice
    if what == 1:
        return text.replace("0", "NaN", 1)
    if what == 2:
        return "[" * 100_000 + text
    if what == 3:
        return "\ufeff" + text
    return text


def dumps(value: Any) -> str:
    """Compact and sorted; lists deeper than Python's own limit become empty."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        return "[" * 3000 + "]" * 3000


def _places(value: Any) -> Any:
    """Every entry of every list and object, as its container and its key."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        items = each.items() if isinstance(each, dict) else enumerate(each) if isinstance(each, list) else ()
        for key, item in list(items):
            yield each, key
            waiting.append(item)


def _place(content: bytes | bytearray, rng: np.random.Generator) -> int:
    """Somewhere; often near the beginning or the end, where most formats keep what they say of themselves."""
    size = len(content)
    end = (size, min(size, 2048), min(size, 256))[int(rng.integers(3))]
    at = int(rng.integers(end))
    return size - 1 - at if rng.integers(4) == 0 else at


def _piece(content: bytes, rng: np.random.Generator) -> tuple[int, int]:
    at = _place(content, rng)
    return at, int(rng.choice([1, 4, 8, 64, 512, max(len(content) // 4, 1)]))
