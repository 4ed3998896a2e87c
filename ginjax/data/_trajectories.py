"""Time series of fields on a grid, as read or generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ginjax.checkpoint import Field
from ginjax.errors import ArgumentError


@dataclass(frozen=True)
class Trajectories:
    """Several simulations of the same length on the same grid.

    **Arguments:**

    - `schema`: the fields, in channel order.
    - `fields`: field name -> float array of shape `(trajectory, time, *spatial, D, ..., D)`; component `i` of
      a vector points along spatial axis `i`.
    - `D`: number of spatial dimensions.
    - `spacing`: distance between grid points.
    - `time_step`: time between frames.
    - `is_torus`: whether each axis is periodic.
    - `origin`: provenance of the data, as JSON values.

    **Raises:** `ArgumentError` when an array is missing or its shape does not fit its field.
    """

    schema: tuple[Field, ...]
    fields: Mapping[str, np.ndarray]
    D: int
    spacing: float
    time_step: float
    is_torus: bool | tuple[bool, ...] = True
    origin: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        names = [field.name for field in self.schema]
        if not names or sorted(names) != sorted(self.fields):
            raise ArgumentError("fields of the trajectories", got=sorted(self.fields), expected=sorted(names))
        lead = self.fields[names[0]].shape[: 2 + self.D]
        if len(lead) != 2 + self.D:
            raise ArgumentError(
                f"number of axes of field '{names[0]}'",
                got=len(lead),
                expected=f"trajectory, time and {self.D} spatial axes",
            )
        for field in self.schema:
            expected = (*lead, *(self.D,) * field.k)
            if self.fields[field.name].shape != expected:
                raise ArgumentError(
                    f"shape of field '{field.name}'", got=self.fields[field.name].shape, expected=expected
                )

    @property
    def count(self) -> int:
        """Number of trajectories."""
        return self.fields[self.schema[0].name].shape[0]

    @property
    def frames(self) -> int:
        """Number of stored frames in each trajectory."""
        return self.fields[self.schema[0].name].shape[1]

    @property
    def spatial(self) -> tuple[int, ...]:
        """Grid points along each axis."""
        return self.fields[self.schema[0].name].shape[2 : 2 + self.D]

    def split(self, count: int) -> tuple[Trajectories, Trajectories]:
        """Split into the first `count` trajectories and the rest. No trajectory is in both parts.

        **Raises:** `ArgumentError` unless both parts would hold at least one trajectory.
        """
        if not 0 < count < self.count:
            raise ArgumentError("size of the split", got=count, expected=f"1 to {self.count - 1}")
        return self._select(slice(None, count)), self._select(slice(count, None))

    def _select(self, part: slice) -> Trajectories:
        arrays = {name: array[part] for name, array in self.fields.items()}
        return Trajectories(
            self.schema, arrays, self.D, self.spacing, self.time_step, self.is_torus, self.origin
        )
