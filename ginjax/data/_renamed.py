"""Fields of a file under new names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ginjax.checkpoint import Field
from ginjax.data._found import Found
from ginjax.data._request import UNIT_NOT_STATED, FieldRequest, Renaming
from ginjax.data._unknown_variable import unknown_variable
from ginjax.errors import ArgumentError


def renamed(found: Found, renamings: Sequence[Renaming], model: Sequence[Field] = ()) -> Found:
    """Rename some fields of a file.

    **Arguments:**

    - `found`: the file.
    - `renamings`: the new names.
    - `model`: the fields of the model that the data are for. A new name that is one of these gets its order and parity.

    **Raises:** `ArgumentError` for a variable that the file does not have, or one whose kind of field is not known.
    """
    known = {each.name: each for each in model}
    defaults, stated = list(found.defaults), set(found.parities_stated)
    for each in renamings:
        said = f"{each.name}={','.join(each.parts)}"
        missing = [part for part in each.parts if part not in found.variables]
        if missing:
            raise unknown_variable(
                f"field {said!r}", f"no variable '{missing[0]}' in the file", missing[0], found.variables
            )
        same = next((request for request in defaults if request.parts == each.parts), None)
        field = known.get(each.name)
        if field is not None:
            own = Field(each.name, field.k, field.p, UNIT_NOT_STATED if same is None else same.field.unit)
            stated.add(each.name)
        elif same is not None:
            own = replace(same.field, name=each.name)
            if same.field.name in stated:
                stated.add(each.name)
        else:
            raise ArgumentError(
                f"field {said!r}",
                got="variables that are no field by themselves",
                expected=f"its order and parity too, such as {each.name}:{min(len(each.parts) - 1, 1)}+={','.join(each.parts)}",
            )
        place = len(defaults) if same is None else defaults.index(same)
        taken = set(each.parts)
        before, after = (
            [r for r in some if not taken & set(r.parts) and r.field.name != each.name]
            for some in (defaults[:place], defaults[place:])
        )
        defaults = [*before, FieldRequest(own, each.parts), *after]
    return replace(found, defaults=tuple(defaults), parities_stated=frozenset(stated)) if renamings else found
