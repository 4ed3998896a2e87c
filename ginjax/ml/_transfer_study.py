"""Settings and results of a transfer curve: plain values that survive a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from ginjax.checkpoint import atomic_write
from ginjax.errors import ArgumentError, FileError

Method = Literal["converted", "scratch", "inflated"]
METHODS: tuple[Method, ...] = get_args(Method)

SCHEMA = 1

RATES: Mapping[Method, tuple[float, ...]] = {
    "converted": (3e-4,),
    "scratch": (1e-3, 3e-3, 1e-2),
    "inflated": (1e-3, 3e-3, 1e-2),
}
"""Learning rates each method may try. The baselines report the best of theirs on the held-out fields, which favours
them; the converted network has one, fixed beforehand."""


@dataclass(frozen=True)
class CurveSettings:
    """What stays the same over a whole curve.

    - `channels`, `blocks`: of the residual networks.
    - `sides`: grid points along each axis by dimension.
    - `low_trajectories`: simulations to train on in the low dimension, by dimension.
    - `low_steps`, `low_rate`: training steps there and the peak of the learning rate.
    - `tune_steps`: in the high dimension.
    - `frames`: time steps, and so pairs, in a trajectory; a trajectory is one sample.
    - `held_out`: trajectories the errors are measured on, never trained or chosen on.
    """

    channels: int = 8
    blocks: int = 1
    sides: Mapping[str, int] = field(default_factory=lambda: {"1": 64, "2": 32, "3": 16})
    low_trajectories: Mapping[str, int] = field(default_factory=lambda: {"1": 64, "2": 16})
    low_steps: int = 2000
    low_rate: float = 5e-3
    tune_steps: int = 150
    frames: int = 4
    held_out: int = 32


QUICK = CurveSettings(
    sides={"1": 32, "2": 16, "3": 12},
    low_trajectories={"1": 32, "2": 8},
    low_steps=500,
    tune_steps=30,
    held_out=4,
)
"""Seconds instead of minutes: to see that it works, not to quote."""


@dataclass(frozen=True)
class Cell:
    """One network measured.

    - `pde`, `from_dim`, `to_dim`, `method`, `samples`, `seed`, `rate`: which; the rate is 0 where nothing is trained.
    - `steps`, `seconds`: of training in the high dimension, compilation not counted.
    - `before`: seconds spent in the low dimension, on data and training; 0 from scratch.
    - `data`: seconds spent on simulating the samples of the high dimension.
    - `error`, `persistence`: one-step nRMSE on the held-out fields, of the network and of predicting no change.
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
    error: float
    persistence: float

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from every other cell."""
        return self.pde, self.from_dim, self.to_dim, self.method, self.samples, self.seed, self.rate


@dataclass(frozen=True)
class Point:
    """The seeds of one method at one number of samples, at its best learning rate.

    - `mean`, `spread`: of the error over the seeds; the spread is their standard deviation.
    - `seconds`: mean time of one network with everything that it needed: data and training in both dimensions.
    """

    pde: str
    from_dim: int
    to_dim: int
    method: Method
    samples: int
    seeds: int
    rate: float
    mean: float
    spread: float
    seconds: float
    persistence: float


def summarise(cells: Iterable[Cell]) -> list[Point]:
    """Mean and spread over seeds; of several learning rates the one with the smallest mean error."""
    groups: dict[tuple[Any, ...], dict[float, list[Cell]]] = {}
    for cell in cells:
        group = groups.setdefault(cell.key[:5], {})
        group.setdefault(cell.rate, []).append(cell)
    points = []
    for group in groups.values():
        most = max(len(found) for found in group.values())
        whole = [found for found in group.values() if len(found) == most]
        best = min(whole, key=lambda found: float(np.mean([cell.error for cell in found])))
        errors = [cell.error for cell in best]
        first = best[0]
        points.append(
            Point(
                *(first.pde, first.from_dim, first.to_dim, first.method, first.samples),
                seeds=len(best),
                rate=first.rate,
                mean=float(np.mean(errors)),
                spread=float(np.std(errors)),
                seconds=float(np.mean([cell.seconds + cell.before + cell.data for cell in best])),
                persistence=first.persistence,
            )
        )
    return points


def read_cells(path: str | os.PathLike[str], settings: CurveSettings) -> list[Cell]:
    """The cells of an earlier run with these settings; none if there is no file.

    **Raises:** `FileError` for a file of another kind, `ArgumentError` for one made with other settings.
    """
    if not Path(path).exists():
        return []
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError
        cells = [Cell(**cell) for cell in content["cells"]]
        made_with = content["settings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path}: is no transfer curve", hint="Choose another folder.") from error
    if made_with != asdict(settings):
        raise ArgumentError(
            f"settings of the curve in {path}",
            got="other settings than asked for now",
            expected="the same, to continue it",
            hint="Repeat the options it was made with, choose another folder, or pass --force to start again.",
        )
    return cells


def write_cells(path: str | os.PathLike[str], settings: CurveSettings, cells: Sequence[Cell]) -> None:
    """Write settings, cells and their summary as JSON, replacing what was there."""
    content = {
        "schema": SCHEMA,
        "settings": asdict(settings),
        "points": [asdict(point) for point in summarise(cells)],
        "cells": [asdict(cell) for cell in cells],
    }
    atomic_write(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode(), force=True)
