"""Conditions of data in a file: the numbers that a network receives, as far as the file states them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np

from ginjax.checkpoint import OWN_CONDITIONS, Field
from ginjax.data._found import Found
from ginjax.data._request import UNIT_NOT_STATED, ConditionRequest
from ginjax.data.sources._source import Source
from ginjax.data.sources._spacing import spacings_in_words
from ginjax.data.sources._told import missing_condition, with_conditions
from ginjax.errors import ArgumentError

_COUNTS = {"n_spatial_dims", "n_trajectories"}
"""Attributes of The Well that are counts, and therefore not conditions."""


def told_by_file(
    source: Source, found: Found, requests: Sequence[ConditionRequest], parity: Mapping[str, int]
) -> Source:
    """Add the requested numbers of a file to its data.

    **Arguments:**

    - `source`, `found`: the data, and their file.
    - `requests`: the numbers: time step and spacing as the file states them, numbers among its variables, or attributes.
    - `parity`: parities by name.

    **Raises:** `MissingCondition` for a number that neither the file nor the user states; otherwise as `with_conditions`.
    """
    numbers = {each.name: _number(found, each) for each in requests}
    units = {each.parts[0]: each.field.unit for each in found.defaults if len(each.parts) == 1}
    kinds = {
        each.name: Field(each.name, 0, parity.get(each.name, 0), units.get(each.source, UNIT_NOT_STATED))
        for each in requests
        if each.name not in OWN_CONDITIONS
    }
    return with_conditions(source, numbers, kinds=kinds, where=found.where)


def _number(found: Found, request: ConditionRequest) -> float | np.ndarray:
    """The values of a condition, one for each trajectory or one for all."""
    stated = _stated(found, request.source)
    if stated is None and request.source in found.variables:
        raise ArgumentError(
            f"{found.where}: condition '{request.name}'",
            got=f"'{request.source}', a field"
            + ("" if request.value is None else f", and {request.value:g}"),
            expected="one number for each trajectory",
            hint="A field is named with `fields`.",
        )
    if stated is None and request.value is None:
        raise missing_condition(found.where, request.name, _numbers_of(found), variable=request.source)
    if stated is None or request.value is None:
        return request.value if stated is None else stated  # pyright: ignore[reportReturnType]
    if not np.allclose(stated, request.value, rtol=1e-3, atol=0):
        low, high = stated.min(), stated.max()
        raise ArgumentError(
            f"{found.where}: condition '{request.name}'",
            got=f"{request.value:g}",
            expected=f"{low:g}{'' if low == high else f' to {high:g}'}, which the data state",
        )
    return stated


def _stated(found: Found, name: str) -> np.ndarray | None:
    """The values that a file states under a name; None if it states none."""
    own = getattr(found, name) if name in OWN_CONDITIONS else None
    if isinstance(own, tuple):
        raise ArgumentError(
            f"{found.where}: condition '{name}'",
            got=spacings_in_words(own),
            expected="one number for each trajectory, the same along all axes",
            hint="'ginjax data convert' makes the spacing equal.",
        )
    if own is not None:
        return np.atleast_1d(np.asarray(own, np.float64))
    variable = found.variables.get(name)
    if variable is not None and variable.number is not None:
        return variable.number()
    value = _attributes(found).get(name)
    return None if value is None else np.array([value])


def _attributes(found: Found) -> dict[str, float]:
    """The attributes of a file that are numbers."""
    attributes = found.origin.get("attributes")
    named = attributes.items() if isinstance(attributes, Mapping) else ()
    return {
        str(name): float(each) for name, each in named if type(each) in (int, float) and name not in _COUNTS
    }


def _numbers_of(found: Found) -> list[str]:
    """The names of the numbers in a file."""
    names = [name for name, each in found.variables.items() if each.number is not None]
    return list(dict.fromkeys([*names, *_attributes(found)]))


def untold_numbers(found: Found, used: Container[str]) -> list[str]:
    """A note on numbers in a file that the network does not receive; empty if there are none.

    **Arguments:**

    - `found`: the file.
    - `used`: the names of numbers that are already fields or conditions.
    """
    left = [name for name, each in found.variables.items() if each.number is not None and name not in used]
    if not left:
        return []
    which = f"numbers {', '.join(left)} are" if len(left) > 1 else f"number '{left[0]}' is"
    return [f"{which} left out (`conditions=['{left[0]}']` makes it an input of the network)"]


def check_steps(found: Found, told: Container[str], *, ask: bool) -> list[str]:
    """Refuse a time step or a spacing that differs between trajectories, if the network does not receive it.

    **Arguments:**

    - `found`: the file.
    - `told`: the names of the conditions.
    - `ask`: whether to refuse it.

    **Returns:** notes, if `ask` is false.

    **Raises:** `ArgumentError` with both numbers.
    """
    steps = {name: getattr(found, name) for name in OWN_CONDITIONS if name not in told}
    differing = {name: values for name, values in steps.items() if isinstance(values, np.ndarray)}
    notes = []
    for name, values in differing.items():
        other = int(np.argmax(~np.isclose(values, values[0], rtol=1e-3, atol=0)))
        error = ArgumentError(
            f"{found.where}: {name.replace('_', ' ')} of trajectory {other}",
            got=f"{values[other]:g}",
            expected=f"{values[0]:g}, as of trajectory 0",
            hint=f"`conditions={sorted(differing)}` makes what differs an input of the network. Or put trajectories of equal steps into "
            "files of their own.",
        )
        if ask:
            raise error
        notes.append(f"{error.problem}. {error.hint}")
    return notes
