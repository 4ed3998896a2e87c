"""Arrays in memory as a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ginjax.data._trajectories import Trajectories
from ginjax.data.sources._source import Box, Source, slices_of
from ginjax.data.sources._told import condition_values
from ginjax.geometric import parse_torus


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MemorySource(Source):
    """Arrays as a `Source`; build it with `MemorySource.of`, `Source.at_hand` or `ginjax.data.from_arrays`.

    **Arguments:**

    - `held`: by name, arrays `(trajectory, time, *spatial, D, ..., D)` of fields that vary in time.
    - `steady`: by name, arrays `(trajectory or 1, *spatial, D, ..., D)` of the constants.
    """

    held: Mapping[str, np.ndarray] = field(repr=False)
    steady: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, trajectories: Trajectories) -> MemorySource:
        """Make a source of trajectories.

        **Arguments:**

        - `trajectories`: the data; they are not copied.
        """
        return cls(
            layout="memory",
            schema=trajectories.schema,
            D=trajectories.D,
            spatial=trajectories.spatial,
            spacing=trajectories.spacing,
            time_step=trajectories.time_step,
            is_torus=parse_torus(trajectories.is_torus, trajectories.D),
            trajectories=trajectories.count,
            frames=trajectories.frames,
            origin=dict(trajectories.origin or {}),
            held=trajectories.fields,
        )

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        return {each.name: np.asarray(self.held[each.name][trajectory, start:stop]) for each in self.schema}

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        lead = (trajectory, slice(start, stop), *slices_of(box))
        return {each.name: np.asarray(self.held[each.name][lead]) for each in self.schema}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return {
            each.name: np.asarray(values[trajectory % len(values)])
            for each in self.constants
            for values in (self.steady[each.name],)
        }


def held_in_memory(source: Source, progress: Callable[[int, int], None] | None = None) -> MemorySource:
    """Read all trajectories of a source once and hold them in memory; they must have equal lengths.

    **Arguments:**

    - `source`: the data.
    - `progress`: called as `progress(done, total)` after each trajectory.

    **Raises:** as `Source.read`.
    """
    held = source.arrays(progress)
    varying = [each.name for each in source.constants if each.name not in source.conditions]
    read = [source.read_constants(i) for i in range(source.trajectories)] if varying else []
    steady = {name: np.stack([constants[name] for constants in read]) for name in varying}
    for name, values in condition_values(source, source.conditions).items():
        sides = source.trajectories, *source.spatial
        steady[name] = np.broadcast_to(values.reshape(-1, *(1,) * source.D), sides)
    return MemorySource(**source.described(), held=held, steady=steady)
