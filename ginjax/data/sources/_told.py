"""Conditions: numbers of each trajectory that a network receives beside the fields."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ginjax._unknown_name import did_you_mean, nearest
from ginjax.checkpoint import OWN_CONDITIONS, Condition, Field
from ginjax.data._request import UNIT_NOT_STATED, parse_conditions
from ginjax.data.sources._source import Box, Source
from ginjax.errors import ArgumentError

_SAME = 1e-3
"""Numbers with a smaller relative difference are taken as equal."""


class MissingCondition(ArgumentError):
    """The data do not state a number that a network needs.

    **Arguments:**

    - `condition`: name of the number.
    - all others: as in `ArgumentError`.
    """

    def __init__(self, subject: str, *, condition: str, **parts: Any):
        super().__init__(subject, **parts)
        self.condition = condition


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ToldSource(Source):
    """Another source with numbers of each trajectory as further constants; build it with `with_conditions`."""

    whole: Source = field(repr=False)
    numbers: Mapping[str, np.ndarray] = field(repr=False)

    def frames_of(self, trajectory: int) -> int:
        return self.whole.frames_of(trajectory)

    @property
    def in_order(self) -> bool:
        return self.whole.in_order

    def close(self) -> None:
        self.whole.close()

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        return self.whole.read(trajectory, start, stop, precise=True)

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        return self.whole.read(trajectory, start, stop, precise=True, box=box)

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return self._all(trajectory, None)

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        return self._all(trajectory, box)

    def _all(self, trajectory: int, box: Box | None) -> dict[str, np.ndarray]:
        found = self.whole.read_constants(trajectory, precise=True, box=box) if self.whole.constants else {}
        sides = self.spatial if box is None else tuple(high - low for low, high in box)
        return found | {
            name: np.broadcast_to(values[trajectory % values.size], sides)
            for name, values in self.numbers.items()
        }


def with_conditions(
    source: Source,
    conditions: str | Iterable[str] | Mapping[str, ArrayLike | None],
    *,
    kinds: Mapping[str, Field] | None = None,
    where: str | None = None,
) -> Source:
    """Add numbers of each trajectory to data, as constants with the same value everywhere on the grid, for a network to receive.

    **Arguments:**

    - `source`: the data.
    - `conditions`: names, such as `time_step`, or names with a number, such as `viscosity=0.1`; or a mapping from name to one
      number, or to one for each trajectory. `time_step` and `spacing` need no number if the data state it.
    - `kinds`: parity and unit of some of them; the others are even and have no known unit.
    - `where`: name of the data in messages; their own name if None.

    **Returns:** a source whose `conditions` include these.

    **Raises:** `ArgumentError` for a name that is a field, and for numbers that are not finite, do not match the number of
    trajectories, or contradict the data; `MissingCondition` for a number that is not stated anywhere.
    """
    where = where or source.name
    asked = dict(conditions) if isinstance(conditions, Mapping) else _said(where, conditions)
    present = {each.name for each in source.constants}
    numbers: dict[str, np.ndarray] = {}
    stated: dict[str, Any] = {}
    for name, said in asked.items():
        if name in {each.name for each in source.schema}:
            raise ArgumentError(
                f"{where}: condition '{name}'",
                got="a field that varies",
                expected="one number for each trajectory",
            )
        if name in present and name not in source.conditions:
            raise ArgumentError(
                f"{where}: condition '{name}'",
                got="a constant that varies in space",
                expected="one number for each trajectory",
                hint="The network sees it as it is.",
            )
        values = None if said is None else _checked(where, name, said, source.trajectories)
        known = source_numbers(source, name)
        if known is not None and values is not None and not np.allclose(values, known, rtol=_SAME, atol=0):
            raise ArgumentError(
                f"{where}: condition '{name}'",
                got=_in_words(values),
                expected=f"{_in_words(known)}, which the data state",
            )
        found = known if values is None else values
        if found is None:
            raise missing_condition(where, name, ())
        if name in present:
            continue
        numbers[name] = found
        if name in OWN_CONDITIONS and known is None and np.ptp(found) == 0:
            stated[name] = float(found[0])
    if not numbers:
        return source
    kinds = kinds or {}
    new = tuple(kinds.get(name) or Field(name, 0, 0, _unit(source, name)) for name in numbers)
    about = source.described() | stated
    about |= {
        "constants": (*source.constants, *new),
        "conditions": (*source.conditions, *numbers),
    }
    return ToldSource(**about, whole=source, numbers=numbers)


def source_numbers(source: Source, name: str) -> np.ndarray | None:
    """The values of a condition that the data state, one for each trajectory or one for all; None if they state none."""
    if name in source.conditions:
        return condition_values(source, (name,))[name]
    value = getattr(source, name) if name in OWN_CONDITIONS else None
    return None if value is None else np.array([value])


def condition_values(
    source: Source, names: Sequence[str], trajectories: Iterable[int] | None = None
) -> dict[str, np.ndarray]:
    """The values of conditions for each trajectory.

    **Arguments:**

    - `source`: the data.
    - `names`: names of some of its conditions.
    - `trajectories`: indices of the trajectories; all by default.

    **Returns:** by name, `(trajectories,)`.
    """
    chosen = range(source.trajectories) if trajectories is None else [int(i) for i in trajectories]
    pixel = ((0, 1),) * source.D
    found = [source.read_constants(i, precise=True, box=pixel) for i in chosen] if names else []
    return {name: np.array([float(each[name].flat[0]) for each in found]) for name in names}


def condition_ranges(source: Source, trajectories: Iterable[int] | None = None) -> tuple[Condition, ...]:
    """The conditions of data, with the smallest and the largest value of each.

    **Arguments:**

    - `source`, `trajectories`: as in `condition_values`.
    """
    values = condition_values(source, source.conditions, trajectories)
    return tuple(Condition(name, float(each.min()), float(each.max())) for name, each in values.items())


def missing_condition(
    where: str, name: str, others: Sequence[str], *, variable: str | None = None
) -> MissingCondition:
    """The error for a number that is not stated anywhere, and how to state it.

    **Arguments:**

    - `where`: the data.
    - `name`: name of the number.
    - `others`: names of numbers that the data do have.
    - `variable`: the name that the user says the data use; the same as `name` if None.
    """
    said = f"Say it: `conditions=['{name}=NUMBER']`"
    if name in OWN_CONDITIONS and variable in (None, name):
        return MissingCondition(
            f"{where}: condition '{name}', which the data do not state",
            condition=name,
            expected="one number for each trajectory, or for all",
            hint=f"{said}; in files that differ in it 'ginjax data convert' states it, by `data_{name}`.",
        )
    near = nearest(variable or name, others)
    called = f"`conditions=['{name}={near[0] if near else 'VARIABLE'}']`"
    has = f"it has {', '.join(others[:12])}" if others else "it has no numbers"
    return MissingCondition(
        f"{where}: condition '{name}'",
        condition=name,
        got=f"no number {'of this name' if variable in (None, name) else repr(variable)} ({has})",
        expected="one number for each trajectory, or for all",
        hint=did_you_mean(variable or name, others, hint=f"{said}, or what the file calls it: {called}.")
        if others
        else f"{said}.",
    )


def _said(where: str, conditions: str | Iterable[str]) -> dict[str, float | None]:
    """The names, and the numbers stated with them."""
    requests = parse_conditions(conditions if isinstance(conditions, str) else list(conditions))
    for each in requests:
        if each.variable is not None:
            raise ArgumentError(f"{where}: condition '{each.name}'", got=each.variable, expected="a number")
    return {each.name: each.value for each in requests}


def _checked(where: str, name: str, said: ArrayLike, trajectories: int) -> np.ndarray:
    try:
        found = np.asarray(said, np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise ArgumentError(f"{where}: condition '{name}'", got=repr(said)[:60], expected="numbers") from None
    if found.size not in (1, trajectories):
        raise ArgumentError(
            f"{where}: condition '{name}'",
            got=f"{found.size} numbers",
            expected=f"{trajectories}, one for each trajectory, or one",
        )
    good = np.isfinite(found) & (np.abs(found) <= np.finfo(np.float32).max)
    if name in OWN_CONDITIONS:
        good &= found > 0
    if not good.all():
        raise ArgumentError(
            f"{where}: condition '{name}'",
            got=found[~good][0],
            expected="a positive number" if name in OWN_CONDITIONS else "a finite number",
        )
    return found


def _in_words(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if math.isclose(low, high) else f"{low:g} to {high:g}"


def _unit(source: Source, name: str) -> str:
    unit = getattr(source, OWN_CONDITIONS[name]) if name in OWN_CONDITIONS else None
    return unit or UNIT_NOT_STATED
