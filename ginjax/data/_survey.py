"""A survey of the values in data: their range, their size, and how many are NaN or infinite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ginjax.checkpoint import Field
from ginjax.data._frames import draw_frames, runs
from ginjax.data._measure import LARGEST
from ginjax.data.sources import Source

LARGE_SHARE = 0.1
"""A number that is found at least at this share of the points is pointed out."""

_LOOKED_AT = 2**16
_AT_ONCE = 2**22
"""Number of values whose squares and comparisons are in memory at a time."""


@dataclass
class FieldSurvey:
    """A survey of the values of one field.

    **Arguments:**

    - `field`: the field; `constant`: whether it does not vary in time.
    - `values`: number of values examined; `bad`: how many of them are NaN or infinite.
    - `most_common`: the most common number in the first frames, and `share`: its share of all values. A number with a large
      share usually stands for something, such as a missing measurement.
    - `minimum`, `maximum`, `rms`: of the finite values, over all components; None if there are none.
    """

    field: Field
    constant: bool
    values: int = 0
    bad: int = 0
    minimum: float | None = None
    maximum: float | None = None
    rms: float | None = None
    most_common: float | None = None
    share: float = 0.0

    @property
    def remark(self) -> str | None:
        """A remark about a value that may stand for missing ones; None if there is nothing to remark."""
        extreme = (
            max(abs(each) for each in (self.minimum, self.maximum))
            if self.minimum is not None and self.maximum is not None
            else 0.0
        )
        if extreme > LARGEST:
            return f"field '{self.field.name}' has values up to {extreme:.3g}: are they fill values?"
        if not self.constant and self.share >= LARGE_SHARE and self.minimum != self.maximum:
            return (
                f"field '{self.field.name}' is {self.most_common:g} at {self.share:.0%} of all points: does that number stand for "
                "missing values, or for obstacles?"
            )
        return None


def survey(
    source: Source,
    *,
    max_frames: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FieldSurvey, ...]:
    """Survey the values of all fields, a few frames at a time.

    **Arguments:**

    - `source`: the data.
    - `max_frames`: frames to examine, drawn at random if the data have more; all if None.
    - `seed`: seed of that draw.
    - `progress`: called as `progress(done, total)` with numbers of frames.

    **Returns:** one entry for each field, then for each constant.
    """
    total = sum(source.frames_of(i) - source.blank for i in range(source.trajectories))
    chosen = draw_frames(source, total if max_frames is None else max_frames, seed, None)
    found = {field.name: FieldSurvey(field, False) for field in source.schema}
    found |= {field.name: FieldSurvey(field, True) for field in source.constants}
    done, seen = 0, -1
    for trajectory, start, stop in runs(source, chosen):
        blocks = source.read(trajectory, start, stop, precise=True)
        if source.constants and trajectory != seen:
            blocks |= source.read_constants(trajectory, precise=True)
        for name, block in blocks.items():
            if found[name].most_common is None:
                found[name].most_common = _most_common(block)
            flat = block.reshape(-1)
            for begin in range(0, flat.size, _AT_ONCE):
                _add(found[name], flat[begin : begin + _AT_ONCE])
        seen = trajectory
        done += stop - start
        if progress is not None:
            progress(done, len(chosen))
    return tuple(found.values())


def _add(entry: FieldSurvey, block: np.ndarray) -> None:
    good = block[np.isfinite(block)]
    same = int((block == entry.most_common).sum())
    entry.share = (entry.share * entry.values + same) / (entry.values + block.size)
    entry.values += block.size
    entry.bad += block.size - good.size
    if good.size:
        low, high = float(good.min()), float(good.max())
        entry.minimum = low if entry.minimum is None else min(entry.minimum, low)
        entry.maximum = high if entry.maximum is None else max(entry.maximum, high)
        # In units of the largest value: squares of numbers beyond 1e154 are beyond float64.
        unit, count = max(abs(low), abs(high)) or 1.0, entry.values - entry.bad
        here = unit * math.sqrt(float(np.square(good.astype(np.float64) / unit).sum()) / count)
        entry.rms = math.hypot((entry.rms or 0.0) * math.sqrt(1 - good.size / count), here)


def _most_common(block: np.ndarray) -> float:
    """The number that is far more common than any other among values spread over a block; NaN if none is."""
    some = block.reshape(-1)[:: max(block.size // _LOOKED_AT, 1)]
    values, counts = np.unique(some[np.isfinite(some)], return_counts=True)
    two = np.sort(counts)[-2:]
    stands_out = values.size > 1 and two[1] > 3 * two[0]
    return float(values[counts.argmax()]) if stands_out else math.nan
