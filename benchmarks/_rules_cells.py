"""One cell of the comparison of transfer rules: a network trained low, converted by each rule, rolled out high."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import equinox as eqx
import jax
import numpy as np

import ginjax
from ginjax import Network, TrainSettings
from ginjax.data import PDES, MemorySource, Source, Trajectories, generate
from ginjax.geometric import MultiImage
from ginjax.ml import Forecaster

RULES = ("compatibility", "isotropic")
STEPS = (1, 5, 10, 20)
NETWORKS: Mapping[str, dict[str, Any]] = {
    "resnet": {"architecture": "resnet", "channels": 8, "blocks": 1},
    "unet": {"architecture": "unet", "channels": 8, "blocks": 1, "levels": 1, "norm": True},
}
COVERINGS: Mapping[str, tuple[float, ...]] = {"ordinary": (1.0,), "covering": (1.0, 0.67)}
"""Correlation lengths of the training data, as multiples of those of the data that they are tested on."""

FIRST_SEED = 7_000_000
"""Data and weights of this comparison meet those of no other."""

HELD_OUT = 500_000
"""Added to the seed of data to be tested on."""


@dataclass(frozen=True)
class Cell:
    """What is trained, and where it is tested.

    **Arguments:**

    - `pde`: the equation. `low`, `highs`: dimension of the training, dimensions of the tests.
    - `network`, `data`, `training`: names in `NETWORKS`, `COVERINGS` and `TRAININGS`.
    - `seed`: of data and weights.
    """

    pde: str
    low: int
    highs: tuple[int, ...]
    network: str
    data: str
    training: str
    seed: int

    @property
    def key(self) -> tuple[object, ...]:
        """What no other cell has."""
        return self.pde, self.low, self.network, self.data, self.training, self.seed


@dataclass(frozen=True)
class Effort:
    """How much is spent on a cell.

    **Arguments:**

    - `steps`: training steps by dimension. `trajectories`: training trajectories by dimension.
    - `held_out`: trajectories of a test.
    """

    steps: Mapping[int, int]
    trajectories: Mapping[int, int]
    held_out: int = 4


TRAININGS: Mapping[str, Effort] = {
    "long": Effort({1: 4800, 2: 1200}, {1: 256, 2: 48}),
    "default": Effort({1: 1200, 2: 300}, {1: 256, 2: 48}),
    "quick": Effort({1: 100, 2: 20}, {1: 16, 2: 4}, held_out=2),
}
"""`default` has the steps of `ginjax train`, `long` four times as many."""


def cells(quick: bool, seeds: int) -> Iterator[Cell]:
    """All cells, in the order of what they say about the rule."""
    scalar = [name for name in PDES if all(field.k == 0 for field in PDES[name].fields)]
    if quick:
        yield from _cells(scalar[:2], 1, (2, 3), ("resnet", "unet"), "quick", 1)
        return
    yield from _cells(scalar, 1, (2, 3), ("resnet",), "long", seeds)
    yield from _cells(["burgers"], 2, (3,), ("resnet",), "long", seeds)
    yield from _cells(scalar, 1, (2, 3), ("unet",), "long", seeds)
    yield from _cells(scalar, 1, (2, 3), ("resnet", "unet"), "default", seeds)
    yield from _cells(scalar, 2, (3,), ("resnet",), "long", seeds)


def _cells(
    pdes: Iterable[str], low: int, highs: tuple[int, ...], networks: Iterable[str], training: str, seeds: int
) -> Iterator[Cell]:
    for pde, network, data, seed in itertools.product(pdes, networks, COVERINGS, range(seeds)):
        yield Cell(pde, low, highs, network, data, training, seed)


def measure(cell: Cell) -> list[dict[str, Any]]:
    """One row for each test dimension and rule: errors at `STEPS`, and the share of trajectories that diverged."""
    effort, options = TRAININGS[cell.training], dict(NETWORKS[cell.network])
    if any(field.k for field in PDES[cell.pde].fields):
        options["nonlinearity"] = "product"
    seed = FIRST_SEED + cell.seed
    model = ginjax.train(
        {"train": _training_data(cell, effort)},
        TrainSettings(steps=effort.steps[cell.low], seed=seed),
        network=Network(**options),
        progress=False,
    )
    rows = [_row(cell, model, cell.low, "trained", effort)]
    for high in cell.highs:
        for rule in RULES:
            rows.append(_row(cell, model.to_dimension(high, rule), high, rule, effort))
    return rows


def _training_data(cell: Cell, effort: Effort) -> Source:
    factors = COVERINGS[cell.data]
    count = effort.trajectories[cell.low] // len(factors)
    return _simulated(cell.pde, cell.low, factors, count, 8, FIRST_SEED + cell.seed)


@cache
def _held_out(pde: str, D: int, count: int) -> Source:
    return _simulated(pde, D, (1.0,), count, max(STEPS), FIRST_SEED + HELD_OUT)


@cache
def _simulated(pde: str, D: int, factors: Sequence[float], count: int, steps: int, seed: int) -> MemorySource:
    """Trajectories of an equation from initial fields of several correlation lengths."""
    equation = PDES[pde]
    parts: list[Trajectories] = [
        generate(
            replace(equation, correlation_length=factor * equation.correlation_length),
            D,
            trajectories=count,
            steps=steps,
            seed=seed + i,
        )
        for i, factor in enumerate(factors)
    ]
    joined = {name: np.concatenate([part.fields[name] for part in parts]) for name in parts[0].fields}
    return MemorySource.of(replace(parts[0], fields=joined))


@eqx.filter_jit
def _step(network: Any, x: MultiImage) -> MultiImage:
    return jax.vmap(lambda sample: network(sample)[0])(x)


def _row(cell: Cell, model: ginjax.Model, D: int, rule: str, effort: Effort) -> dict[str, Any]:
    source = _held_out(cell.pde, D, effort.held_out)
    forecaster = Forecaster.of(model.network, model.record)
    x = forecaster.start(source, range(source.trajectories))
    errors = []
    for step in range(1, max(STEPS) + 1):
        x = _step(forecaster.model, x)
        errors.append(_errors(forecaster.physical(x), source, step))
    with np.errstate(over="ignore"):
        largest = np.max(errors, axis=0)
    return asdict(cell) | {
        "high": D,
        "rule": rule,
        "errors": {str(step): _plain(np.mean(errors[step - 1])) for step in STEPS},
        "diverged": float(np.mean(~(largest <= 1.0))),
        "trajectories": source.trajectories,
    }


def _errors(predicted: Mapping[str, np.ndarray], source: Source, step: int) -> np.ndarray:
    """nRMSE of each trajectory, `|prediction - truth| / |truth|`, on average over the fields; NaN counts as infinity."""
    found = []
    for i in range(source.trajectories):
        truth = source.read(i, step, step + 1)
        with np.errstate(over="ignore", invalid="ignore"):
            ratios = [
                np.linalg.norm(values[i].astype(np.float64) - truth[name][0]) / np.linalg.norm(truth[name][0])
                for name, values in predicted.items()
            ]
        found.append(np.nan_to_num(np.mean(ratios), nan=np.inf, posinf=np.inf))
    return np.array(found)


def _plain(value: float) -> float | None:
    """A number that JSON can hold; None for one that is not finite."""
    return float(value) if np.isfinite(value) else None
