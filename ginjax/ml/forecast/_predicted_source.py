"""Forecasts as a source of data: a trajectory is predicted when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ginjax.data import Source, held_in_memory
from ginjax.ml.forecast._forecaster import Fields, Forecaster, check_finite_prediction


@dataclass
class _Running:
    """A rollout in progress: the next frames, and how many it has given."""

    frames: Iterator[Fields]
    done: int = 0

    def next(self) -> Fields:
        self.done += 1
        return next(self.frames)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PredictedSource(Source):
    """Trajectories that a model predicts; build it with `predicted`.

    The newest trajectory is kept in memory. With prediction by tiles only its newest frame is kept, so read frames in order.
    """

    forecaster: Forecaster = field(repr=False)
    given: Source = field(repr=False)
    first: int
    newest: dict[int, Fields] = field(default_factory=dict, repr=False)
    running: dict[int, _Running] = field(default_factory=dict, repr=False)

    @property
    def in_order(self) -> bool:
        return self.forecaster.tiling(self.spatial) is not None

    def at_hand(self, progress: Callable[[int, int], None] | None = None) -> Source:
        """Hold the forecasts in memory."""
        return held_in_memory(self, progress)

    def _read(self, trajectory: int, start: int, stop: int) -> Fields:
        if self.in_order:
            return self._one_by_one(trajectory, start, stop)
        if trajectory not in self.newest:
            self.newest.clear()
            self.newest[trajectory] = self._predict(trajectory)
        return {name: array[start:stop] for name, array in self.newest[trajectory].items()}

    def _one_by_one(self, trajectory: int, start: int, stop: int) -> Fields:
        past, parts = self.forecaster.frames.past_steps, list[Fields]()
        if start < past:
            known = self.given.read(
                trajectory, self.first + start, self.first + min(stop, past), precise=True
            )
            parts.append({each.name: known[each.name] for each in self.schema})
        wanted = range(max(start, past) - past, stop - past)
        running = self.running.get(trajectory)
        if wanted and (running is None or running.done > wanted.start):
            self.running.clear()
            x = self.forecaster.start(self.given, [trajectory], self.first)
            running = self.running[trajectory] = _Running(self.forecaster.roll_out(x, self.frames - past))
        while running is not None and running.done < wanted.stop:
            frame = running.next()
            check_finite_prediction(frame, running.done, [trajectory])
            if running.done > wanted.start:
                parts.append(frame)
        return {each.name: np.concatenate([part[each.name] for part in parts]) for each in self.schema}

    def _read_constants(self, trajectory: int) -> Fields:
        found = self.given.read_constants(trajectory, precise=True)
        return {each.name: found[each.name] for each in self.constants}

    def _predict(self, trajectory: int) -> Fields:
        past = self.forecaster.frames.past_steps
        before = self.given.read(trajectory, self.first, self.first + past, precise=True)
        series = {
            each.name: np.empty((self.frames, *before[each.name].shape[1:]), before[each.name].dtype)
            for each in self.schema
        }
        for name, values in series.items():
            values[:past] = before[name]
        steps = self.frames - past
        forecast = self.forecaster.forecast(self.given, [trajectory], steps=steps, first=self.first)
        for name, values in forecast.items():
            series[name][past:] = values[0]
        return series


def predicted(
    forecaster: Forecaster,
    given: Source,
    *,
    steps: int,
    first: int = 0,
    origin: dict[str, object] | None = None,
) -> Source:
    """Make a source of forecasts in physical units: the given frames, followed by `steps` predictions.

    **Arguments:**

    - `forecaster`: the model.
    - `given`: the data to start from.
    - `steps`: number of predictions, at least 1.
    - `first`: index of the oldest frame of the input.
    - `origin`: where the forecasts come from (JSON values), for provenance.

    **Returns:** one trajectory for each trajectory of `given`. Reading it raises `NumericsError` if a rollout blows up.

    **Raises:** `ArgumentError` for data that do not fit the model.
    """
    past, known = forecaster.frames.past_steps, {each.name for each in forecaster.constants}
    forecaster.check(given, first + past)
    return PredictedSource(
        layout="memory",
        schema=forecaster.schema,
        constants=forecaster.constants,
        conditions=tuple(name for name in given.conditions if name in known),
        D=given.D,
        spatial=given.spatial,
        spacing=given.spacing,
        time_step=given.time_step,
        length_unit=given.length_unit,
        time_unit=given.time_unit,
        is_torus=given.is_torus,
        boundaries_assumed=given.boundaries_assumed,
        trajectories=given.trajectories,
        frames=past + steps,
        origin=origin or {},
        forecaster=forecaster,
        given=given,
        first=first,
    )
