"""Examples of how to name fields, made from the names in the file and the model at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ginjax.checkpoint import FIELD_NOTATION, Field

_MOST = 4
"""Number of fields in an example."""


def name_the_fields(variables: Mapping[str, int], model: Sequence[Field] = ()) -> str:
    """A hint that names the fields: those of the model, otherwise those of the file as even scalars and vectors."""
    example = field_example(variables, model)
    if not example:
        return f"Name the fields, as in `fields=['velocity:1+=Vx,Vy']`: {FIELD_NOTATION}."
    whose = "those of the model are" if model else "such as"
    return f"Name the fields, {whose} `fields={example}`: {FIELD_NOTATION}."


def field_example(variables: Mapping[str, int], model: Sequence[Field] = ()) -> list[str]:
    """An example of how the fields of a file can be stated.

    Each field of the model is read from the variable of the same name. The other fields take the remaining variables of the same
    order, one after another. A field that gets none has the placeholder `VARIABLE`.

    **Arguments:** as in `name_the_fields`.
    """
    if not model:
        return [f"{name}:{min(k, 9)}+" for name, k in list(variables.items())[:_MOST]]
    names = {each.name for each in model}
    left = {name: k for name, k in variables.items() if name not in names}
    found = []
    for each in model:
        if each.name in variables:
            found.append(each.kind)
            continue
        part = next((name for name, k in left.items() if k == each.k), None)
        left.pop(part or "", None)
        found.append(f"{each.kind}={part or 'VARIABLE'}")
    return found
