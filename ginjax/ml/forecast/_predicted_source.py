"""Forecasts as a source: a trajectory is predicted when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ginjax.data import Source, held_in_memory
from ginjax.ml.forecast._forecaster import Fields, Forecaster


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PredictedSource(Source):
    """Trajectories that a model goes on with; build it with `predicted`. The newest one is kept in memory."""

    forecaster: Forecaster = field(repr=False)
    given: Source = field(repr=False)
    first: int
    newest: dict[int, Fields] = field(default_factory=dict, repr=False)

    def at_hand(self, progress: Callable[[int, int], None] | None = None) -> Source:
        """The forecasts in memory."""
        return held_in_memory(self, progress)

    def _read(self, trajectory: int, start: int, stop: int) -> Fields:
        if trajectory not in self.newest:
            self.newest.clear()
            self.newest[trajectory] = self._predict(trajectory)
        return {name: array[start:stop] for name, array in self.newest[trajectory].items()}

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
    """A source of forecasts in physical units: the frames given, then `steps` predictions.

    **Arguments:**

    - `forecaster`: the model.
    - `given`: the data it starts from.
    - `steps`: how many predictions, at least 1.
    - `first`: the oldest frame of the input.
    - `origin`: where the forecasts came from (JSON values), for provenance.

    **Returns:** one trajectory for each of `given`. Reading raises `NumericsError` when a rollout blows up.

    **Raises:** `ArgumentError` for data that do not fit the model.
    """
    past = forecaster.frames.past_steps
    forecaster.check(given, first + past)
    return PredictedSource(
        layout="memory",
        schema=forecaster.schema,
        constants=forecaster.constants,
        D=given.D,
        spatial=given.spatial,
        spacing=given.spacing,
        time_step=given.time_step,
        length_unit=given.length_unit,
        time_unit=given.time_unit,
        is_torus=given.is_torus,
        trajectories=given.trajectories,
        frames=past + steps,
        origin=origin or {},
        forecaster=forecaster,
        given=given,
        first=first,
    )
