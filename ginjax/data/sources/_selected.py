"""A source restricted to some of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.sources._source import Box, Source
from ginjax.errors import ArgumentError


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SelectedSource(Source):
    """Some fields of another source, in another order; build it with `select_fields`."""

    whole: Source = field(repr=False)

    def frames_of(self, trajectory: int) -> int:
        return self.whole.frames_of(trajectory)

    def close(self) -> None:
        self.whole.close()

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        found = self.whole.read(trajectory, start, stop, precise=True)
        return {each.name: found[each.name] for each in self.schema}

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        found = self.whole.read(trajectory, start, stop, precise=True, box=box)
        return {each.name: found[each.name] for each in self.schema}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return self._constants(trajectory, None)

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        return self._constants(trajectory, box)

    def _constants(self, trajectory: int, box: Box | None) -> dict[str, np.ndarray]:
        found = self.whole.read_constants(trajectory, precise=True, box=box) if self.constants else {}
        return {each.name: found[each.name] for each in self.constants}


def select_fields(source: Source, schema: Sequence[Field], constants: Sequence[Field] = ()) -> Source:
    """Select fields of a source, and their order.

    **Arguments:**

    - `source`: the data.
    - `schema`, `constants`: the fields that vary in time and those that do not, found by name and kind.

    **Raises:** `ArgumentError` if the source lacks one.
    """
    for wanted, present in ((schema, source.schema), (constants, source.constants)):
        kinds = {each.name: each.key for each in present}
        for each in wanted:
            if kinds.get(each.name) != each.key:
                raise ArgumentError(
                    f"field '{each.name}'",
                    got=", ".join(kinds) or "no fields",
                    expected="a field of this name, order and parity",
                )
    kept = {each.name for each in constants}
    chosen: dict[str, Any] = {"schema": tuple(schema), "constants": tuple(constants)}
    chosen["conditions"] = tuple(name for name in source.conditions if name in kept)
    return SelectedSource(**source.described() | chosen, whole=source)
