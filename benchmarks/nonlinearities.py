"""Compare `product` and `vector-neuron` at equal processor time: in the dimension of the training and zero-shot in the next.

    python benchmarks/nonlinearities.py              # every cell that is not yet in results/nonlinearities.jsonl
    python benchmarks/nonlinearities.py --only unet  # the cells whose names hold this word
    python benchmarks/nonlinearities.py --quick      # see that it works, in a file of its own
    python benchmarks/nonlinearities.py --report     # the tables, nothing measured

A cell is an equation, a network, a nonlinearity, a learning rate, noise on the inputs and a seed. Both nonlinearities are trained in 2D for as long as
the `product` network takes for its steps, by processor time without compiling. Errors are those of the validation fold, in
normalised units, in which the mean of the field has an error of 1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import geometric_mean
from typing import Any, NamedTuple

import numpy as np
from _resumed import Rows, go_on
from jaxtyping import PyTree
from transferbench._cells import Case
from transferbench._data import CaseData
from transferbench._rollouts import diverged, rollout_errors
from transferbench._settings import Settings
from transferbench._training import Fitted, Trainer, fit_steps

EQUATIONS = ("burgers", "acoustics", "isothermal", "navier-stokes")
NONLINEARITIES = ("vector-neuron", "product")
WAYS = (
    *itertools.product(NONLINEARITIES, (1e-3, 3e-3), (0.0,)),
    ("product", 3e-3, 0.02),
)
"""Nonlinearity, learning rate and noise."""

RATE = 3e-3
"""The default for new networks."""

HORIZONS = (1, 5, 10, 20)
NETWORKS: Mapping[str, dict[str, Any]] = {
    "resnet": {"architecture": "ResNet", "channels": 8, "blocks": 1},
    "unet": {"architecture": "UNet", "channels": 16, "blocks": 1, "levels": 2},
}
FIRST_SEED = 11_000_000
HELD_OUT = 500_000


@dataclass(frozen=True)
class Effort:
    """How much is spent.

    **Arguments:**

    - `steps`: of the `product` network, by network; the other one has as many as take as long.
    - `tests`: held-out trajectories by dimension.
    """

    steps: Mapping[str, int]
    tests: Mapping[int, int]


FULL = Effort({"resnet": 1200, "unet": 600}, {2: 8, 3: 4})
QUICK = Effort({"resnet": 20, "unet": 10}, {2: 2, 3: 1})


class Cell(NamedTuple):
    """One training, and what came of it in 2D and 3D."""

    pde: str
    network: str
    nonlinearity: str
    rate: float
    noise: float
    seed: int


def cells(seeds: int) -> Iterator[Cell]:
    """The ResNet on every equation first, then the U-Net."""
    for network, seed, pde in itertools.product(NETWORKS, range(seeds), EQUATIONS):
        for way in WAYS:
            yield Cell(pde, network, *way, seed)


@dataclass(frozen=True)
class Stage:
    """What the cells of one equation, network and seed share."""

    pde: str
    network: str
    seed: int
    effort: Effort
    settings: Settings

    @cached_property
    def data(self) -> CaseData:
        return CaseData(Case(self.pde, 2, 3), self.settings, FIRST_SEED + self.seed, 1, cover=False)

    def trainer(self, noise: float = 0.0) -> Trainer:
        pairs, settings = self.data.low(False)[0], self.settings
        batch, seed = settings.low_batch["2"], FIRST_SEED + self.seed
        return Trainer(pairs, pairs.X.get_L(), batch, settings.look, seed, noise)

    @cached_property
    def tests(self) -> dict[int, tuple[PyTree, PyTree]]:
        """Held-out rollouts by dimension, the same for every seed."""
        from transferbench._data import Pairs

        from ginjax.data import generate

        sides = {2: self.settings.low_sides["2"], 3: self.settings.high_sides["3"]}
        found = {}
        for D, count in self.effort.tests.items():
            made = generate(
                self.pde,
                D,
                trajectories=count,
                steps=max(HORIZONS),
                side=sides[D],
                seed=FIRST_SEED + HELD_OUT,
            )
            found[D] = Pairs.of(made, self.data.normalisation).rollouts(0, max(HORIZONS))
        return found

    def untrained(self, nonlinearity: str) -> PyTree:
        from ginjax.models import ModelDesign

        options = dict(NETWORKS[self.network])
        design = ModelDesign(
            options.pop("architecture"),
            self.data.signature,
            self.data.signature,
            nonlinearity=nonlinearity,
            **options,
        )
        return design.build(2, FIRST_SEED + self.seed)

    def pace(self, nonlinearity: str) -> float:
        """Seconds of a step."""
        fitted = fit_steps(self.untrained(nonlinearity), self.trainer(), min(20, self.settings.look), 0.0)
        return fitted.seconds / fitted.steps

    @cached_property
    def steps(self) -> dict[str, int]:
        """By nonlinearity, as many as take as long as those of `product`."""
        most = self.effort.steps[self.network]
        share = self.pace("product") / self.pace("vector-neuron")
        return {"product": most, "vector-neuron": max(1, round(share * most))}

    def measure(self, cell: Cell) -> dict[str, Any]:
        """A row of the file."""
        from ginjax.checkpoint import convert_record
        from ginjax.models import from_record, to_record

        fitted: Fitted = fit_steps(
            self.untrained(cell.nonlinearity),
            self.trainer(cell.noise),
            self.steps[cell.nonlinearity],
            cell.rate,
        )
        high = from_record(convert_record(to_record(fitted.model), 3, "compatibility").after)
        found: dict[str, Any] = cell._asdict() | {"steps": fitted.steps, "seconds": round(fitted.seconds, 1)}
        for D, model in ((2, fitted.model), (3, high)):
            errors = rollout_errors(model, self.tests[D])
            means = errors.mean(axis=1)
            found[f"{D}D"] = {str(each): _finite(means[each - 1]) for each in HORIZONS}
            found[f"{D}D diverged"] = diverged(errors)
        return found


def _finite(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def table(rows: Rows, rate: float) -> str:
    """For each equation, network, nonlinearity and noise the geometric mean over seeds of the errors at one learning rate."""
    lines = [
        "| equation | network | steps | 2D, 1 step | 5 | 20 | 3D, 1 step | 5 | 10 | 20 | lost in 2D, 3D |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (pde, network, nonlinearity, noise), own in _groups(rows, rate).items():
        asked = [*(("2D", step) for step in (1, 5, 20)), *(("3D", step) for step in HORIZONS)]
        errors = " | ".join(_shown([row[D][str(step)] for row in own]) for D, step in asked)
        lost = ", ".join(
            f"{100 * np.mean([row[f'{D} diverged'] for row in own]):.0f} %" for D in ("2D", "3D")
        )
        steps = round(float(np.mean([row["steps"] for row in own])))
        name = f"{network}, `{nonlinearity}`" + (f", noise {noise:g}" if noise else "")
        lines.append(f"| {pde} | {name} | {steps} | {errors} | {lost} |")
    return "\n".join(lines)


def _groups(rows: Rows, rate: float) -> dict[tuple[str, str, str, float], Rows]:
    """The rows of one rate by equation, network, nonlinearity and noise, equations as they come."""
    groups: dict[tuple[str, str, str, float], Rows] = {}
    order = {way: number for number, way in enumerate(WAYS)}
    for row in sorted(
        rows, key=lambda row: order.get((row["nonlinearity"], row["rate"], row["noise"]), len(order))
    ):
        if row["rate"] == rate:
            key = row["pde"], row["network"], row["nonlinearity"], row["noise"]
            groups.setdefault(key, []).append(row)
    equations = list(dict.fromkeys(row["pde"] for row in rows))
    return dict(sorted(groups.items(), key=lambda each: equations.index(each[0][0])))


def ratios(rows: Rows, network: str, noise: float) -> dict[tuple[str, str, int], float]:
    """Products with noise over vector neurons without, by equation, dimension and steps: geometric means over the seeds of both.

    **Returns:** infinite where a forecast with products is no number; only equations that both were measured on.
    """
    groups, found = _groups(rows, RATE), {}
    for pde in dict.fromkeys(row["pde"] for row in rows):
        own = groups.get((pde, network, "product", noise), [])
        other = groups.get((pde, network, "vector-neuron", 0.0), [])
        seeds = {row["seed"] for row in own} & {row["seed"] for row in other}
        for D, step in itertools.product(("2D", "3D"), HORIZONS if seeds else ()):
            ours, theirs = (
                geometric_mean([_number(row[D][str(step)]) for row in rows if row["seed"] in seeds])
                for rows in (own, other)
            )
            found[pde, D, step] = ours / theirs if np.isfinite(ours) else np.inf
    return found


def comparison(rows: Rows, network: str, noise: float) -> str:
    """The ratios as a table, and under it their geometric mean and the largest."""
    found = ratios(rows, network, noise)
    heads = [f"{D}, {step} step{'s' * (step > 1)}" for D in ("2D", "3D") for step in HORIZONS]
    lines = [f"| equation | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for pde in dict.fromkeys(key[0] for key in found):
        shown = [f"{found[pde, D, step]:.2f}" for D in ("2D", "3D") for step in HORIZONS]
        lines.append(f"| {pde} | {' | '.join(shown)} |")
    if not found:
        return "Not measured."
    mean, most = geometric_mean(found.values()), max(found.values())
    return "\n".join([*lines, "", f"Geometric mean {mean:.2f}, largest {most:.2f}."])


def _number(value: float | None) -> float:
    return np.inf if value is None else value


def _shown(errors: list[float | None]) -> str:
    known = [each for each in errors if each is not None]
    return f"{geometric_mean(known):.2g}" if len(known) == len(errors) else "no number"


def main() -> None:
    rows = go_on("nonlinearities", __doc__, _measure)
    for rate in sorted({rate for _, rate, _ in WAYS}):
        print(f"learning rate {rate:g}\n\n{table(rows, rate)}\n")
    for noise in sorted({noise for kind, _, noise in WAYS if kind == "product" and noise}):
        print(
            f"products with noise {noise:g} over vector neurons without\n\n{comparison(rows, 'resnet', noise)}\n"
        )


def _measure(options: argparse.Namespace, path: Path, rows: Rows) -> None:
    effort = QUICK if options.quick else FULL
    settings = Settings()
    if options.quick:
        settings = replace(
            settings, low_sides={"2": 8}, high_sides={"3": 8}, low_trajectories={"2": 2}, look=20
        )
    done = {Cell(*(row[name] for name in Cell._fields)) for row in rows}
    stage: Stage | None = None
    for cell in cells(options.seeds):
        if cell in done or not set(options.only) <= {str(each) for each in cell}:
            continue
        new = Stage(cell.pde, cell.network, cell.seed, effort, settings)
        if stage is None or (stage.pde, stage.network, stage.seed) != (new.pde, new.network, new.seed):
            stage = new
        rows.append(stage.measure(cell))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
