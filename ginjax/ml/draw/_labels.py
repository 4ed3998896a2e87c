"""Labels of the data in a picture: names with units, places along axes, times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import AXIS_NAMES, DataContract

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Labels:
    """Names, units, places and times of the data in a picture, from their contract.

    **Arguments:**

    - `contract`: contract of the data. If it does not know the spacing, axes count grid points; if it does not know the time
      step, time counts steps.
    """

    contract: DataContract

    @classmethod
    def of(cls, contract: DataContract | None, D: int) -> Labels:
        """Make labels from a contract, or for data of which only the dimension is known."""
        return cls(DataContract.unknown((True,) * D) if contract is None else contract)

    def unit(self, name: str) -> str:
        """The unit of a field; empty if it has none, or if it is not known."""
        known = {each.name: each.unit_shown for each in reversed(self.contract.everything)}
        return known.get(name, "")

    def field(self, name: str, order: int) -> str:
        """The label of a field on a colour bar or an axis; a vector or tensor is shown by its length."""
        return with_unit(f"|{name}|" if order else name, self.unit(name))

    def difference(self, name: str, order: int) -> str:
        """The label of the difference between prediction and truth."""
        what = f"prediction {MINUS} truth"
        return with_unit(f"|{what}|" if order else what, self.unit(name))

    def energy(self, name: str) -> str:
        """The label of the energy of a field, which is its square."""
        unit = self.unit(name)
        squared = f"{unit}²" if unit.isalpha() else f"({unit})²"
        return with_unit("energy", squared if unit else "")

    def axis(self, number: int) -> str:
        """The label of a spatial axis."""
        name = self.axis_name(number)
        return f"{name} [grid points]" if self.contract.spacing is None else with_unit(name, self.length_unit)

    def axis_name(self, number: int) -> str:
        """The name of a spatial axis."""
        axes = self.contract.axes
        return axes[number].name if number < len(axes) else AXIS_NAMES[number]

    def points(self, number: int) -> Float[np.ndarray, " pixels"]:
        """Places of grid points along an axis, from the first point."""
        return np.arange(number) * self.distance

    @property
    def distance(self) -> float:
        """The distance between grid points; 1 if it is not known."""
        return self.contract.spacing or 1.0

    @property
    def length_unit(self) -> str:
        """The unit of length; empty if it is not known."""
        return (self.contract.length_unit or "").strip()

    @property
    def time_unit(self) -> str:
        """The unit of time; empty if it is not known."""
        return (self.contract.time_unit or "").strip()

    @property
    def time_axis(self) -> str:
        """The label of a time axis."""
        return "step" if self.contract.time_step is None else with_unit("t", self.time_unit)

    def times(self, steps: Sequence[int] | np.ndarray) -> Float[np.ndarray, " steps"]:
        """Times of some steps along that axis, counted from the last given frame."""
        return np.asarray(steps, np.float64) * (self.contract.time_step or 1.0)

    def time(self, step: int) -> str:
        """The time of one step, as text."""
        if self.contract.time_step is None:
            return f"step {step}"
        return f"t = {step * self.contract.time_step:.4g} {self.time_unit}".rstrip()

    def slice_shown(self, spatial: Sequence[int]) -> str:
        """The place of the plane that is drawn, for a field in three or more dimensions; empty in fewer."""
        return ", ".join(self._place(axis, spatial[axis] // 2) for axis in range(2, len(spatial)))

    def _place(self, axis: int, index: int) -> str:
        name = self.axis_name(axis)
        if self.contract.spacing is None:
            return f"{name} = grid point {index}"
        return f"{name} = {index * self.distance:.4g} {self.length_unit}".rstrip()

    @property
    def walled(self) -> tuple[str, ...]:
        """Names of the axes that are not periodic."""
        return tuple(axis.name for axis in self.contract.axes if not axis.is_torus)


def with_unit(text: str, unit: str) -> str:
    """A text followed by its unit, if there is one."""
    return f"{text} [{unit}]" if unit else text
