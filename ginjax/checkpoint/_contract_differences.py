"""The differences between two data contracts, aspect by aspect, in the words of a message."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ._condition import OWN_CONDITIONS
from ._contract import Axis, DataContract
from ._field import NO_UNIT, Field
from ._missing_fields import way_to_missing_fields

Aspect = Literal[
    "dimension", "fields", "constants", "units", "boundary", "spacing", "time-step", "past-steps", "residual"
]
"""The aspects in which two contracts may differ."""

ADAPTABLE: tuple[Aspect, ...] = ("boundary", "spacing", "time-step")
"""Aspects to which training can adapt a network; with a difference in any other aspect it would be another network."""

_SAME = 1e-3
"""Spacings and time steps with a smaller relative difference are taken as equal."""


@dataclass(frozen=True)
class Difference:
    """One difference between data and what a model expects.

    **Arguments:**

    - `aspect`: what differs.
    - `subject`, `got`, `expected`, `hint`: the words of an error message.
    - `values`: what the model expects and what the data have, as JSON values.
    """

    aspect: Aspect
    subject: str
    got: str
    expected: str
    hint: str | None = None
    values: tuple[object, object] = (None, None)


def differences(wanted: DataContract, found: DataContract, *, task: bool = False) -> tuple[Difference, ...]:
    """Compare data with what a model expects.

    What either side does not know is not compared, see `unchecked`. Additional fields in the data do not matter.

    **Arguments:**

    - `wanted`: the contract of the model.
    - `found`: the contract of the data, or of another model.
    - `task`: whether to compare past frames and residual, too, which data by themselves do not state.

    **Returns:** the differences, the most important first.
    """
    if found.D != wanted.D:
        return (
            Difference(
                "dimension",
                "dimension of the data",
                str(found.D),
                f"{wanted.D}, that of the model",
                f"'ginjax convert-d' with `to_dim={found.D}` makes a model for {found.D}D of it.",
                (wanted.D, found.D),
            ),
        )
    sides = wanted, found
    result = [
        *_missing("fields", "fields of the data", sides, wanted.fields, found.fields),
        *_untold(wanted, found),
        *_missing(
            "constants",
            "constant fields of the data",
            sides,
            [each for each in wanted.constants if each.name not in wanted.told],
            found.constants,
        ),
        *_missing(
            "fields",
            "fields to be predicted",
            sides,
            wanted.targets or (),
            (*found.fields, *(found.targets or ())),
        ),
        *_units((*wanted.fields, *wanted.constants), (*found.fields, *found.constants)),
        *_own_units(wanted, found),
        *_boundaries(wanted.axes, found.axes),
        *_number("spacing", "grid spacing of the data", wanted.spacing, found.spacing),
        *_number("time-step", "time step of the data", wanted.time_step, found.time_step),
    ]
    if task:
        result += _task(wanted, found)
    return tuple(result)


def unchecked(wanted: DataContract, found: DataContract) -> tuple[Aspect, ...]:
    """What cannot be compared because one side does not know it."""
    sides: tuple[tuple[Aspect, float | None, float | None], ...] = (
        ("spacing", wanted.spacing, found.spacing),
        ("time-step", wanted.time_step, found.time_step),
    )
    told = {name.replace("_", "-") for name in wanted.told}
    return tuple(aspect for aspect, a, b in sides if (a is None or b is None) and aspect not in told)


def _task(wanted: DataContract, found: DataContract) -> list[Difference]:
    sides: tuple[tuple[Aspect, str, str], ...] = (
        ("past-steps", str(wanted.past_steps), str(found.past_steps)),
        ("residual", "changes" if wanted.residual else "frames", "changes" if found.residual else "frames"),
    )
    subjects = {"past-steps": "`past_steps`", "residual": "`residual`, what is predicted"}
    return [
        Difference(aspect, subjects[aspect], now, f"{was}, as the model was trained")
        for aspect, was, now in sides
        if was != now
    ]


def _missing(
    aspect: Literal["fields", "constants"],
    subject: str,
    sides: tuple[DataContract, DataContract],
    wanted: Sequence[Field],
    found: Sequence[Field],
) -> list[Difference]:
    """The wanted fields that are not among those found. `sides` are the contracts of the model and of the data."""
    present = {(each.name, each.key) for each in found}
    missing = [each for each in wanted if (each.name, each.key) not in present]
    if not missing:
        return []
    known = {(each.name, each.key) for each in wanted}
    free = [each for each in found if (each.name, each.key) not in known]
    hint = way_to_missing_fields(missing, *sides, among=found, free=free)
    return [
        Difference(aspect, subject, _kinds(found) or "none", f"{_kinds(wanted)}, those of the model", hint)
    ]


def _untold(wanted: DataContract, found: DataContract) -> list[Difference]:
    """Conditions of the network that the data do not state, and steps that differ within the data but are not conditions."""
    present = {(each.name, each.key) for each in found.constants}
    result = [
        Difference(
            "constants",
            f"condition '{each.name}' of the data",
            "none",
            "a number for each trajectory, which the network is told",
            f"`conditions=['{each.name}=NUMBER']` says it.",
        )
        for each in wanted.constants
        if each.name in wanted.told and (each.name, each.key) not in present
    ]
    differing = (found.told - wanted.told) & OWN_CONDITIONS.keys()
    for name in sorted(each for each in differing if getattr(found, each) is None):
        known, word = getattr(wanted, name), name.replace("_", " ")
        result.append(
            Difference(
                "constants",
                f"{word} of the data",
                "one for each trajectory",
                f"one {word}" if known is None else f"{known:g}, as in the model's training",
                f"The network is not told the {word}: train one with `conditions=['{name}']`.",
            )
        )
    return result


def _kinds(fields: Sequence[Field]) -> str:
    return ", ".join(each.kind for each in fields)


def _units(wanted: Sequence[Field], found: Sequence[Field]) -> list[Difference]:
    units = {each.name: each.unit for each in found}
    return [
        Difference(
            "units",
            f"unit of field '{each.name}' of the data",
            units[each.name],
            f"{each.unit}, as in the model's training",
            "A network knows its fields in one unit: convert the data.",
        )
        for each in wanted
        if each.name in units
        and each.unit not in NO_UNIT
        and units[each.name] not in NO_UNIT
        and units[each.name] != each.unit
    ]


def _own_units(wanted: DataContract, found: DataContract) -> list[Difference]:
    pairs = (
        ("length", wanted.length_unit or "", found.length_unit or ""),
        ("time", wanted.time_unit or "", found.time_unit or ""),
    )
    return [
        Difference(
            "units",
            f"unit of {what} of the data",
            theirs,
            f"{mine}, as in the model's training",
            "A network knows its grid and its time step in one unit: convert the data.",
        )
        for what, mine, theirs in pairs
        if mine not in NO_UNIT and theirs not in NO_UNIT and mine != theirs
    ]


def _boundaries(wanted: Sequence[Axis], found: Sequence[Axis]) -> list[Difference]:
    # A boundary that is not stated may be a wall or an open end.
    if all(a.is_torus == b.is_torus for a, b in zip(wanted, found, strict=True)):
        return []
    walled = any(a.is_torus and not b.is_torus for a, b in zip(wanted, found, strict=True))
    converted = (
        " Axes that a conversion adds are periodic unless `new_boundary` says otherwise, and the last unless `new_axis` does."
        if walled
        else ""
    )
    return [
        Difference(
            "boundary",
            "boundaries of the data",
            ends_in_words(found),
            f"{ends_in_words(wanted)}, as in the model's training",
            "If the data are wrong about their boundaries, say which axes are periodic: `is_torus`."
            + converted,
            ([axis.boundary for axis in wanted], [axis.boundary for axis in found]),
        )
    ]


def ends_in_words(axes: Sequence[Axis]) -> str:
    """A description, such as `x periodic and y not periodic`."""
    return " and ".join(f"{axis.name} {'periodic' if axis.is_torus else 'not periodic'}" for axis in axes)


def _number(
    aspect: Literal["spacing", "time-step"], subject: str, wanted: float | None, found: float | None
) -> list[Difference]:
    # What is not stated cannot be compared, and a single frame has no time step.
    if found is None or wanted is None or math.isclose(found, wanted, rel_tol=_SAME):
        return []
    return [
        Difference(
            aspect,
            subject,
            f"{found:g}",
            f"{wanted:g}, as in the model's training",
            f"A network knows one grid spacing and one time step: {_way(aspect, wanted, found)}train on them.",
            (wanted, found),
        )
    ]


def _way(aspect: Literal["spacing", "time-step"], wanted: float, found: float) -> str:
    """How to resample the data in Python, or why the frames do not allow it."""
    every = round(wanted / found)
    if aspect == "spacing":
        return f"resample the data (`ginjax.data.resample(source, spacing={wanted:g})`), or "
    if every >= 1 and math.isclose(wanted / found, every, rel_tol=_SAME):
        return f"resample the data (`ginjax.data.resample(source, every={every})`), or "
    return "frames can be left out but not made up, so "
