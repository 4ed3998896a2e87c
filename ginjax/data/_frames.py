"""Which frames of a source to read, and in which order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ginjax.data.sources import Box, Source
from ginjax.errors import ArgumentError

MAX_VALUES_AT_ONCE = 2**24


def draw_frames(
    source: Source, most: int, seed: int, trajectories: Sequence[int] | np.ndarray | None
) -> np.ndarray:
    """Trajectory and number of each frame, `(frames, 2)`, sorted in the order in which they are stored."""
    indices = np.arange(source.trajectories) if trajectories is None else np.asarray(trajectories, dtype=int)
    if not indices.size:
        raise ArgumentError("trajectories to measure", got="none", expected="at least one")
    ends = np.cumsum([source.frames_of(int(i)) - source.blank for i in indices])
    total = int(ends[-1])
    # If there are too many frames to shuffle, a frame may be drawn twice; that does not change the mean.
    if total <= most:
        numbers = np.arange(total)
    else:
        numbers = np.unique(np.random.default_rng(seed).integers(total, size=most))
    which = np.searchsorted(ends, numbers, side="right")
    starts = np.concatenate([[0], ends[:-1]])
    numbers = numbers - starts[which] + source.blank
    drawn = np.stack([indices[which], numbers], axis=-1)
    return drawn if (np.diff(indices) > 0).all() else drawn[np.lexsort((drawn[:, 1], drawn[:, 0]))]


def runs(source: Source, chosen: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Runs of consecutive frames, `(trajectory, start, stop)`, each small enough for memory."""
    per_frame = math.prod(source.spatial) * sum(source.D**field.k for field in source.schema)
    longest = max(1, MAX_VALUES_AT_ONCE // max(per_frame, 1))
    run: tuple[int, int, int] | None = None
    for each in chosen:
        trajectory, frame = each.tolist()
        if run is not None and (trajectory, frame) == (run[0], run[2]) and frame - run[1] < longest:
            run = (trajectory, run[1], frame + 1)
            continue
        if run is not None:
            yield run
        run = (trajectory, frame, frame + 1)
    if run is not None:
        yield run


def slabs(source: Source, most: int = MAX_VALUES_AT_ONCE) -> list[Box | None]:
    """Slabs of the grid along its first axis, each small enough for a frame or two in memory; None for the whole grid."""
    per_frame = math.prod(source.spatial) * sum(
        source.D**field.k for field in (*source.schema, *source.constants)
    )
    if per_frame <= most:
        return [None]
    n, *others = source.spatial
    width = max(1, n * most // per_frame)
    rest = tuple((0, side) for side in others)
    return [((low, min(low + width, n)), *rest) for low in range(0, n, width)]
