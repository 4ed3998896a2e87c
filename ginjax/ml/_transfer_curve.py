"""Error against the number of high-dimensional samples: converted, from scratch, inflated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equinox as eqx
import jax

from ginjax.checkpoint import convert_record
from ginjax.errors import ArgumentError
from ginjax.ml._counted_fit import fit_counted
from ginjax.ml._one_step import HELD_OUT_OFFSET, OneStepTask, make_task, one_step_error
from ginjax.ml._transfer_study import METHODS, RATES, Cell, CurveSettings, Method
from ginjax.models import ModelDesign, from_record, to_record

_PIXELS = 2048
"""Values of a field in a batch of the low dimension; in the high one a batch is two pairs."""
_HIGH_BATCH = 2
_PACE_STEPS = 200

WORST = 1e6
"""The error of a network that blew up."""


@dataclass(frozen=True)
class CurveRequest:
    """Which cells there are: every pair of dimensions with `from < to`, for every equation, seed and sample count.

    - `samples`: numbers of high-dimensional trajectories; 0 is the conversion alone.
    - `seeds`: how many; a seed stands for its own first weights, order of the batches and trajectories.
    """

    pdes: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    samples: Sequence[int]
    seeds: int

    def __post_init__(self) -> None:
        if not self.pdes or not self.samples:
            raise ArgumentError(
                "transfer curve", got="nothing to do", expected="an equation and a sample count"
            )
        if min(self.samples) < 0 or self.seeds < 1:
            raise ArgumentError(
                "samples and seeds", got=(list(self.samples), self.seeds), expected=">= 0 and >= 1"
            )
        if not self.pairs or any(not 1 <= low < high <= 3 for low, high in self.pairs):
            raise ArgumentError(
                "dimensions", got=list(self.pairs), expected="pairs from a lower to a higher one, 1 to 3"
            )

    def every_key(self) -> Iterator[tuple[str, int, int, Method, int, int, float]]:
        """The keys of all cells in the order they are measured: whole transfers one after the other."""
        for low, high in self.pairs:
            for pde in self.pdes:
                for seed in range(self.seeds):
                    for method in METHODS:
                        for count in self.samples:
                            if count == 0 and method != "scratch":
                                yield pde, low, high, method, 0, seed, 0.0
                            for rate in RATES[method] if count else ():
                                yield pde, low, high, method, count, seed, rate


def measure_curve(
    request: CurveRequest,
    settings: CurveSettings,
    found: Sequence[Cell] = (),
    on_cell: Callable[[Cell], None] = lambda cell: None,
) -> list[Cell]:
    r"""Measure every cell that is not there yet.

    - *converted*: trained in the low dimension, converted by `compatibility`, all weights tuned on the samples.
    - *scratch*: the same network and optimiser on the samples only, for as long as the converted one took in all:
      `steps = tune_steps + (low data + low training) / (seconds a step)`, for each of its learning rates.
    - *inflated*: a plain CNN trained in the low dimension, its kernels put into the central slice, tuned as long.

    All see the same samples and one normalisation, measured on the low-dimensional data.

    **Arguments:**

    - `found`: cells of an earlier run with the same settings.
    - `on_cell`: called with each new cell.

    **Returns:** all cells, old ones first.

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
        self._trained: dict[tuple[bool, int], tuple[Any, float]] = {}
        self._paces: dict[int, float] = {}
        self._pools: dict[int, tuple[OneStepTask, float]] = {}

    @cached_property
    def _low_data(self) -> tuple[OneStepTask, float]:
        count = self.settings.low_trajectories[str(self.low)]
        self._task(self.low, 1, 0)  # compiles the solver
        return _timed(lambda: self._task(self.low, count, 0))

    @cached_property
    def _held_out(self) -> OneStepTask:
        return self._task(self.high, self.settings.held_out, HELD_OUT_OFFSET, self._low_data[0])

    def _pool(self, seed: int) -> tuple[OneStepTask, float]:
        if seed not in self._pools:
            low = self._low_data[0]
            self._task(self.high, 1, seed, low)
            self._pools[seed] = _timed(lambda: self._task(self.high, max(self.most, 1), seed, low))
        return self._pools[seed]

    def _task(self, D: int, count: int, seed: int, low: OneStepTask | None = None) -> OneStepTask:
        return make_task(
            self.pde,
            D,
            trajectories=count,
            frames=self.settings.frames,
            side=self.settings.sides[str(D)],
            seed=seed,
            normalisation=None if low is None else low.normalisation,
        )

    def _build(self, D: int, plain: bool, seed: int) -> Any:
        signature = self._low_data[0].signature
        design = ModelDesign(
            "ResNet",
            signature,
            signature,
            channels=self.settings.channels,
            blocks=self.settings.blocks,
            plain=plain,
        )
        return design.build(D, seed)

    def _pretrained(self, plain: bool, seed: int) -> tuple[Any, float]:
        """The network after the low dimension, converted, and the seconds that its data and training took."""
        if (plain, seed) not in self._trained:
            task, data_seconds = self._low_data
            batch = max(_PIXELS // self.settings.sides[str(self.low)] ** self.low, 1)
            model, seconds = _train(
                self._build(self.low, plain, seed),
                task,
                pairs=task.X.get_L(),
                steps=self.settings.low_steps,
                rate=self.settings.low_rate,
                batch=batch,
                seed=seed,
            )
            rule = "centre" if plain else "compatibility"
            converted = from_record(convert_record(to_record(model), self.high, rule).after)
            self._trained[plain, seed] = converted, data_seconds + seconds
            if not plain:
                self._pace(seed)  # now, under the load of the machine that the training had
        return self._trained[plain, seed]

    def _pace(self, seed: int) -> float:
        """Seconds a step in the high dimension."""
        if seed not in self._paces:
            model, (task, _) = self._build(self.high, False, seed), self._pool(seed)
            _, seconds = _train(
                model, task, pairs=1, steps=_PACE_STEPS, rate=0.0, batch=_HIGH_BATCH, seed=seed
            )
            self._paces[seed] = seconds / _PACE_STEPS
        return self._paces[seed]

    def measure(self, method: Method, samples: int, seed: int, rate: float) -> Cell:
        plain = method == "inflated"
        model, before = self._pretrained(plain, seed)
        task, data = self._pool(seed)
        steps = self.settings.tune_steps if samples else 0
        if method == "scratch":
            # What the converted network spent before its first step here goes into further steps.
            steps, model, before = (
                equal_steps(steps, before, self._pace(seed)),
                self._build(self.high, False, seed),
                0.0,
            )
        seconds = 0.0
        if samples:
            pairs = samples * self.settings.frames
            model, seconds = _train(
                model, task, pairs=pairs, steps=steps, rate=rate, batch=_HIGH_BATCH, seed=seed
            )
        measured = one_step_error(model, self._held_out)
        return Cell(
            *(self.pde, self.low, self.high, method, samples, seed, rate),
            steps=steps,
            seconds=seconds,
            before=before,
            data=data * samples / max(self.most, 1),
            error=_finite(measured.model),
            persistence=measured.persistence,
        )


def equal_steps(tune_steps: int, seconds_before: float, pace: float) -> int:
    """Steps that fill the time of the tuning and of all that came before it, at `pace` seconds a step."""
    return tune_steps + round(seconds_before / pace)


def _finite(error: float) -> float:
    """The error, or for a network that blew up a number that JSON has and a mean survives."""
    return error if error < WORST else WORST


def _train(model: Any, task: OneStepTask, *, seed: int, **numbers: Any) -> tuple[Any, float]:
    """The trained model and the seconds that it took, without those of compiling."""
    key = jax.random.key(seed)

    def run(**changed: Any) -> Any:
        trained = fit_counted(model, task.X, task.Y, key=key, **numbers | changed)
        jax.block_until_ready(eqx.filter(trained, eqx.is_array))
        return trained

    run(steps=0)
    return _timed(run)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
