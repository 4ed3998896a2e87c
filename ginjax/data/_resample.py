"""A source on another grid, with fewer frames, or both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ginjax.data._measure import check_finite
from ginjax.data.sources import Box, Source
from ginjax.errors import ArgumentError

SAME = 1e-3
"""Spacings and time steps with a smaller relative difference are taken as equal."""

LEAST_POINTS = 2
"""Fewest points along an axis of the new grid."""


@dataclass(frozen=True)
class NewGrid:
    """The points of an axis before and after.

    **Arguments:**

    - `before`, `after`: numbers of points.
    - `means`: whether each new value is the mean of a block of old ones; otherwise both are samples of the same sum of waves.
    """

    before: int
    after: int
    means: bool

    def needed(self, low: int, high: int) -> tuple[int, int]:
        """The range of old points that the new points `low` to `high - 1` need; all old points for a sum of waves."""
        if self.before == self.after:
            return low, high
        size = self.before // self.after
        return (low * size, high * size) if self.means else (0, self.before)

    def applied(self, values: np.ndarray, axis: int, low: int, high: int) -> np.ndarray:
        """The new points `low` to `high - 1` of this axis, computed from the old points that they need, in double precision."""
        if self.before == self.after:
            return values
        if self.means:
            sides = values.shape
            blocks = (*sides[:axis], high - low, self.before // self.after, *sides[axis + 1 :])
            return values.reshape(blocks).mean(axis + 1, dtype=np.float64)
        from scipy.signal import resample as by_waves  # SciPy's signals take half a second to import

        found = np.asarray(by_waves(values.astype(np.float64), self.after, axis=axis))
        return found[(slice(None),) * axis + (slice(low, high),)]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResampledSource(Source):
    """Another source on another grid or with fewer frames; build it with `resample`."""

    whole: Source = field(repr=False)
    grids: tuple[NewGrid, ...]
    every: int
    most: int | None

    def frames_of(self, trajectory: int) -> int:
        return _count(self.whole.frames_of(trajectory), self.every, self.most)

    def close(self) -> None:
        self.whole.close()

    def _read(self, trajectory: int, start: int, stop: int) -> dict[str, np.ndarray]:
        return self._read_box(trajectory, start, stop, self._everything)

    def _read_box(self, trajectory: int, start: int, stop: int, box: Box) -> dict[str, np.ndarray]:
        part = tuple(grid.needed(*ends) for grid, ends in zip(self.grids, box, strict=True))
        if self.every == 1:
            blocks: Mapping[str, np.ndarray] = self.whole.read(
                trajectory, start, stop, precise=True, box=part
            )
        else:
            frames = [
                self.whole.read(trajectory, n * self.every, n * self.every + 1, precise=True, box=part)
                for n in range(start, stop)
            ]
            blocks = {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}
        return {name: self._on_grid(name, trajectory, block, box) for name, block in blocks.items()}

    def _read_constants(self, trajectory: int) -> dict[str, np.ndarray]:
        return self._read_constants_box(trajectory, self._everything)

    def _read_constants_box(self, trajectory: int, box: Box) -> dict[str, np.ndarray]:
        part = tuple(grid.needed(*ends) for grid, ends in zip(self.grids, box, strict=True))
        found = self.whole.read_constants(trajectory, precise=True, box=part) if self.constants else {}
        sides = tuple(high - low for low, high in box)
        return {
            name: self._on_grid(name, trajectory, block[None], box)[0]
            if name not in self.conditions
            else np.full(sides, block.flat[0] * self._times(name))
            for name, block in found.items()
        }

    @property
    def _everything(self) -> Box:
        return tuple((0, n) for n in self.spatial)

    def _times(self, condition: str) -> float:
        """The factor from a condition of the old data to that of the new ones."""
        if condition == "time_step":
            return self.every
        before, after = self.whole.spacing, self.spacing
        return after / before if condition == "spacing" and before and after else 1.0

    def _on_grid(self, name: str, trajectory: int, block: np.ndarray, box: Box) -> np.ndarray:
        """A part of the new grid, computed from the part of the old grid that it needs."""
        if all(each.before == each.after for each in self.grids):
            return block
        check_finite(name, trajectory, block)
        values = block
        for axis, (each, ends) in enumerate(zip(self.grids, box, strict=True), 1):
            values = each.applied(values, axis, *ends)
        return values.astype(block.dtype)


def resample(
    source: Source,
    *,
    spacing: float | None = None,
    every: int = 1,
    frames: int | None = None,
    means: bool = False,
) -> Source:
    """Bring data to another grid spacing, to fewer frames, or both; they are still read slice by slice.

    Along a periodic axis of `n` points at distance `h`, the values are samples of a sum of waves. The new values are samples of
    it at `n'` points at distance `h'`, with `n h = n' h'`; waves that the new points cannot hold are left out. Along axes that
    are not periodic, and along all axes with `means`, a new value is the mean of `h' / h` old ones.

    **Arguments:**

    - `source`: the data.
    - `spacing`: the new distance between grid points, the same along all axes; unchanged by default. The spacing of the data may
      differ along the axes (`Source.spacings`).
    - `every`: use frames 0, `every`, 2 `every`, ...; the time step becomes `every` times as long.
    - `frames`: keep only so many of these frames, from the first on; at most as many as the shortest trajectory has.
    - `means`: take means along periodic axes, too, which suits fields with jumps.

    **Returns:** a source, with a note that says what was done.

    **Raises:** `ArgumentError` for a spacing that the grid cannot have, or for any new spacing if the data do not state theirs.
    Reading raises `FileError` for NaN and infinity, which would spread.
    """
    for name, value in (("every", every), ("frames", 1 if frames is None else frames)):
        if value < 1:
            raise ArgumentError(f"`{name}`", got=value, expected="at least 1")
    grids = tuple(NewGrid(n, n, means) for n in source.spatial)
    if spacing is not None:
        grids = _grids(source, spacing, means)
    left = _count(source.frames, every, None)
    if frames is not None and frames > left:
        raise ArgumentError(
            "`frames`", got=frames, expected=f"at most {left}, those of the shortest trajectory"
        )
    if every == 1 and frames is None and all(each.before == each.after for each in grids):
        return source
    said = _in_words(source, grids, every, frames)
    about = source.described() | {
        "spatial": tuple(each.after for each in grids),
        "spacing": _spacing(_before(source)[0], grids[0]) if spacing is not None else source.spacing,
        "spacings": None if spacing is not None else source.spacings,
        "time_step": None if source.time_step is None else source.time_step * every,
        "frames": _count(source.frames, every, frames),
        "origin": {**source.origin, "resampled": said},
        "notes": (*source.notes, *said),
    }
    return ResampledSource(**about, whole=source, grids=grids, every=every, most=frames)


def _spacing(before: float | None, grid: NewGrid) -> float | None:
    """The length of the axis divided by the number of new points; a spacing that is only close to it would change the length."""
    if before is None or grid.before == grid.after:
        return before
    return float(f"{before * grid.before / grid.after:.7g}")


def _count(frames: int, every: int, most: int | None) -> int:
    left = (frames - 1) // every + 1
    return left if most is None else min(left, most)


def _grids(source: Source, spacing: float, means: bool) -> tuple[NewGrid, ...]:
    """The grid with a spacing.

    **Raises:** `ArgumentError` if there is none.
    """
    if not (math.isfinite(spacing) and spacing > 0):
        raise ArgumentError("`spacing`", got=spacing, expected="a positive number")
    before = _before(source)
    if None in before:
        raise ArgumentError(
            "`spacing`",
            got=f"{spacing:g}, for data that do not state theirs",
            expected="data with a grid spacing",
            hint="Say the spacing of the data as they are: `data_spacing`.",
        )
    if not source.axes_known:
        raise ArgumentError("`spacing`", got="data whose axes are not known", expected="`axes` first")
    for step in before:
        if step is not None and not 1 / _MOST_CHANGE <= spacing / step <= _MOST_CHANGE:
            raise ArgumentError(
                "`spacing`",
                got=f"{spacing:g}",
                expected=f"that of the data, {step:g}, or one that is at most {_MOST_CHANGE:.0e} times finer or coarser",
            )
    return tuple(
        NewGrid(n, n, means)
        if math.isclose(spacing / step, 1, rel_tol=SAME)
        else _by_means(name, n, step, spacing / step, because=not periodic)
        if means or not periodic
        else _by_waves(name, n, step, spacing / step)
        for name, n, periodic, step in zip("xyz", source.spatial, source.is_torus, before, strict=False)
        if step is not None
    )


_MOST_CHANGE = 1e6
"""Largest factor by which a grid can become finer or coarser; beyond it no number of points makes sense."""


def _before(source: Source) -> tuple[float | None, ...]:
    """The spacing of the data along each axis."""
    return (source.spacing,) * source.D if source.spacings is None else source.spacings


def _by_waves(axis: str, n: int, spacing: float, ratio: float) -> NewGrid:
    after = round(n / ratio)
    if after < LEAST_POINTS or not math.isclose(after * ratio, n, rel_tol=SAME):
        near = sorted({max(math.floor(n / ratio), LEAST_POINTS), max(math.ceil(n / ratio), LEAST_POINTS)})
        offers = " or ".join(f"{spacing * n / count:g} ({count} points)" for count in reversed(near))
        raise ArgumentError(
            f"`spacing`, along {axis}",
            got=f"{spacing * ratio:g}, of which {n / ratio:.4g} make its length {n * spacing:g}",
            expected=f"a whole number, such as of {offers}",
        )
    return NewGrid(n, after, False)


def _by_means(axis: str, n: int, spacing: float, ratio: float, *, because: bool) -> NewGrid:
    size = round(ratio)
    if size < 1 or not math.isclose(size, ratio, rel_tol=SAME) or n % size or n // size < LEAST_POINTS:
        fitting = [each for each in range(2, n // LEAST_POINTS + 1) if n % each == 0][:4]
        why = f"{axis} is not periodic, so that" if because else "with `means`"
        offers = ", ".join(f"{spacing * each:g}" for each in fitting)
        raise ArgumentError(
            f"`spacing`, along {axis}",
            got=f"{spacing * ratio:g}, {ratio:.4g} times that of the data",
            expected=f"{offers}: {why} a new value is the mean of a block, and blocks part the {n} points"
            if offers
            else f"that of the data: {why} a new value is the mean of a block, and no block parts the {n} points",
        )
    return NewGrid(n, n // size, True)


def _in_words(source: Source, grids: tuple[NewGrid, ...], every: int, frames: int | None) -> tuple[str, ...]:
    changed = [(axis, each) for axis, each in zip("xyz", grids, strict=False) if each.before != each.after]
    before, after = ("x".join(str(getattr(each, side)) for each in grids) for side in ("before", "after"))
    ways = ", ".join(f"{axis} by {'means of blocks' if each.means else 'waves'}" for axis, each in changed)
    said = [f"resampled from {before} to {after} points, {ways}"] if changed else []
    if every > 1:
        said.append(f"every {every} frames one is kept")
    if frames is not None:
        said.append(f"the first {frames} frames of each trajectory are kept")
    return tuple(said)
