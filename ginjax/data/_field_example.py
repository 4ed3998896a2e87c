"""How fields are named, said with the names of the file and of the model at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ginjax.checkpoint import FIELD_NOTATION, Field

_MOST = 4
"""Fields in an example."""


def name_the_fields(variables: Mapping[str, int], model: Sequence[Field] = ()) -> str:
    """A hint that names the fields: those of the model, else those of the file as scalars and vectors that are even.

    **Arguments:**

    - `variables`: the tensor order of each variable of the file.
    - `model`: the fields of the model that the data are for.
    """
    example = field_example(variables, model)
    if not example:
        return f"Name the fields, as in `fields=['velocity:1+=Vx,Vy']`: {FIELD_NOTATION}."
    whose = "those of the model are" if model else "such as"
    return f"Name the fields, {whose} `fields={example}`: {FIELD_NOTATION}."


def field_example(variables: Mapping[str, int], model: Sequence[Field] = ()) -> list[str]:
    """What may be said of the fields of a file.

    Fields of a model are read from the variables of their names, and others from the variables that are left of their order, in
    turn; one without any from `VARIABLE`.

    **Arguments:** as of `name_the_fields`.
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
