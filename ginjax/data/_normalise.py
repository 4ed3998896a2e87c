"""Bringing fields to unit size with one number per field, so that symmetry and dimension do not matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ginjax.data._fields import Field, fields_by_key
from ginjax.data._trajectories import Trajectories
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage


@dataclass(frozen=True)
class FieldScale:
    """`normalised = (value - offset) / scale` for one field.

    **Arguments:**

    - `field`: the field.
    - `scale`: a positive number, shared by all components.
    - `offset`: a number; 0 for anything but an even scalar, as no other constant is invariant under the symmetries.
    """

    field: Field
    scale: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0 and math.isfinite(self.offset)):
            raise ArgumentError(
                f"normalisation of field '{self.field.name}'",
                got=f"scale {self.scale}, offset {self.offset}",
                expected="finite numbers, scale > 0",
            )
        if self.offset and (self.field.k, self.field.p) != (0, 0):
            raise ArgumentError(
                f"offset of field '{self.field.name}'",
                got=self.offset,
                expected="0",
                hint="Only even scalars may be shifted; a shift of any other field breaks equivariance.",
            )


@dataclass(frozen=True)
class Normalisation:
    """The scales of all fields of a data set, in the order of its schema.

    **Arguments:**

    - `scales`: one `FieldScale` per field.
    """

    scales: tuple[FieldScale, ...]

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
        return [
            {
                "name": entry.field.name,
                "k": entry.field.k,
                "p": entry.field.p,
                "unit": entry.field.unit,
                "scale": entry.scale,
                "offset": entry.offset,
            }
            for entry in self.scales
        ]

    @staticmethod
    def from_json(value: Sequence[Mapping[str, Any]]) -> Normalisation:
        """Read what `to_json` wrote.

        **Raises:** `ArgumentError` if an entry is malformed.
        """
        try:
            return Normalisation(
                tuple(
                    FieldScale(
                        Field(str(entry["name"]), int(entry["k"]), int(entry["p"]), str(entry["unit"])),
                        float(entry["scale"]),
                        float(entry["offset"]),
                    )
                    for entry in value
                )
            )
        except (KeyError, TypeError) as error:
            raise ArgumentError(
                "normalisation", got=repr(value), expected="a list of name, k, p, unit, scale, offset"
            ) from error

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


def measure_normalisation(trajectories: Trajectories) -> Normalisation:
    """Measure the scale of every field: the root mean square of its tensor norm per component.

    `offset = mean(u)` for even scalars, 0 otherwise; `scale = sqrt(mean((u - offset)^2))`, the mean running over
    trajectories, times, pixels and components. Measure it on training data, once, and keep it: the same numbers
    hold for every dimension the model is taken to.

    **Arguments:**

    - `trajectories`: the training data.

    **Returns:** one scale per field; a field that is constant gets scale 1.

    **Raises:** `ArgumentError` if a field holds NaN or infinity.
    """
    scales = []
    for field in trajectories.schema:
        values = trajectories.fields[field.name].astype(np.float64)
        offset = float(values.mean()) if (field.k, field.p) == (0, 0) else 0.0
        scale = math.sqrt(float(np.square(values - offset).mean()))
        if not math.isfinite(scale):
            raise ArgumentError(f"field '{field.name}'", got="NaN or infinity", expected="finite values")
        negligible = scale <= np.finfo(np.float32).eps * abs(offset)
        scales.append(FieldScale(field, 1.0 if negligible else scale, offset))
    return Normalisation(tuple(scales))
