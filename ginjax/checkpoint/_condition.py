"""Numbers that a network receives beside the fields, such as a time step or a coefficient."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ginjax.errors import ArgumentError

from ._expect import expect
from ._field import MAX_NAME

OWN_CONDITIONS: Mapping[str, str] = MappingProxyType({"spacing": "length_unit", "time_step": "time_unit"})
"""Conditions that data have an attribute for, and the attributes that hold their units."""

_BEYOND = 0.1
"""A number is far from the training if its distance from the training range exceeds this fraction of the range, ..."""

_SAME = 1e-3
"""... and also this fraction of the number itself."""


@dataclass(frozen=True)
class Condition:
    """A constant that is one number for each trajectory, the same everywhere on the grid.

    **Arguments:**

    - `name`: name of the constant, which is an input of the network like any other.
    - `low`, `high`: the smallest and the largest number in the training; None if unknown.

    **Raises:** `ArgumentError` for a range that is not valid.
    """

    name: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        known = [each for each in (self.low, self.high) if each is not None]
        if known and not (len(known) == 2 and all(map(math.isfinite, known)) and known[0] <= known[1]):
            raise ArgumentError(
                f"range of condition '{self.name}'",
                got=f"{self.low} to {self.high}",
                expected="two finite numbers, the lower one first",
            )

    @property
    def span(self) -> tuple[float, float] | None:
        """The range; None if unknown."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def in_words(self) -> str:
        """A description, such as `time_step 0.1 to 0.4`."""
        return self.name if self.span is None else f"{self.name} {_range(*self.span)}"

    def remark(self, values: Iterable[float]) -> str | None:
        """A remark on numbers that are far from those of the training; None if there are none."""
        if self.span is None:
            return None
        low, high = self.span
        margin = _BEYOND * (high - low)
        far = [each for each in values if max(low - each, each - high) > max(margin, _SAME * abs(each))]
        if not far:
            return None
        where = f"at {low:g} only" if low == high else f"between {low:g} and {high:g}"
        return (
            f"condition '{self.name}' is {_range(min(far), max(far))}: the network was trained {where}, and what it makes of "
            "other numbers is a guess"
        )

    def united(self, other: "Condition | None") -> "Condition":
        """The same condition, with a range that includes that of an earlier training."""
        spans = [each.span for each in (self, other) if each is not None and each.span is not None]
        if not spans:
            return self
        return replace(self, low=min(low for low, _ in spans), high=max(high for _, high in spans))


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def condition_to_json(condition: Condition) -> dict[str, object]:
    """Convert to a plain JSON object that `condition_from_json` can read."""
    return {"name": condition.name, "low": condition.low, "high": condition.high}


def condition_from_json(row: object, where: object) -> Condition:
    """Read what `condition_to_json` wrote.

    **Raises:** `FileError` or `ArgumentError` with the part that is wrong.
    """
    if not isinstance(row, Mapping):
        raise ArgumentError("field 'contract.conditions'", got=repr(row)[:40], expected="a list of objects")
    low, high = (
        None if row.get(name) is None else expect(row, name, float, where=where) for name in ("low", "high")
    )
    return Condition(expect(row, "name", str, where=where, least=1, most=MAX_NAME), low, high)
