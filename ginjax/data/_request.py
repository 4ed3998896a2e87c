"""What the user says about fields that a file does not: `velocity:1+=Vx,Vy` and `magnetic_field=odd`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ginjax.checkpoint import Field
from ginjax.errors import ArgumentError

UNIT_NOT_STATED = "unknown"

_REQUEST = re.compile(r"(?P<name>[^:=,\s]+):(?P<k>[0-9])(?P<p>[+-])(=(?P<parts>[^=\s]+))?")
_RENAMING = re.compile(r"(?P<name>[^:=,\s]+)=(?P<parts>[^:=\s]+)")
_PARITIES: Mapping[object, int] = {
    0: 0, 1: 1, "0": 0, "1": 1, "+": 0, "-": 1, "even": 0, "odd": 1,
}  # fmt: skip


@dataclass(frozen=True)
class FieldRequest:
    """A field and the variables of the file that hold it: itself, or its components in row-major order."""

    field: Field
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Renaming:
    """Another name for what variables of the file hold; all other fields are read as they are without it."""

    name: str
    parts: tuple[str, ...]


def parse_fields(texts: Sequence[str]) -> tuple[tuple[FieldRequest, ...], tuple[Renaming, ...]]:
    """What is said of fields: those of an order are exactly the fields to use, and `NAME=VARIABLE,...` renames one.

    **Raises:** `ArgumentError` for anything else, or a name given twice.
    """
    renamings, full = [], []
    for text in texts:
        found = _RENAMING.fullmatch(text)
        if found is None:
            full.append(text)
            continue
        parts = tuple(part.lstrip("/") for part in found["parts"].split(","))
        if "" in parts:
            raise ArgumentError(f"field {text!r}", expected="variables separated by single commas")
        renamings.append(Renaming(found["name"], parts))
    requests = parse_requests(full)
    names = [each.field.name for each in requests] + [each.name for each in renamings]
    _check_once(names)
    return requests, tuple(renamings)


def parse_request(text: str) -> FieldRequest:
    """Read `NAME:ORDER` and `+` or `-`, and perhaps `=` with the variables that hold the components.

    **Arguments:**

    - `text`: such as `density:0+`, `vorticity:0-=w` or `velocity:1+=Vx,Vy`.

    **Raises:** `ArgumentError` if it does not read so.
    """
    found = _REQUEST.fullmatch(text)
    if found is None:
        raise ArgumentError(
            f"field {text!r}",
            expected="NAME:ORDER and + or -, then perhaps =VARIABLE,..., such as velocity:1+=Vx,Vy; or NAME=VARIABLE, another name",
        )
    parts = tuple(part.lstrip("/") for part in (found["parts"] or found["name"]).split(","))
    if "" in parts:
        raise ArgumentError(f"field {text!r}", expected="variables separated by single commas")
    field = Field(found["name"], int(found["k"]), 0 if found["p"] == "+" else 1, UNIT_NOT_STATED)
    return FieldRequest(field, parts)


def parse_requests(texts: Sequence[str]) -> tuple[FieldRequest, ...]:
    """Several requests, each under a name of its own.

    **Raises:** `ArgumentError` for a malformed request or a name given twice.
    """
    requests = tuple(parse_request(text) for text in texts)
    _check_once([request.field.name for request in requests])
    return requests


def _check_once(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ArgumentError("fields", got=f"'{twice}' more than once", expected="each name once")


def parse_parity(parity: Mapping[str, object]) -> dict[str, int]:
    """Parities by field name as 0 (even) and 1 (odd).

    **Raises:** `ArgumentError` for anything but even, odd, +, -, 0 and 1.
    """
    for name, value in parity.items():
        if value not in _PARITIES:
            raise ArgumentError(f"parity of field '{name}'", got=repr(value), expected="even or odd")
    return {name: _PARITIES[value] for name, value in parity.items()}
