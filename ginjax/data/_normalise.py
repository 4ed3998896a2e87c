"""Scaling of fields to unit size with one number per field, which preserves symmetry and does not depend on the dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import DataContract, FieldScale
from ginjax.data._fields import fields_by_key
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage


@dataclass(frozen=True)
class Normalisation:
    """The scales of all fields of a data set, in the order of its schema.

    **Arguments:**

    - `scales`: one `FieldScale` per field that varies in time.
    - `constants`: one per field that does not vary in time; `of` finds them, `apply` and `invert` do not use them.
    """

    scales: tuple[FieldScale, ...]
    constants: tuple[FieldScale, ...] = ()

    @classmethod
    def of_contract(cls, contract: DataContract) -> Normalisation:
        """The scales of the fields and constants of a model.

        **Raises:** `ArgumentError` if its contract holds none.
        """
        if not contract.scales:
            raise ArgumentError("scales of the fields", got="none", expected="those of a trained model")
        # A target may have the name of a field: scales are identified by position, not by name.
        moving = len(contract.fields)
        steady = moving + len(contract.constants)
        return cls(contract.scales[:moving], contract.scales[moving:steady])

    @property
    def everything(self) -> tuple[FieldScale, ...]:
        """The scales of all fields and constants."""
        return (*self.scales, *self.constants)

    def or_else(self, known: Mapping[str, FieldScale]) -> Normalisation:
        """The same scales, except that fields in `known` (by name) keep those given there."""
        scales, constants = (
            tuple(known.get(each.field.name, each) for each in some) for some in (self.scales, self.constants)
        )
        return Normalisation(scales, constants)

    def of(self, name: str) -> FieldScale:
        """The scale of the field of this name.

        **Raises:** `ArgumentError` if there is none.
        """
        for entry in self.everything:
            if entry.field.name == name:
                return entry
        known = [entry.field.name for entry in self.everything]
        raise unknown_name("field to normalise", name, known, expected="one of " + ", ".join(known))

    def apply(self, image: MultiImage) -> MultiImage:
        """Normalise an image.

        **Arguments:**

        - `image`: blocks whose channels are fields x frames (time fastest), with any leading axes before the channels.

        **Returns:** the normalised image.

        **Raises:** `ArgumentError` if the number of channels of a block is not a multiple of its number of fields.
        """
        return self._map(image, lambda block, offset, scale: (block - offset) / scale)

    def invert(self, image: MultiImage) -> MultiImage:
        """Undo `apply`; same arguments, result and errors."""
        return self._map(image, lambda block, offset, scale: block * scale + offset)

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
