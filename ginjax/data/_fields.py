"""What a field is called, how it turns, and in which unit it is measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ginjax.errors import ArgumentError
from ginjax.geometric import Key, key_order


@dataclass(frozen=True)
class Field:
    """One physical field of a data set.

    **Arguments:**

    - `name`: its name in files and reports.
    - `k`: tensor order (0 scalar, 1 vector).
    - `p`: parity (0 even, 1 odd).
    - `unit`: unit as text; "1" for a dimensionless quantity.
    """

    name: str
    k: int
    p: int
    unit: str = "1"

    def __post_init__(self) -> None:
        if self.k < 0:
            raise ArgumentError(f"tensor order of field '{self.name}'", got=self.k, expected="k >= 0")
        if self.p not in (0, 1):
            raise ArgumentError(f"parity of field '{self.name}'", got=self.p, expected="0 or 1")

    @property
    def key(self) -> Key:
        """The key of the block that holds this field."""
        return (False,) * self.k, self.p


def fields_by_key(fields: Iterable[Field]) -> dict[Key, tuple[Field, ...]]:
    """Group fields by block key; inside a block they keep their order, which is the order of the channels.

    **Arguments:**

    - `fields`: the fields of a data set.

    **Returns:** a dict from key to the fields stacked in that block, keys in canonical order.
    """
    groups: dict[Key, tuple[Field, ...]] = {}
    for field in sorted(fields, key=lambda field: key_order(field.key)):
        groups[field.key] = (*groups.get(field.key, ()), field)
    return groups
