"""The description of a field: its name, its behaviour under rotations and reflections, its unit, and its scale."""

import math
from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError

FieldTensorKey = tuple[tuple[bool, ...], int]
"""`((False,) * k, p)`, the key of the block that holds a field of order `k` and parity `p`."""


MAX_NAME = 256
"""Most characters of a name or a unit, in memory and in files."""

MAX_ORDER = 32
"""Largest tensor order, in memory and in files."""


FIELD_NOTATION = (
    "0 stands for a scalar, 1 for a vector, + for even and - for odd (changing sign under reflections)"
)
"""The meaning of the number and the sign after the name of a field, as in `velocity:1+`."""

NO_UNIT = ("", "1", "unknown")
"""Unit texts of quantities that have no unit, or an unknown one."""


@dataclass(frozen=True)
class Field:
    """One physical field of a data set.

    **Arguments:**

    - `name`: name in files and reports.
    - `k`: tensor order (0 scalar, 1 vector).
    - `p`: parity (0 even, 1 odd).
    - `unit`: unit as text; "1" for a dimensionless quantity.
    """

    name: str
    k: int
    p: int
    unit: str = "1"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not 1 <= len(self.name) <= MAX_NAME:
            raise ArgumentError(
                "name of a field", got=repr(self.name)[:60], expected=f"a text of 1 to {MAX_NAME} characters"
            )
        if not isinstance(self.unit, str) or len(self.unit) > MAX_NAME:
            raise ArgumentError(
                f"unit of field '{self.name}'",
                got=repr(self.unit)[:60],
                expected=f"a text of at most {MAX_NAME} characters",
            )
        if type(self.k) is not int or not 0 <= self.k <= MAX_ORDER:
            raise ArgumentError(
                f"tensor order of field '{self.name}'", got=repr(self.k), expected=f"0 to {MAX_ORDER}"
            )
        if type(self.p) is not int or self.p not in (0, 1):
            raise ArgumentError(f"parity of field '{self.name}'", got=repr(self.p), expected="0 or 1")

    @property
    def key(self) -> FieldTensorKey:
        """The key of the block that holds this field."""
        return (False,) * self.k, self.p

    @property
    def unit_shown(self) -> str:
        """The unit to show beside a name; empty if there is none or it is unknown."""
        return "" if self.unit.strip() in NO_UNIT else self.unit.strip()

    @property
    def kind(self) -> str:
        """Name, order and parity as on the command line, such as `velocity:1+`."""
        return f"{self.name}:{self.k}{'-' if self.p else '+'}"


@dataclass(frozen=True)
class FieldScale:
    """`normalised = (value - offset) / scale` for one field.

    **Arguments:**

    - `field`: the field.
    - `scale`: a positive number in the unit of the field, shared by all components.
    - `offset`: a number in that unit. It is 0 for every field that is not an even scalar, because no other constant is invariant
      under the symmetries.
    - `increment`: scale of the change of the field from one frame to the next, for models that predict the
      change; None if it was not measured.
    """

    field: Field
    scale: float
    offset: float = 0.0
    increment: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0 and math.isfinite(self.offset)):
            raise ArgumentError(
                f"normalisation of field '{self.field.name}'",
                got=f"scale {self.scale}, offset {self.offset}",
                expected="finite numbers, scale > 0",
            )
        if self.increment is not None and not (math.isfinite(self.increment) and self.increment > 0):
            raise ArgumentError(
                f"scale of the increments of field '{self.field.name}'",
                got=self.increment,
                expected="a finite number > 0",
            )
        if self.offset and (self.field.k, self.field.p) != (0, 0):
            raise ArgumentError(
                f"offset of field '{self.field.name}'",
                got=self.offset,
                expected="0",
                hint="Only even scalars may be shifted; a shift of any other field breaks equivariance.",
            )

    def normalise(self, values: np.ndarray) -> np.ndarray:
        """Return `(values - offset) / scale`, in the precision of the values."""
        return (values - values.dtype.type(self.offset)) / values.dtype.type(self.scale)

    def normalise_increment(self, change: np.ndarray) -> np.ndarray:
        """Return `change / increment`, in the precision of the change.

        **Raises:** `ArgumentError` if the scale of the increments was not measured.
        """
        if self.increment is None:
            raise ArgumentError(
                f"scale of the increments of field '{self.field.name}'",
                got="none",
                expected="one, to predict changes",
                hint="Measure the normalisation on a source of data: measure_normalisation(source).",
            )
        return change / change.dtype.type(self.increment)
