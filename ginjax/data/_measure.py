"""Measurement of the size of fields, in one pass over as much of the data as requested."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.checkpoint import Field, FieldScale
from ginjax.data._frames import draw_frames, runs, slabs
from ginjax.data._normalise import Normalisation
from ginjax.data._trajectories import Trajectories
from ginjax.data.sources import Source
from ginjax.errors import ArgumentError, FileError

LARGEST = 1e30
"""A larger number is a fill value, or its square overflows float32."""


@dataclass
class Moments:
    """Number, mean and sum of squared deviations of values that arrive in parts (Chan, Golub and LeVeque 1979)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    rounding: float = 0.0
    """Relative rounding error of the values."""

    def add(self, values: np.ndarray) -> None:
        """Include further values."""
        if values.dtype.kind == "f":
            self.rounding = max(self.rounding, float(np.finfo(values.dtype).eps))
        values = values.astype(np.float64)
        mean = float(values.mean())
        squares = float(np.square(values - mean).sum())
        total = self.count + values.size
        shift = mean - self.mean
        self.squares += squares + shift * shift * self.count * values.size / total
        self.mean += shift * values.size / total
        self.count = total

    def deviation(self, around: float) -> float:
        """`sqrt(mean((u - around)^2))`."""
        return math.sqrt(self.squares / self.count + (self.mean - around) ** 2) if self.count else 0.0


def measure_normalisation(
    data: Source | Trajectories,
    *,
    max_samples: int = 4096,
    seed: int = 0,
    trajectories: Sequence[int] | np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Normalisation:
    """Measure the scale of every field: the root mean square of its tensor norm per component.

    `offset = mean(u)` for even scalars, 0 otherwise; `scale = sqrt(mean((u - offset)^2))`, where the mean is over
    trajectories, times, pixels and components. Measure once, on the training data, and keep the result: the same numbers
    hold in every dimension that the model is converted to. For a source, the function also measures the change from frame to
    frame, `increment = sqrt(mean((u(t + dt) - u(t))^2))`, and the constants.

    **Arguments:**

    - `data`: the training data. `Trajectories` are used completely.
    - `max_samples`: most frames of a source to use; if it has more, they are drawn at random.
    - `seed`: seed of that draw.
    - `trajectories`: indices of the trajectories of a source to use; all by default.
    - `progress`: called as `progress(done, total)` with numbers of frames.

    **Returns:** one scale per field; a field whose values are all equal gets scale 1.

    **Raises:** `ArgumentError` if a field in memory holds NaN or infinity, `FileError` if one in a file does.
    """
    if isinstance(data, Trajectories):
        return Normalisation(tuple(_whole(field, data.fields[field.name]) for field in data.schema))
    if max_samples < 1:
        raise ArgumentError("max_samples", got=max_samples, expected="at least 1")
    chosen = draw_frames(data, max_samples, seed, trajectories)
    values = {field.name: Moments() for field in (*data.schema, *data.constants)}
    changes = {field.name: Moments() for field in data.schema}
    total, done, seen = len(chosen), 0, -1
    for trajectory, start, stop in runs(data, chosen):
        more = min(stop + 1, data.frames_of(trajectory))
        for box in slabs(data):
            for name, block in data.read(trajectory, start, more, precise=True, box=box).items():
                check_finite(name, trajectory, block)
                values[name].add(block[: stop - start])
                if data.blank and start == data.blank:
                    changes[name].add(block[:1])  # the change from the zeros before it
                if len(block) > 1:
                    changes[name].add(np.diff(block.astype(np.float64), axis=0))
            if data.constants and trajectory != seen:
                for name, block in data.read_constants(trajectory, precise=True, box=box).items():
                    check_finite(name, trajectory, block)
                    values[name].add(block)
        seen = trajectory
        done += stop - start
        if progress is not None:
            progress(done, total)
    return Normalisation(
        tuple(_scale(field, values[field.name], changes[field.name]) for field in data.schema),
        tuple(_scale(field, values[field.name], None) for field in data.constants),
    )


def _whole(field: Field, array: np.ndarray) -> FieldScale:
    values = array.astype(np.float64)
    offset = float(values.mean()) if (field.k, field.p) == (0, 0) else 0.0
    scale = math.sqrt(float(np.square(values - offset).mean()))
    if not math.isfinite(scale):
        raise ArgumentError(f"field '{field.name}'", got="NaN or infinity", expected="finite values")
    return FieldScale(field, _unless_negligible(scale, offset, float(np.finfo(array.dtype).eps)), offset)


def _scale(field: Field, values: Moments, changes: Moments | None) -> FieldScale:
    offset = values.mean if (field.k, field.p) == (0, 0) else 0.0
    scale = _unless_negligible(values.deviation(offset), offset, values.rounding)
    if changes is None or not changes.count:
        return FieldScale(field, scale, offset)
    change = changes.deviation(0.0)
    return FieldScale(field, scale, offset, change if change > values.rounding * scale else scale)


def _unless_negligible(scale: float, offset: float, rounding: float) -> float:
    return 1.0 if scale <= rounding * abs(offset) else scale


def check_finite(name: str, trajectory: int, block: np.ndarray) -> None:
    """Refuse frames `(time, *spatial, ...)` with values that a network cannot take, or that stand for missing values.

    **Raises:** `FileError` that names the field and the trajectory, and says what to do.
    """
    good = np.isfinite(block)
    if not good.all():
        missing = np.isnan(block)
        if len(block) > 1 and missing.any() and (missing == missing[0]).all():
            raise FileError(
                f"field '{name}' of trajectory {trajectory} is NaN, or a fill value, at {int(missing[0].sum())} values of every frame",
                expected="a number at every point",
                hint="For obstacles or land, write a number there, such as 0, and the mask as a field that does not vary in time: the network sees it.",
            )
        raise FileError(
            f"field '{name}' of trajectory {trajectory} holds NaN or infinity",
            hint="'ginjax data inspect' counts them; leave that trajectory out, or mend the data.",
        )
    largest = float(np.abs(block).max(initial=0.0))
    if largest > LARGEST:
        beyond = largest > float(np.finfo(np.float32).max)
        raise FileError(
            f"field '{name}' of trajectory {trajectory}: largest value",
            got=f"{largest:.3g}{', beyond the range of float32' if beyond else ''}",
            expected=f"at most {LARGEST:g}",
            hint="If it stands for missing values, write numbers there; otherwise change the unit of the field.",
        )
