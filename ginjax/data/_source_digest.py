"""Telling data again by what they hold, whatever the file is called and wherever it lies."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.sources import Source

MAX_VALUES = 2**22
"""Values that go into a digest; of more data a sample of frames, spread evenly, stands for all."""


def source_digest(source: Source, fields: Iterable[Field] | None = None) -> str:
    """SHA-256, in hexadecimal, of what data hold.

    It covers the grid, the number of trajectories and of their frames, and the values of frames spread evenly over all
    (every frame if they have no more than `MAX_VALUES` values). Spacing, time step and boundaries, which a user may state
    otherwise, do not enter.

    **Arguments:**

    - `source`: the data.
    - `fields`: which fields to look at; all that vary in time by default. Constants do not enter.

    **Raises:** as `Source.read`.
    """
    chosen = sorted(
        {each.name: each for each in (source.schema if fields is None else fields)}.values(),
        key=lambda f: f.name,
    )
    lengths = np.array([source.frames_of(i) for i in range(source.trajectories)], dtype=np.int64)
    digest = hashlib.sha256()
    about = [[each.name, each.k, each.p] for each in chosen]
    digest.update(json.dumps([about, list(source.spatial), source.trajectories]).encode())
    digest.update(lengths.astype("<i8").tobytes())
    for trajectory, frame in _spread(source, chosen, lengths):
        values = source.read(trajectory, frame, frame + 1)
        for each in chosen:
            digest.update(np.ascontiguousarray(values[each.name], "<f4").tobytes())
    return digest.hexdigest()


def _spread(source: Source, fields: list[Field], lengths: np.ndarray) -> Iterable[tuple[int, int]]:
    """Trajectory and number of the frames to look at, in the order in which they lie."""
    per_frame = math.prod(source.spatial) * sum(source.D**each.k for each in fields)
    ends = np.cumsum(lengths)
    total = int(ends[-1])
    count = min(total, max(MAX_VALUES // max(per_frame, 1), 2))
    numbers = np.unique(np.linspace(0, total - 1, count).round().astype(np.int64))
    which = np.searchsorted(ends, numbers, side="right")
    starts = ends - lengths
    yield from ((int(w), int(n - starts[w])) for n, w in zip(numbers, which, strict=True))
