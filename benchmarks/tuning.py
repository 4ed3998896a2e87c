"""Measure ways to tune a converted network, judged by rollouts.

`python benchmarks/tuning.py` measures all 720 cells and continues what an earlier run left; `--quick` looks at one equation;
`--report FILE` makes the tables from results that are there. The 287 cells in `results/tuning.json` hold 512 s of processor
time of calibrating and tuning (a calibration counts in every cell that begins with it). Simulations, trainings in the low
dimension and looks come on top, and were not recorded.

A network is trained in the low dimension and converted; then it is tuned on few trajectories of the high one, in every way
of `WAYS` and at every rate. Data and first weights have seeds of their own, which nothing else in this project uses.
"""

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from _tuning_cells import RULES, STEPS, WAYS, Cell, Look, Way, chosen, read, write
from _tuning_report import MARGIN, RULE, report

from ginjax.checkpoint import convert_record
from ginjax.data import MemorySource, Windows, measure_normalisation, simulate
from ginjax.geometric import MultiImage
from ginjax.ml import Objective, calibrate, make_optimiser, make_schedule, nrmse_loss, smse_loss
from ginjax.ml.task import DIVERGED, predict
from ginjax.ml.training import fit_counted
from ginjax.models import ModelDesign, from_record, to_record

HERE = Path(__file__).parent
FIRST_SEED = 9000
TRANSFERS = {
    "diffusion 1->3": ("diffusion", 1, 3, "vector-neuron"),
    "fisher-kpp 1->3": ("fisher-kpp", 1, 3, "vector-neuron"),
    "allen-cahn 1->3": ("allen-cahn", 1, 3, "vector-neuron"),
    "swift-hohenberg 1->3": ("swift-hohenberg", 1, 3, "vector-neuron"),
    "burgers 2->3, products": ("burgers", 2, 3, "product"),
}
SETTINGS: dict[str, Any] = {
    "transfers": list(TRANSFERS),
    "samples": [1, 4, 16],
    "seeds": 3,
    "channels": 8,
    "blocks": 1,
    "low": {"1": {"side": 64, "trajectories": 64, "steps": 2000, "batch": 16}}
    | {"2": {"side": 24, "trajectories": 16, "steps": 1000, "batch": 2}},
    "low_rate": 5e-3,
    "side": 12,
    "frames": 8,
    "steps": 100,
    "batch": 4,
    "looks": 10,
    "test": 8,
    "calibration": 4,
}
QUICK = SETTINGS | {
    "transfers": ["allen-cahn 1->3"],
    "samples": [1, 4],
    "seeds": 1,
    "side": 8,
    "steps": 20,
    "test": 2,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one equation, one seed, small")
    parser.add_argument("--out", type=Path, default=None, help="file of results")
    parser.add_argument("--only", choices=TRANSFERS, help="one transfer")
    parser.add_argument("--way", choices=[way.name for way in WAYS], help="one way")
    parser.add_argument("--report", type=Path, metavar="FILE", help="measure nothing, show these results")
    options = parser.parse_args()
    settings = QUICK if options.quick else SETTINGS
    if options.report is not None:
        print(report(read(options.report, settings)))
        return
    path = options.out or HERE / "results" / ("tuning-quick.json" if options.quick else "tuning.json")
    cells = read(path, settings)
    transfers = settings["transfers"] if options.only is None else [options.only]
    ways = [way for way in WAYS if options.way in (None, way.name)]
    for cell in missing(settings, transfers, ways, {cell.key for cell in cells}):
        cells.append(cell)
        write(path, settings, cells)
        best = cell.looks[chosen(cell.looks, RULE, MARGIN)].test or []
        told = " ".join(f"{b / a:.2f}" for a, b in zip(cell.looks[0].test or [], best, strict=False))
        print(*cell.key, f"{cell.seconds:.1f} s:", told, file=sys.stderr, flush=True)
    print(report(cells))


def missing(
    settings: dict[str, Any], transfers: list[str], ways: list[Way], done: set[tuple[Any, ...]]
) -> Iterator[Cell]:
    """Measure the cells that are not there yet, of all transfers with one seed first."""
    for seed in range(settings["seeds"]):
        for transfer in transfers:
            asked = [
                (samples, way, rate)
                for samples in settings["samples"]
                for way in ways
                for rate in way.rates or (0.0,)
                if (transfer, samples, seed, way.name, rate) not in done
            ]
            bench = Bench(settings, transfer, seed) if asked else None
            for samples, way, rate in asked:
                assert bench is not None
                yield bench.measure(samples, way, rate)


class Bench:
    """One transfer and one seed: data, and the network that was trained in the low dimension."""

    def __init__(self, settings: dict[str, Any], transfer: str, seed: int):
        self.settings, self.transfer, self.seed = settings, transfer, seed
        self.pde, self.low, self.high, self.nonlinearity = TRANSFERS[transfer]
        first = FIRST_SEED + 10 * seed
        low = settings["low"][str(self.low)]
        source = self._simulated(self.low, low["trajectories"], low["side"], first)
        self.scales = measure_normalisation(source)
        windows = Windows(source, self.scales)
        X, Y = windows.take(range(len(windows)))
        design = ModelDesign(
            "ResNet",
            windows.input_signature,
            windows.target_signature,
            channels=settings["channels"],
            blocks=settings["blocks"],
            nonlinearity=self.nonlinearity,
        )
        model = fit_counted(
            design.build(self.low, first),
            X,
            Y,
            pairs=len(windows),
            steps=low["steps"],
            rate=settings["low_rate"],
            batch=low["batch"],
            key=jax.random.key(first + 1),
        )
        self.record = to_record(model, contract=replace(source.contract, scales=self.scales.scales))
        self.start = from_record(convert_record(self.record, self.high, "compatibility").after)
        self.pool = self._simulated(self.high, max(settings["samples"]), settings["side"], first + 2)
        test = self._simulated(self.high, settings["test"], settings["side"], first + 3, frames=max(STEPS))
        self._test = _rolled(self._windows(test, max(STEPS)))

    def _simulated(self, D: int, count: int, side: int, seed: int, frames: int | None = None) -> MemorySource:
        steps: int = self.settings["frames"] if frames is None else frames
        source = simulate(self.pde, D, trajectories=count, steps=steps, side=side, seed=seed).at_hand()
        assert isinstance(source, MemorySource)
        return source

    def _windows(self, source: MemorySource, steps: int, chosen: Any = None, spans: Any = None) -> Windows:
        return Windows(source, self.scales, future_steps=steps, trajectories=chosen, spans=spans)

    @functools.cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}

    def _once(self, name: str, samples: int, make: Callable[[], Any]) -> Any:
        if (name, samples) not in self._kept:
            self._kept[name, samples] = make()
        return self._kept[name, samples]

    def _parts(self, samples: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What of so many trajectories is trained and validated on.

        Of 1 the last quarter of the frames is held out, of 4 a trajectory, of 16 two.
        """
        frames = self.settings["frames"] + 1
        if samples == 1:
            held = frames // 4
            whole = {"chosen": [0], "spans": [(0, frames - held)]}
            return whole, {"chosen": [0], "spans": [(frames - held - 1, frames)]}
        held = max(1, round(samples / 10))
        numbers = list(range(samples))
        return {"chosen": numbers[held:]}, {"chosen": numbers[:held]}

    def _numbers(self, unroll: int, chosen: Any, spans: Any = None) -> tuple[Any, Any]:
        """Which windows of the pool are trained on, filled up to the number of all, and how many these are."""
        frames = self.settings["frames"] + 1
        each = frames - unroll
        ends = [frames] * len(chosen) if spans is None else [stop for _, stop in spans]
        found = [t * each + i for t, end in zip(chosen, ends, strict=True) for i in range(end - unroll)]
        filled = np.resize(found, each * self.pool.trajectories)
        return jnp.asarray(filled), jnp.asarray(len(found))

    def calibrated(self, samples: int) -> tuple[Any, float]:
        """The network with calibrated free directions, and the processor time of it."""

        def make() -> tuple[Any, float]:
            train, _ = self._parts(samples)
            windows = self._windows(self.pool, 1, **train)
            count = min(self.settings["calibration"], len(windows))
            X, Y = windows.take(np.linspace(0, len(windows) - 1, count).astype(int))
            begun = time.process_time()
            found = from_record(calibrate(self.record, self.high, X, Y)[0].after)
            return found, time.process_time() - begun

        return self._once("calibrated", samples, make)

    def measure(self, samples: int, way: Way, rate: float) -> Cell:
        train, valid = self._parts(samples)
        model, seconds = self.calibrated(samples) if way.calibrated else (self.start, 0.0)
        steps = self.settings["frames"]
        rolled = self._once(
            "valid",
            len(valid["chosen"]),
            lambda: _rolled(self._windows(self.pool, steps, valid["chosen"])),
        )
        # All windows of the pool and the numbers of those to train on: arrays of one shape, so one compiled program.
        X, Y = self._once(f"pool {way.unroll}", 0, lambda: _everything(self._windows(self.pool, way.unroll)))
        numbers = self._numbers(way.unroll, **train)
        one = self._once("one", samples, lambda: _everything(self._windows(self.pool, 1, **valid)))
        found = [(0, self.start)] + ([(0, model)] if way.calibrated else [])
        if way.rates:
            key = jax.random.key(FIRST_SEED + 10 * self.seed + 5)
            spent = time.process_time()
            found += jax.block_until_ready(_tuned(model, (X, Y, *numbers), way, rate, key, self.settings))
            seconds += time.process_time() - spent
        looks = [Look(step, *_errors(each, *one), rolled(each), None) for step, each in found]
        kept = {0} | {chosen(tuple(looks), rule) for rule in RULES}
        for i in kept:
            errors = self._test(found[i][1])
            looks[i] = replace(looks[i], test=[errors[s - 1] for s in STEPS])
        return Cell(self.transfer, samples, self.seed, way.name, rate, seconds, tuple(looks))


def _rolled(windows: Windows) -> Callable[[Any], list[float]]:
    """The nRMSE of a model at every step of rollouts, as a geometric mean over trajectories.

    A field that stands between two states falls for the one or the other: in an arithmetic mean that one trajectory would
    outweigh all others. `predict` is compiled once for all models of a shape.
    """
    x, y = _everything(windows)
    steps = windows.future_steps
    truth = [
        MultiImage({key: block[:, step::steps] for key, block in y.items()}, y.D, y.is_torus)
        for step in range(steps)
    ]

    def errors(model: Any) -> list[float]:
        current, found = x, list[float]()
        for true in truth:
            current = predict(model, current)
            each = np.asarray(nrmse_loss(current, true, reduce=None), np.float64)
            found.append(float(np.exp(np.log(np.where(each < DIVERGED, each, DIVERGED)).mean())))
        return found

    return errors


def _everything(windows: Windows) -> tuple[Any, Any]:
    return jax.tree.map(jnp.asarray, windows.take(range(len(windows))))


def _errors(model: Any, x: Any, y: Any) -> tuple[float, float]:
    """Squared error and nRMSE of one step."""
    predicted = predict(model, x)
    found = float(smse_loss(predicted, y)), float(nrmse_loss(predicted, y))
    return (found[0], found[1]) if np.all(np.isfinite(found)) else (1e12, 1e6)


def _tuned(
    model: Any, data: Any, way: Way, rate: float, key: Any, settings: dict[str, Any]
) -> list[tuple[int, Any]]:
    """The networks at every look of a tuning with AdamW, warm-up and cosine decay, as `ginjax train` has them."""
    steps, every = settings["steps"], settings["steps"] // settings["looks"]
    table = make_schedule("cosine", steps, learning_rate=1.0)(np.arange(steps))
    optimiser, advance = _program(way.unroll, settings["batch"])
    state = optimiser.init(eqx.filter(model, eqx.is_inexact_array))
    state = eqx.tree_at(lambda s: s.hyperparams["rates"], state, jnp.asarray(rate * table, jnp.float32))
    start, found = model, []
    for step in range(0, steps, every):
        model, state = advance((model, state), start, data, jnp.asarray(way.pull), key, step, every)
        found.append((step + every, model))
    return found


@functools.cache
def _program(unroll: int, batch: int) -> tuple[Any, Any]:
    """The optimiser and some steps of it; rate, pull and data are values, so that it is compiled once for every shape."""
    make = lambda rates: make_optimiser("adamw", lambda step: rates[step])  # noqa: E731
    optimiser = optax.inject_hyperparams(make)(rates=jnp.zeros(SETTINGS["steps"]))
    objective = Objective(smse_loss, unroll)

    def loss(model: Any, start: Any, x: Any, y: Any, pull: Any) -> Any:
        pairs = zip(
            *(jax.tree.leaves(eqx.filter(m, eqx.is_inexact_array)) for m in (model, start)), strict=True
        )
        return objective(model, x, y, None)[0] + pull * sum(jnp.sum((a - b) ** 2) for a, b in pairs)

    @eqx.filter_jit
    def advance(carried: Any, start: Any, data: Any, pull: Any, key: Any, first: Any, count: Any) -> Any:
        arrays, static = eqx.partition(carried, eqx.is_array)
        X, Y, numbers, pairs = data

        def step(i: Any, arrays: Any) -> Any:
            model, state = eqx.combine(arrays, static)
            own = jax.random.fold_in(key, first + i)
            drawn = numbers[jax.random.randint(own, (batch,), 0, pairs)]
            x, y = jax.tree.map(lambda a: a[drawn], (X, Y))
            gradient = eqx.filter_grad(loss)(model, start, x, y, pull)
            updates, state = optimiser.update(gradient, state, eqx.filter(model, eqx.is_inexact_array))
            return eqx.filter((eqx.apply_updates(model, updates), state), eqx.is_array)

        return eqx.combine(jax.lax.fori_loop(0, count, step, arrays), static)

    return optimiser, lambda carried, start, data, pull, key, first, count: advance(
        carried, start, data, pull, key, jnp.asarray(first), jnp.asarray(count)
    )


if __name__ == "__main__":
    main()
