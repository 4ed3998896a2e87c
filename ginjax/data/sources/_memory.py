"""Trajectories in memory, seen as a source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ginjax.data._trajectories import Trajectories
from ginjax.data.sources._source import Source
from ginjax.geometric import parse_torus


@dataclass(frozen=True, kw_only=True, eq=False)
class MemorySource(Source):
    """`Trajectories` as a `Source`; build it with `MemorySource.of`."""

    held: Trajectories

    @classmethod
    def of(cls, trajectories: Trajectories) -> MemorySource:
        """Wrap trajectories.

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
            held=trajectories,
        )

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        return {
            field.name: np.asarray(self.held.fields[field.name][trajectory, start:stop], np.float32)
            for field in self.schema
        }

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return {}
