"""Bringing fields to unit size with one number per field, so that symmetry and dimension do not matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ginjax.data._fields import Field, fields_by_key
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage


@dataclass(frozen=True)
class FieldScale:
    """`normalised = (value - offset) / scale` for one field.

    **Arguments:**

    - `field`: the field.
    - `scale`: a positive number, shared by all components.
    - `offset`: a number; 0 for anything but an even scalar, as no other constant is invariant under the symmetries.
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
        """`(values - offset) / scale`, in the precision of the values."""
        return (values - values.dtype.type(self.offset)) / values.dtype.type(self.scale)

    def normalise_increment(self, change: np.ndarray) -> np.ndarray:
        """`change / increment`, in the precision of the change.

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


@dataclass(frozen=True)
class Normalisation:
    """The scales of all fields of a data set, in the order of its schema.

    **Arguments:**

    - `scales`: one `FieldScale` per field that varies in time.
    - `constants`: one per field that does not; `apply` and `invert` leave these out, `of` finds them.
    """

    scales: tuple[FieldScale, ...]
    constants: tuple[FieldScale, ...] = ()

    def of(self, name: str) -> FieldScale:
        """The scale of the field of this name.

        **Raises:** `ArgumentError` if there is none.
        """
        for entry in (*self.scales, *self.constants):
            if entry.field.name == name:
                return entry
        known = [entry.field.name for entry in (*self.scales, *self.constants)]
        raise ArgumentError("field to normalise", got=repr(name), expected="one of " + ", ".join(known))

    def apply(self, image: MultiImage) -> MultiImage:
        """Normalise an image.

        **Arguments:**

        - `image`: blocks whose channels are fields x frames (time fastest), any leading axes before them.

        **Returns:** the normalised image.

        **Raises:** `ArgumentError` if the channels of a block are no multiple of its fields.
        """
        return self._map(image, lambda block, offset, scale: (block - offset) / scale)

    def invert(self, image: MultiImage) -> MultiImage:
        """Undo `apply`; same arguments, result and errors."""
        return self._map(image, lambda block, offset, scale: block * scale + offset)

    def to_json(self) -> list[dict[str, Any]]:
        """A plain JSON value that `from_json` reads back exactly."""
        return [_to_json(entry) for entry in self.scales] + [
            _to_json(entry) | {"constant": True} for entry in self.constants
        ]

    @staticmethod
    def from_json(value: Sequence[Mapping[str, Any]]) -> Normalisation:
        """Read what `to_json` wrote.

        **Raises:** `ArgumentError` if an entry is malformed.
        """
        try:
            constant = [bool(entry.get("constant", False)) for entry in value]
            entries = [_from_json(entry) for entry in value]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ArgumentError):
                raise
            raise ArgumentError(
                "normalisation", got=repr(value), expected="a list of name, k, p, unit, scale, offset"
            ) from error
        pairs = list(zip(entries, constant, strict=True))
        return Normalisation(
            tuple(entry for entry, is_constant in pairs if not is_constant),
            tuple(entry for entry, is_constant in pairs if is_constant),
        )

    def _map(self, image: MultiImage, change) -> MultiImage:
        groups = fields_by_key(entry.field for entry in self.scales)
        by_name = {entry.field.name: entry for entry in self.scales}
        axis = image.get_n_leading() - 1
        blocks = {}
        for key, block in image.items():
            fields = groups.get(key, ())
            if not fields or block.shape[axis] % len(fields):
                raise ArgumentError(
                    f"channels of block {key}",
                    got=block.shape[axis],
                    expected=f"a multiple of its {len(fields)} fields",
                )
            frames = block.shape[axis] // len(fields)
            shape = (-1,) + (1,) * (block.ndim - axis - 1)
            offset, scale = (
                np.repeat([getattr(by_name[field.name], name) for field in fields], frames)
                .astype(block.dtype)
                .reshape(shape)
                for name in ("offset", "scale")
            )
            blocks[key] = change(block, offset, scale)
        return MultiImage(blocks, image.D, image.is_torus)


def _to_json(entry: FieldScale) -> dict[str, Any]:
    value: dict[str, Any] = {
        "name": entry.field.name,
        "k": entry.field.k,
        "p": entry.field.p,
        "unit": entry.field.unit,
        "scale": entry.scale,
        "offset": entry.offset,
    }
    return value if entry.increment is None else value | {"increment": entry.increment}


def _from_json(entry: Mapping[str, Any]) -> FieldScale:
    increment = entry.get("increment")
    return FieldScale(
        Field(str(entry["name"]), int(entry["k"]), int(entry["p"]), str(entry["unit"])),
        float(entry["scale"]),
        float(entry["offset"]),
        None if increment is None else float(increment),
    )
