"""Settings and results of a transfer curve, as plain values for a JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from ginjax.checkpoint import JsonProblem, atomic_write, expect, parse_json, read_text
from ginjax.errors import ArgumentError, FileError
from ginjax.runs import spread_of

Method = Literal["converted", "calibrated", "scratch", "inflated"]
METHODS: tuple[Method, ...] = get_args(Method)

Fold = Literal["validation", "test"]
FOLDS: Mapping[Fold, int] = {"validation": 1000, "test": 5000}
"""The first seed of each fold. All random numbers follow from it, including the held-out fields, so the folds share
nothing: settings and rates are chosen on one fold, results are quoted from the other."""

SCHEMA = 2

_MOST_BYTES = 2**26
_WHOLE = ("from_dim", "to_dim", "samples", "seed", "steps")

RATES: Mapping[Method, tuple[float, ...]] = {
    "converted": (1e-4,),
    "calibrated": (0.0,),
    "scratch": (1e-3, 3e-3, 1e-2),
    "inflated": (3e-3,),
}
"""Learning rates that each method may try. Training from scratch reports the best of its three on the held-out fields, which
favours it. The pretrained networks have one rate each, chosen on the validation fold. Calibration trains nothing."""

CALIBRATION_PAIRS = 4
"""The most pairs that a calibration uses: more take longer and help little."""

FAR_RATES: Mapping[str, float] = {"burgers": 1e-3}
"""The rate of the converted network for equations where the conversion alone is not close, chosen on the validation fold."""


def rates(method: Method, pde: str) -> tuple[float, ...]:
    """Return the learning rates of a method on an equation."""
    if method == "converted" and pde in FAR_RATES:
        return (FAR_RATES[pde],)
    return RATES[method]


@dataclass(frozen=True)
class CurveSettings:
    """The settings that are the same for a whole curve. The values were chosen on the validation fold.

    **Arguments:**

    - `fold`: which data, see `FOLDS`.
    - `channels`, `blocks`: of the residual networks.
    - `low_sides`: grid points along each axis of the fields to train on before the conversion, by dimension.
    - `high_sides`: the same for the fields to tune and measure on.
    - `low_trajectories`: simulations to train on in the low dimension.
    - `low_batch`: pairs in a training step in the low dimension, by dimension.
    - `high_batch`: pairs in a training step in the high dimension.
    - `low_steps`, `low_rate`: training steps and peak learning rate in the low dimension.
    - `tune_steps`: training steps in the high dimension.
    - `scratch_time`: the time for training from scratch, as a multiple of the time that the converted network took.
    - `frames`: time steps in a trajectory, which is also its number of pairs; a trajectory is one sample.
    - `held_out`: trajectories on which errors are measured.
    """

    fold: Fold = "test"
    channels: int = 8
    blocks: int = 1
    low_sides: Mapping[str, int] = field(default_factory=lambda: {"1": 64, "2": 32})
    high_sides: Mapping[str, int] = field(default_factory=lambda: {"2": 96, "3": 16})
    low_trajectories: int = 32
    low_batch: Mapping[str, int] = field(default_factory=lambda: {"1": 8, "2": 1})
    high_batch: int = 2
    low_steps: int = 4000
    low_rate: float = 7e-3
    tune_steps: int = 60
    scratch_time: float = 1.0
    frames: int = 4
    held_out: int = 32


QUICK = CurveSettings(
    low_sides={"1": 32, "2": 16},
    high_sides={"2": 16, "3": 12},
    low_trajectories=8,
    low_steps=500,
    tune_steps=30,
    held_out=4,
)
"""Settings that take seconds instead of minutes: to try the measurement, not to quote results."""


@dataclass(frozen=True)
class Cell:
    """The measured error of one network.

    **Arguments:**

    - `pde`, `from_dim`, `to_dim`, `method`, `samples`, `seed`, `rate`: identify the network. Seeds count from 0 in each fold;
      the rate is 0 if nothing is trained.
    - `steps`, `seconds`: training steps and time in the high dimension, without compilation.
    - `before`: seconds for data and training in the low dimension and for the conversion; 0 from scratch.
    - `data`: seconds for simulating the samples of the high dimension.
    - `pace`: seconds per step in the high dimension, measured before and after the training in the low dimension.
    - `error`, `persistence`: one-step error (nRMSE) on the held-out fields, of the network and of predicting no change.
    """

    pde: str
    from_dim: int
    to_dim: int
    method: Method
    samples: int
    seed: int
    rate: float
    steps: int
    seconds: float
    before: float
    data: float
    pace: float
    error: float
    persistence: float

    @property
    def key(self) -> tuple[object, ...]:
        """The values that identify the cell."""
        return self.pde, self.from_dim, self.to_dim, self.method, self.samples, self.seed, self.rate


@dataclass(frozen=True)
class Point:
    """Mean and spread over seeds of one method at one number of samples, with its best learning rate.

    **Arguments:**

    - `mean`: mean error over the seeds.
    - `spread`: standard deviation of the error over the seeds, as in `ginjax.runs.Spread`; None for a single seed.
    - `seconds`: mean time for one network, with data and training in both dimensions.
    """

    pde: str
    from_dim: int
    to_dim: int
    method: Method
    samples: int
    seeds: int
    rate: float
    mean: float
    spread: float | None
    seconds: float
    persistence: float


def summarise(cells: Iterable[Cell]) -> list[Point]:
    """Compute mean and spread over seeds, for the learning rate with the smallest mean error.

    All points of one transfer use the same seeds: every seed that any of its cells has. A method at a number of samples is left
    out if a cell is missing for one of these seeds at one of the method's `rates`.

    **Arguments:**

    - `cells`: the measured cells.

    **Returns:** one point for each method, pair of dimensions, equation and number of samples.
    """
    seeds: dict[tuple[object, ...], set[int]] = {}
    groups: dict[tuple[Any, ...], dict[float, dict[int, Cell]]] = {}
    for cell in cells:
        seeds.setdefault(cell.key[:3], set()).add(cell.seed)
        groups.setdefault(cell.key[:5], {}).setdefault(cell.rate, {})[cell.seed] = cell
    points = []
    for (*transfer, method, samples), by_rate in groups.items():
        asked = rates(method, transfer[0]) if samples else (0.0,)
        if any(set(by_rate.get(rate, ())) != seeds[tuple(transfer)] for rate in asked):
            continue
        runs = [list(by_rate[rate].values()) for rate in asked]
        best = min(runs, key=lambda run: float(np.mean([cell.error for cell in run])))
        error, first = spread_of(cell.error for cell in best), best[0]
        if error is None:
            raise AssertionError("a point of no seeds")
        points.append(
            Point(
                *(first.pde, first.from_dim, first.to_dim, first.method, first.samples),
                seeds=len(best),
                rate=first.rate,
                mean=error.mean,
                spread=error.deviation,
                seconds=float(np.mean([cell.seconds + cell.before + cell.data for cell in best])),
                persistence=first.persistence,
            )
        )
    return points


def read_cells(path: str | os.PathLike[str], settings: CurveSettings) -> list[Cell]:
    """Read the cells of an earlier run with the same settings; an empty list if there is no file.

    **Raises:** `FileError` for a file of another kind, `ArgumentError` for a file made with other settings.
    """
    if not Path(path).exists():
        return []
    try:
        content = parse_json(read_text(path, most=_MOST_BYTES))
    except JsonProblem as error:
        raise FileError(f"{path}: is no transfer curve: {error}", hint="Choose another folder.") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise FileError(f"{path}: is no transfer curve", hint="Choose another folder.")
    cells = [_read_cell(row, path) for row in expect(content, "cells", list, where=path)]
    made_with = expect(content, "settings", dict, where=path)
    if made_with != asdict(settings):
        raise ArgumentError(
            f"settings of the curve in {path}",
            got="other settings than asked for now",
            expected="the same, to continue it",
            hint="Ask for the same settings, choose another folder, or remove the file to begin anew.",
        )
    return cells


def _read_cell(row: object, path: str | os.PathLike[str]) -> Cell:
    if not isinstance(row, dict) or set(row) != {each.name for each in fields(Cell)}:
        raise FileError(f"{path}: field 'cells'", expected="objects that hold a cell each")
    whole = {name: expect(row, name, int, where=path, least=0, most=2**53) for name in _WHOLE}
    words = {name: expect(row, name, str, where=path, most=256) for name in ("pde", "method")}
    if words["method"] not in METHODS:
        raise FileError(
            f"{path}: field 'method'", got=repr(words["method"])[:60], expected=" or ".join(METHODS)
        )
    others = row.keys() - whole.keys() - words.keys()
    numbers = {name: expect(row, name, float, where=path, least=0) for name in others}
    return Cell(**words, **whole, **numbers)  # pyright: ignore[reportArgumentType]


def write_cells(path: str | os.PathLike[str], settings: CurveSettings, cells: Sequence[Cell]) -> None:
    """Write settings, cells and their summary as JSON, replacing an existing file."""
    content = {
        "schema": SCHEMA,
        "settings": asdict(settings),
        "points": [asdict(point) for point in summarise(cells)],
        "cells": [asdict(cell) for cell in cells],
    }
    atomic_write(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode(), force=True)
