"""Fields grouped into the blocks of an image."""

from __future__ import annotations

from collections.abc import Iterable

from ginjax.checkpoint import Field
from ginjax.geometric import Key, key_order


def fields_by_key(fields: Iterable[Field]) -> dict[Key, tuple[Field, ...]]:
    """Group fields by block key; fields in a block keep their order, which is the order of the channels.

    **Arguments:**

    - `fields`: the fields of a data set.

    **Returns:** a dict from key to the fields stacked in that block, with keys in canonical order.
    """
    groups: dict[Key, tuple[Field, ...]] = {}
    for field in sorted(fields, key=lambda field: key_order(field.key)):
        groups[field.key] = (*groups.get(field.key, ()), field)
    return groups
