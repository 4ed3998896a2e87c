"""Measure the error against the number of high-dimensional samples: converted, calibrated, from scratch, inflated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from ginjax.checkpoint import ModelRecord, convert_record
from ginjax.data import Normalisation
from ginjax.errors import ArgumentError
from ginjax.ml.task import HELD_OUT_OFFSET, OneStepTask, make_task, one_step_error
from ginjax.ml.training import fit_counted, training_key
from ginjax.ml.transfer._calibrate import calibrate
from ginjax.ml.transfer._curve_cells import (
    CALIBRATION_PAIRS,
    FOLDS,
    METHODS,
    Cell,
    CurveSettings,
    Method,
    rates,
)
from ginjax.models import AnyDimensionalModel, ModelDesign, from_record, to_record

_PACE_STEPS, _PACE_SECONDS = 20, 0.1
"""The pace is measured over so many steps, or over more if these take less than so many seconds."""
_MOST_PACE_STEPS = 10_000

_Result = TypeVar("_Result")

WORST = 1e6
"""The error of a network that blew up."""


@dataclass(frozen=True)
class CurveRequest:
    """The networks to measure: every pair of dimensions with `from < to`, for every equation, seed and sample count.

    **Arguments:**

    - `samples`: numbers of high-dimensional trajectories; 0 measures the conversion alone.
    - `seeds`: number of seeds. A seed determines the initial weights, the order of the batches and the high-dimensional
      samples. The low-dimensional data and the held-out fields are the same for all seeds.
    """

    pdes: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    samples: Sequence[int]
    seeds: int

    def __post_init__(self) -> None:
        if not self.pdes or not self.samples:
            raise ArgumentError(
                "transfer curve",
                got="nothing to do",
                expected="at least one equation and one number of samples",
            )
        if min(self.samples) < 0 or self.seeds < 1:
            raise ArgumentError(
                "samples and seeds",
                got=(list(self.samples), self.seeds),
                expected="numbers of samples of 0 or more, and at least 1 seed",
            )
        if not self.pairs or any(not 1 <= low < high <= 3 for low, high in self.pairs):
            raise ArgumentError(
                "dimensions", got=list(self.pairs), expected="pairs from a lower to a higher one, 1 to 3"
            )

    def every_key(self) -> Iterator[tuple[str, int, int, Method, int, int, float]]:
        """Yield the keys of all cells in the order of measurement: one transfer after the other."""
        for pde in self.pdes:
            for low, high in self.pairs:
                for seed in range(self.seeds):
                    for method in METHODS:
                        for count in self.samples:
                            if count == 0 and method in ("converted", "inflated"):
                                yield pde, low, high, method, 0, seed, 0.0
                            for rate in rates(method, pde) if count else ():
                                yield pde, low, high, method, count, seed, rate


def measure_curve(
    request: CurveRequest,
    settings: CurveSettings,
    found: Sequence[Cell] = (),
    on_cell: Callable[[Cell], None] = lambda cell: None,
) -> list[Cell]:
    r"""Measure every cell that is not there yet.

    - *converted*: trained in the low dimension, converted by `compatibility`; all weights are tuned on the samples.
    - *calibrated*: converted with one number for each convolution, chosen by `calibrate` on at most `CALIBRATION_PAIRS` pairs
      of the samples; nothing is tuned. Its seconds include compilation, which every calibration needs.
    - *scratch*: the same network and optimiser, trained on the samples only, for as long as the converted network took in
      total (times `scratch_time`): `steps = tune_steps + (low data + low training + conversion) / (seconds per step)`, for
      each of its learning rates. The pace is measured right before and right after the low training, under the same load of
      the machine.
    - *inflated*: a plain CNN trained in the low dimension; its kernels are put into the central slice and tuned for as
      many steps.

    All methods use the same samples and the same normalisation, which is measured on the low-dimensional data.

    **Arguments:**

    - `found`: cells of an earlier run with the same settings.
    - `on_cell`: called with each new cell.

    **Returns:** all cells, the old ones first.

    **Raises:** `NumericsError` if a simulation blows up.
    """
    cells = list(found)
    done = {cell.key for cell in cells}
    bench: _Bench | None = None
    for key in request.every_key():
        if key in done:
            continue
        pde, low, high, method, count, seed, rate = key
        if bench is None or (bench.pde, bench.low, bench.high) != (pde, low, high):
            bench = _Bench(settings, pde, low, high, max(request.samples))
        cells.append(bench.measure(method, count, seed, rate))
        on_cell(cells[-1])
    return cells


class _Bench:
    """One equation and one pair of dimensions: data and trained networks, made when they are first needed."""

    def __init__(self, settings: CurveSettings, pde: str, low: int, high: int, most: int):
        self.settings, self.pde, self.low, self.high, self.most = settings, pde, low, high, most
        self.first_seed = FOLDS[settings.fold]
        self._trained: dict[tuple[bool, int], tuple[PyTree, float]] = {}
        self._records: dict[int, ModelRecord] = {}
        self._paces: dict[int, float] = {}
        self._pools: dict[int, tuple[OneStepTask, float]] = {}

    @cached_property
    def _low_data(self) -> tuple[OneStepTask, float]:
        side, count = self.settings.low_sides[str(self.low)], self.settings.low_trajectories
        return _after_compiling(lambda: self._task(self.low, side, count, self.first_seed))

    @cached_property
    def _held_out(self) -> OneStepTask:
        return self._high_task(self.settings.held_out, HELD_OUT_OFFSET + self.first_seed)

    def _pool(self, seed: int) -> tuple[OneStepTask, float]:
        if seed not in self._pools:
            count = max(self.most, 1)
            self._pools[seed] = _after_compiling(lambda: self._high_task(count, self.first_seed + seed))
        return self._pools[seed]

    def _high_task(self, count: int, seed: int) -> OneStepTask:
        side = self.settings.high_sides[str(self.high)]
        return self._task(self.high, side, count, seed, self._low_data[0].normalisation)

    def _task(
        self, D: int, side: int, count: int, seed: int, normalisation: Normalisation | None = None
    ) -> OneStepTask:
        return make_task(
            self.pde,
            D,
            trajectories=count,
            frames=self.settings.frames,
            side=side,
            seed=seed,
            normalisation=normalisation,
        )

    def _build(self, D: int, plain: bool, seed: int) -> AnyDimensionalModel:
        signature = self._low_data[0].signature
        design = ModelDesign(
            "ResNet",
            signature,
            signature,
            channels=self.settings.channels,
            blocks=self.settings.blocks,
            plain=plain,
        )
        return design.build(D, self.first_seed + seed)

    def _pretrained(self, plain: bool, seed: int) -> tuple[PyTree, float]:
        """Train in the low dimension and convert; return the network and the seconds for all of it."""
        if (plain, seed) not in self._trained:
            task, data_seconds = self._low_data
            paces = [] if plain else [self._measure_pace(seed)]
            model, seconds = self._train(
                self._build(self.low, plain, seed),
                task,
                pairs=task.X.get_L(),
                steps=self.settings.low_steps,
                rate=self.settings.low_rate,
                batch=self.settings.low_batch[str(self.low)],
                seed=seed,
            )
            if not plain:
                self._paces[seed] = (paces[0] + self._measure_pace(seed)) / 2
            rule, record = "centre" if plain else "compatibility", to_record(model)
            converted, conversion = _after_compiling(
                lambda: from_record(convert_record(record, self.high, rule).after)
            )
            if not plain:
                self._records[seed] = record
            self._trained[plain, seed] = converted, data_seconds + seconds + conversion
        return self._trained[plain, seed]

    def _pace(self, seed: int) -> float:
        if seed not in self._paces:
            self._pretrained(False, seed)
        return self._paces[seed]

    def _measure_pace(self, seed: int) -> float:
        """Measure the seconds per step in the high dimension, without the overhead of a training of no steps."""
        model, (task, _) = self._build(self.high, False, seed), self._pool(seed)

        def seconds(steps: int) -> float:
            return self._tune(model, task, pairs=1, steps=steps, rate=0.0, seed=seed)[1]

        steps = _PACE_STEPS
        while (taken := seconds(steps) - seconds(0)) < _PACE_SECONDS and steps < _MOST_PACE_STEPS:
            steps *= 4
        return max(taken, _PACE_SECONDS / 10) / steps

    def _tune(self, model: PyTree, task: OneStepTask, **numbers: Any) -> tuple[PyTree, float]:
        return self._train(model, task, batch=self.settings.high_batch, **numbers)

    def _train(self, model: PyTree, task: OneStepTask, *, seed: int, **numbers: Any) -> tuple[PyTree, float]:
        """Return the trained model and the seconds of training, without compilation."""
        key = training_key(self.first_seed + seed)

        def run(**changed: int) -> PyTree:
            trained = fit_counted(model, task.X, task.Y, key=key, **numbers | changed)
            jax.block_until_ready(eqx.filter(trained, eqx.is_array))
            return trained

        run(steps=0)
        return _timed(run)

    def _calibrated(self, task: OneStepTask, *, pairs: int, seed: int) -> tuple[PyTree, float]:
        """Calibrate on a few pairs, evenly spread; return the network and the seconds of the calibration."""
        chosen = np.linspace(0, pairs - 1, min(pairs, CALIBRATION_PAIRS)).round().astype(int).tolist()
        X, Y = task.X.get_subset(chosen), task.Y.get_subset(chosen)
        found, seconds = _timed(lambda: calibrate(self._records[seed], self.high, X, Y))
        return from_record(found[0].after), seconds

    def measure(self, method: Method, samples: int, seed: int, rate: float) -> Cell:
        model, before = self._pretrained(method == "inflated", seed)
        task, data = self._pool(seed)
        pace = self._pace(seed)
        steps = self.settings.tune_steps if samples and method != "calibrated" else 0
        if method == "scratch":
            # The time that the converted network took before its first step here is used for further steps.
            steps = equal_steps(steps, before, pace, self.settings.scratch_time)
            model, before = self._build(self.high, False, seed), 0.0
        seconds, pairs = 0.0, samples * self.settings.frames
        if method == "calibrated":
            model, seconds = self._calibrated(task, pairs=pairs, seed=seed)
        elif samples:
            model, seconds = self._tune(model, task, pairs=pairs, steps=steps, rate=rate, seed=seed)
        measured = one_step_error(model, self._held_out)
        return Cell(
            *(self.pde, self.low, self.high, method, samples, seed, rate),
            steps=steps,
            seconds=seconds,
            before=before,
            data=data * samples / max(self.most, 1),
            pace=pace,
            error=_finite(measured.model),
            persistence=measured.persistence,
        )


def equal_steps(tune_steps: int, seconds_before: float, pace: float, times: float = 1.0) -> int:
    """Number of steps that take `times` the time of the tuning and everything before it, at `pace` seconds per step."""
    return round(times * (tune_steps + seconds_before / pace))


def _finite(error: float) -> float:
    """The error; for a network that blew up, a finite number that JSON can hold and a mean survives."""
    return error if error < WORST else WORST


def _after_compiling(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """Run twice, so that compilation is not timed; return the result and the seconds of the second run."""
    work()
    return _timed(work)


def _timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
