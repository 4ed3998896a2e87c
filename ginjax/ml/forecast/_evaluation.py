"""Roll models out beside the truth, batch by batch, and collect errors, spectra and quantities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import DataContract
from ginjax.data import Source
from ginjax.errors import ArgumentError
from ginjax.ml.forecast._forecaster import Fields, Forecaster
from ginjax.ml.forecast._known_contract import known_contract
from ginjax.ml.forecast._rollout_study import (
    SPECTRA_KEPT,
    Quantities,
    QuantitiesByTrajectory,
    RolloutStudy,
)
from ginjax.ml.score import METRICS, Deviations, deviations, energy_spectrum, quantities

PERSISTENCE = "persistence"
"""The name, in the results of an evaluation, of the forecast that nothing changes."""

NO_CHANGE = "no change"
"""The name of that forecast in tables and pictures."""


def study_rollouts(
    forecasters: Mapping[str, Forecaster],
    source: Source,
    trajectories: Sequence[int],
    *,
    steps: int | None = None,
    batch_size: int = 8,
    progress: Callable[[int, int], None] | None = None,
) -> RolloutStudy:
    """Roll models out on trajectories, and compare them and the forecast that nothing changes with the truth.

    **Arguments:**

    - `forecasters`: models by name, all for the same fields. `shown_step` and `samples` of the result follow the first one.
    - `source`: the data, read frame by frame; it is best to hold simulations in memory, see `ginjax.data.generate`.
    - `trajectories`: numbers of the trajectories to use.
    - `steps`: number of predictions from the first frames of each trajectory; if None, as many as the data allow.
    - `batch_size`: number of trajectories rolled out at once.
    - `progress`: called as `progress(done, total)`, counting trajectories times steps.

    **Raises:** `ArgumentError` for data that do not fit a model, or if there is nothing to do.
    """
    chosen = [int(each) for each in trajectories]
    if steps is None and forecasters:
        past = most_past(forecasters)
        source.check_frames(past + 1)
        steps = source.frames - past
    if not chosen or not steps or steps < 1 or not forecasters:
        raise ArgumentError(
            "rollouts",
            got=f"{len(chosen)} trajectories, {steps} steps, {len(forecasters)} models",
            expected="at least one of each",
        )
    list(METRICS.values())  # a metric that cannot be imported raises an error here
    for forecaster in forecasters.values():
        forecaster.check(source, most_past(forecasters) + steps)
    size = min(batch_size, len(chosen))
    known = known_contract(source, next(iter(forecasters.values())).contract)
    collected = _Collected(steps, [*forecasters, PERSISTENCE], known, source.spatial)
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        for step, frames in _frames(forecasters, source, part, steps, size):
            collected.add(step, frames, source)
            if start == 0:
                collected.sample(step, frames)
            if progress is not None:
                progress(start * steps + step * len(part), len(chosen) * steps)
    return collected.study(len(chosen))


def most_past(forecasters: Mapping[str, Forecaster]) -> int:
    """The most past frames that any of the models sees; predictions of all models begin after so many frames."""
    return max(each.frames.past_steps for each in forecasters.values())


def _frames(
    forecasters: Mapping[str, Forecaster], source: Source, part: list[int], steps: int, size: int
) -> Iterator[tuple[int, dict[str, Fields]]]:
    """Yield, step by step, the truth, every forecast, and no change, for a few trajectories."""
    # A smaller last batch would need another compilation. It is filled up instead, and the filling is dropped.
    full = part + part[-1:] * (size - len(part))
    first = next(iter(forecasters.values()))
    names = [each.name for each in first.schema]
    past = most_past(forecasters)
    running = {
        name: each.roll_out(each.start(source, full, past - each.frames.past_steps), steps)
        for name, each in forecasters.items()
    }
    unchanged = _read(source, part, past - 1, names)
    for step in range(1, steps + 1):
        predicted = {name: next(frames) for name, frames in running.items()}
        kept = {
            name: {field: values[: len(part)] for field, values in frames.items()}
            for name, frames in predicted.items()
        }
        yield step, {"truth": _read(source, part, past - 1 + step, names), **kept, PERSISTENCE: unchanged}


def _read(source: Source, part: list[int], frame: int, names: list[str]) -> Fields:
    read = [source.read(each, frame, frame + 1, precise=True) for each in part]
    return {name: np.concatenate([each[name] for each in read]) for name in names}


class _Collected:
    """Deviations, spectra and quantities of all batches so far."""

    def __init__(self, steps: int, names: list[str], contract: DataContract, grid: tuple[int, ...]):
        self._steps = steps
        self._names = names
        self._contract = contract
        self._grid = grid
        self._deviations: dict[tuple[str, str, int], list[Deviations]] = {}
        self._energy: dict[tuple[str, str, int], list[Float[np.ndarray, " shells"]]] = {}
        self._energy_of_each: dict[tuple[str, str, int], list[Float[np.ndarray, " shells"]]] = {}
        self._lost: dict[str, int | None] = dict.fromkeys(names)
        self._quantities: dict[str, dict[str, dict[str, dict[int, list[Float[np.ndarray, " batch"]]]]]] = {}
        self._samples: dict[int, Mapping[str, Fields]] = {}

    def add(self, step: int, frames: Mapping[str, Fields], source: Source) -> None:
        truth = frames["truth"]
        for name in self._names:
            for field, values in frames[name].items():
                found = deviations(values, truth[field], source.D)
                self._deviations.setdefault((name, field, step), []).append(found)
            finite = all(np.isfinite(values).all() for values in frames[name].values())
            lost = self._lost[name]
            if not finite and (lost is None or step < lost):
                self._lost[name] = step
        for name, fields in frames.items():
            for field, values in fields.items():
                energy = energy_spectrum(values, source.D, source.is_torus)
                self._energy.setdefault((name, field, step), []).append(energy.sum(axis=0))
                kept = self._energy_of_each.setdefault((name, field, step), [])
                kept.extend(energy[: SPECTRA_KEPT - len(kept)])
                measured = quantities(values, source.D, spacing=source.spacing, is_torus=source.is_torus)
                for quantity, each in measured.items():
                    totals = self._quantities.setdefault(field, {}).setdefault(quantity, {})
                    totals.setdefault(name, {}).setdefault(step, []).append(each)

    def study(self, trajectories: int) -> RolloutStudy:
        lost = self._lost[self._names[0]]
        shown = self._steps if lost is None else max(1, lost - 1)
        fields = list(dict.fromkeys(field for _, field, _ in self._deviations))
        of_each = self._quantities_of_each()
        return RolloutStudy(
            self._steps,
            trajectories,
            {name: {field: self._curves(name, field) for field in fields} for name in self._names},
            self._lost,
            shown,
            {
                field: {
                    name: np.sum(self._energy[name, field, shown], axis=0) / trajectories
                    for name in ("truth", *self._names)
                }
                for field in fields
            },
            self._samples,
            _over_trajectories(of_each),
            errors_by_trajectory={
                name: {field: self._curves_by_trajectory(name, field) for field in fields}
                for name in self._names
            },
            contract=self._contract,
            grid=self._grid,
            quantities_by_trajectory=of_each,
            spectra_by_trajectory={
                field: {
                    name: np.stack(self._energy_of_each[name, field, shown])
                    for name in ("truth", *self._names)
                }
                for field in fields
            },
        )

    def _quantities_of_each(self) -> QuantitiesByTrajectory:
        return {
            field: {
                quantity: {
                    name: np.stack([np.concatenate(found[step]) for step in sorted(found)], axis=1)
                    for name, found in by_name.items()
                }
                for quantity, by_name in measured.items()
            }
            for field, measured in self._quantities.items()
        }

    def _curves(self, name: str, field: str) -> dict[str, Float[np.ndarray, " steps"]]:
        found = [self._all(name, field, step).metrics() for step in range(1, self._steps + 1)]
        return {metric: np.array([float(each[metric]) for each in found]) for metric in METRICS}

    def _curves_by_trajectory(
        self, name: str, field: str
    ) -> dict[str, Float[np.ndarray, "trajectories steps"]]:
        steps = [self._all(name, field, step) for step in range(1, self._steps + 1)]
        # One sample of many values: each trajectory and step is measured by itself.
        found = Deviations(
            *(
                np.stack([getattr(step, what) for step in steps], axis=1)[None]
                for what in ("error", "size", "variance")
            )
        ).metrics()
        return {metric: np.asarray(values, np.float64) for metric, values in found.items()}

    def _all(self, name: str, field: str, step: int) -> Deviations:
        """The deviations of all trajectories at one step."""
        parts = self._deviations[name, field, step]
        return Deviations(
            *(
                np.concatenate([getattr(part, what) for part in parts])
                for what in ("error", "size", "variance")
            )
        )

    def sample(self, step: int, frames: Mapping[str, Fields]) -> None:
        """Keep the first trajectory at the first step, and at the newest step before the forecast is lost."""
        first = {
            name: {field: values[0] for field, values in fields.items()} for name, fields in frames.items()
        }
        if step > 1 and self._lost[self._names[0]] is not None:
            return
        newest = max(self._samples, default=1)
        if newest > 1:
            del self._samples[newest]
        self._samples[step] = first


def _over_trajectories(of_each: QuantitiesByTrajectory) -> Quantities:
    return {
        field: {
            quantity: {name: values.mean(axis=0) for name, values in by_name.items()}
            for quantity, by_name in measured.items()
        }
        for field, measured in of_each.items()
    }
