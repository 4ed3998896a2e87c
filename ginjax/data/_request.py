"""What the user states because the file does not: `velocity:1+=Vx,Vy`, `magnetic_field=odd` and `viscosity=0.1`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import FIELD_NOTATION, Field
from ginjax.errors import ArgumentError

UNIT_NOT_STATED = "unknown"

_REQUEST = re.compile(r"(?P<name>[^:=,\s]+):(?P<k>[0-9])(?P<p>[+-])(=(?P<parts>[^=\s]+))?")
_RENAMING = re.compile(r"(?P<name>[^:=,\s]+)=(?P<parts>[^:=\s]+)")
_CONDITION = re.compile(r"(?P<name>[^:=,\s]+)(=(?P<what>[^:=,\s]+))?")
_PARITIES: Mapping[object, int] = {
    0: 0, 1: 1, "0": 0, "1": 1, "+": 0, "-": 1, "even": 0, "odd": 1,
}  # fmt: skip


@dataclass(frozen=True)
class FieldRequest:
    """A field and the variables of the file that hold it: one for the whole field, or its components in row-major order."""

    field: Field
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Renaming:
    """A new name for variables of the file; all other fields are read as without it."""

    name: str
    parts: tuple[str, ...]


Conditions = str | Sequence[str] | Mapping[str, object]
"""Numbers that a network receives: their names, with `=` and either a number for all data or the name that the file uses."""


@dataclass(frozen=True)
class ConditionRequest:
    """A number of each trajectory that a network receives.

    **Arguments:**

    - `name`: name of the number.
    - `value`: the number, if it is given for all trajectories.
    - `variable`: the name in the file, if it is another one.
    """

    name: str
    value: float | None = None
    variable: str | None = None

    @property
    def source(self) -> str:
        """The name in the file."""
        return self.variable or self.name


def parse_conditions(said: Conditions) -> tuple[ConditionRequest, ...]:
    """Read `NAME`, `NAME=NUMBER` and `NAME=VARIABLE`.

    **Raises:** `ArgumentError` for any other form, for a number that is not finite, or a name given twice.
    """
    if isinstance(said, Mapping):
        texts = [name if what is None else f"{name}={what}" for name, what in said.items()]
    else:
        texts = [said] if isinstance(said, str) else list(said)
    found = tuple(map(_condition, texts))
    twice = next((each.name for each in found if [e.name for e in found].count(each.name) > 1), None)
    if twice is not None:
        raise ArgumentError("`conditions`", got=f"'{twice}' more than once", expected="each name once")
    return found


def _condition(text: object) -> ConditionRequest:
    found = _CONDITION.fullmatch(str(text))
    if found is None:
        raise ArgumentError(
            "`conditions`",
            got=repr(text)[:60],
            expected="NAME, NAME=NUMBER or NAME=VARIABLE, such as time_step, viscosity=0.1 or viscosity=nu",
        )
    name, what = found["name"], found["what"]
    if what is None:
        return ConditionRequest(name)
    try:
        value = float(what)
    except ValueError:
        return ConditionRequest(name, variable=what.lstrip("/"))
    if not math.isfinite(value):
        raise ArgumentError(f"condition '{name}'", got=what, expected="a finite number")
    return ConditionRequest(name, value)


def parse_fields(texts: Sequence[str]) -> tuple[tuple[FieldRequest, ...], tuple[Renaming, ...]]:
    """Read the stated fields: entries with an order are exactly the fields to use, `NAME=VARIABLE,...` renames one.

    **Raises:** `ArgumentError` for any other form, or a name given twice.
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
    """Read `NAME:ORDER` with `+` or `-`, and an optional `=` with the variables that hold the components.

    **Arguments:**

    - `text`: such as `density:0+`, `vorticity:0-=w` or `velocity:1+=Vx,Vy`.

    **Raises:** `ArgumentError` for any other form.
    """
    found = _REQUEST.fullmatch(text)
    if found is None:
        raise ArgumentError(
            f"field {text!r}",
            expected="NAME:ORDER and + or -, then perhaps =VARIABLE,..., such as velocity:1+=Vx,Vy; or NAME=VARIABLE, another name",
            hint=f"Such as `fields=['u:0+']`: {FIELD_NOTATION}.",
        )
    parts = tuple(part.lstrip("/") for part in (found["parts"] or found["name"]).split(","))
    if "" in parts:
        raise ArgumentError(f"field {text!r}", expected="variables separated by single commas")
    field = Field(found["name"], int(found["k"]), 0 if found["p"] == "+" else 1, UNIT_NOT_STATED)
    return FieldRequest(field, parts)


def parse_requests(texts: Sequence[str]) -> tuple[FieldRequest, ...]:
    """Read several requests, each with a different name.

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
    """Read parities by field name as 0 (even) and 1 (odd).

    **Raises:** `ArgumentError` for anything but even, odd, +, -, 0 and 1.
    """
    for name, value in parity.items():
        if value not in _PARITIES:
            raise unknown_name(f"parity of field '{name}'", value, ("even", "odd"))
    return {name: _PARITIES[value] for name, value in parity.items()}
