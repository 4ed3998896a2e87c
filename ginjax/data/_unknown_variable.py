"""The error for a variable that a file does not have, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ginjax._unknown_name import nearest
from ginjax.checkpoint import Field
from ginjax.errors import ArgumentError

_MOST = 32


def unknown_variable(
    subject: str, got: str | None, name: str, known: Iterable[str], *, field: Field | None = None
) -> ArgumentError:
    """The error for a variable that the file does not have.

    **Arguments:**

    - `subject`, `got`: the words of the message.
    - `name`: the requested variable.
    - `known`: the variables of the file; `NAME.0`, `NAME.1` and so on are the components of an array that do not make a vector.
    - `field`: the field to be read from the variable.
    """
    there = list(known)
    return ArgumentError(
        subject, got=got, expected="one of " + ", ".join(there[:_MOST]), hint=_hint(name, there, field)
    )


def _hint(name: str, known: list[str], field: Field | None) -> str | None:
    parts = [each for each in known if re.fullmatch(rf"{re.escape(name)}\.[0-9]+", each)]
    if parts:
        return (
            f"An axis of length {len(parts)} of '{name}' was read as that of its components. If it is an axis of space, `axes` "
            f"has to name it as one, such as z; if not, take one component, such as '{parts[0]}'."
        )
    alike = [each for each in known if each.rpartition("/")[2] == name.rpartition("/")[2]]
    near = alike or nearest(name, known)
    meant = [f"Did you mean {' or '.join(repr(each) for each in near[:3])}?"] if near else []
    if field is not None and field.name == name and known:
        # If several names are equally near, none is proposed: it may have another order.
        other = near[0] if near else known[0] if len(known) == 1 else "VARIABLE"
        meant.append(f"A field is read from a variable of another name by `fields=['{field.kind}={other}']`.")
    return " ".join(meant) or None
