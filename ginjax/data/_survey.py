"""A survey of the values of data: their range, their size, and how many are NaN or infinite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._frames import draw_frames, runs
from ginjax.data._measure import Moments
from ginjax.data.sources import Source


@dataclass
class FieldSurvey:
    """A survey of the values of one field.

    **Arguments:**

    - `field`: the field; `constant`: whether it does not vary in time.
    - `values`: how many values were looked at; `bad`: how many of them are NaN or infinite.
    - `minimum`, `maximum`, `rms`: of the others, over all components; None if there are none.
    """

    field: Field
    constant: bool
    values: int = 0
    bad: int = 0
    minimum: float | None = None
    maximum: float | None = None
    rms: float | None = None


def survey(
    source: Source,
    *,
    max_frames: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FieldSurvey, ...]:
    """Look at the values of all fields, a few frames at a time.

    **Arguments:**

    - `source`: the data.
    - `max_frames`: frames to look at, drawn at random if there are more; all if None.
    - `seed`: of that draw.
    - `progress`: called as `progress(done, total)` with numbers of frames.

    **Returns:** one entry for each field, then for each constant.
    """
    total = sum(source.frames_of(i) for i in range(source.trajectories))
    chosen = draw_frames(source, total if max_frames is None else max_frames, seed, None)
    found = {field.name: FieldSurvey(field, False) for field in source.schema}
    found |= {field.name: FieldSurvey(field, True) for field in source.constants}
    moments = {name: Moments() for name in found}
    done, seen = 0, -1
    for trajectory, start, stop in runs(source, chosen):
        blocks = source.read(trajectory, start, stop)
        if source.constants and trajectory != seen:
            blocks |= source.read_constants(trajectory)
        for name, block in blocks.items():
            _add(found[name], moments[name], block)
        seen = trajectory
        done += stop - start
        if progress is not None:
            progress(done, len(chosen))
    return tuple(found.values())


def _add(entry: FieldSurvey, moments: Moments, block: np.ndarray) -> None:
    good = block[np.isfinite(block)]
    entry.values += block.size
    entry.bad += block.size - good.size
    if good.size:
        low, high = float(good.min()), float(good.max())
        entry.minimum = low if entry.minimum is None else min(entry.minimum, low)
        entry.maximum = high if entry.maximum is None else max(entry.maximum, high)
        moments.add(good)
        entry.rms = moments.deviation(0.0)
