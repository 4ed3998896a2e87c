"""What initial fields that cover the target dimension are worth, and what tuning on planes adds: zero-shot errors.

    python benchmarks/cover.py                # every cell that is not yet in results/cover.json
    python benchmarks/cover.py --quick        # a look: tiny networks, nothing is written
    python benchmarks/cover.py --report       # the tables, nothing measured
    python benchmarks/cover.py --only wave    # the cells whose names hold this word

A cell is one equation, transfer, mixture of correlation lengths and seed, and what the converted network is tuned on, if
anything. The networks of one equation and seed start from
the same weights and see the same random numbers; errors are those of held-out simulations in the target dimension, drawn
at the equation's own correlation length, of seeds that nothing else uses (`2 HELD_OUT_OFFSET`: the validation fold).
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

import ginjax
from ginjax import Model, Network, TrainSettings
from ginjax.data import Source, find_pde, from_arrays, simulate
from ginjax.ml import HELD_OUT_OFFSET

RESULTS = Path(__file__).parent / "results" / "cover.json"
SCALARS = (
    "diffusion",
    "fisher-kpp",
    "allen-cahn",
    "gray-scott",
    "swift-hohenberg",
    "kuramoto-sivashinsky",
    "wave",
)
MIXTURES_OF_VECTORS = ("one length", "two, to the gradient's")
TUNED = (None, "flat", "oblique", "3D")
SEEDS = (0, 1, 2)
STEPS = 10


def mixtures(D: int, target: int) -> dict[str, tuple[float, ...]]:
    """Candidates by name: correlation lengths, as factors of the equation's own."""
    gradient = (D / target) ** 0.5
    laplacian = (D * (D + 2) / (target * (target + 2))) ** 0.25
    return {
        "one length": (1.0,),
        "two, to the Laplacian's": (1.0, laplacian),
        "two, to the gradient's": (1.0, gradient),
        "four, to the gradient's": tuple(np.linspace(1, gradient, 4).tolist()),
    }


@dataclass(frozen=True)
class Size:
    """How much is computed for a cell."""

    side: int = 16
    steps: int | None = None
    trajectories: int | None = None
    held_out: int = 6


@dataclass(frozen=True)
class Cell:
    """One training and its zero-shot evaluation."""

    pde: str
    D: int
    target: int
    mixture: str
    seed: int
    tuned: str | None = None

    @property
    def name(self) -> str:
        tuned = "" if self.tuned is None else f", tuned on {self.tuned}"
        return f"{self.pde} {self.D}->{self.target}, {self.mixture}{tuned}, seed {self.seed}"

    @property
    def factors(self) -> tuple[float, ...]:
        return mixtures(self.D, self.target)[self.mixture]

    def measure(self, size: Size) -> dict[str, float | None]:
        begun = time.process_time()
        model = trained(replace(self, tuned=None), size).to_dimension(self.target)
        if self.tuned is not None:
            settings = TrainSettings(
                steps=size.steps or 300, batch_size=2, learning_rate=1e-3, seed=self.seed
            )
            data = simulate(
                self.pde,
                self.target,
                trajectories=size.trajectories or 16,
                steps=8,
                side=size.side,
                seed=self.seed + 1,
                cover=None if len(self.factors) == 1 or self.tuned == "3D" else self.target,
                planes=None if self.tuned == "3D" else self.tuned,
            )
            model = model.tune({"train": data}, settings, progress=False)
        return errors(model, self, size) | {"cpu": time.process_time() - begun}


@cache
def trained(cell: Cell, size: Size) -> Model:
    """The network of the low dimension."""
    product = find_pde(cell.pde).fields[0].k > 0
    nonlinearity = "product" if product else "vector-neuron"
    count = size.trajectories or (32 if product else 256)
    steps = size.steps or (2000 if product else 1200)
    return ginjax.train(
        {"train": mixed(cell.pde, cell.D, cell.factors, count, cell.seed)},
        TrainSettings(steps=steps, batch_size=2 if product else None, seed=cell.seed),
        network=Network(channels=8, blocks=1, nonlinearity=nonlinearity),
        progress=False,
    )


def mixed(pde: str, D: int, factors: tuple[float, ...], count: int, seed: int) -> Source:
    """Simulations whose trajectory `i` has the correlation length of `factors[i % len(factors)]`."""
    own = find_pde(pde)
    lengths = [replace(own, correlation_length=own.correlation_length * each) for each in factors]
    sources = [simulate(each, D, trajectories=count, steps=8, seed=seed) for each in lengths]
    read = [sources[i % len(sources)].read(i, 0, 9) for i in range(count)]
    return from_arrays(
        {each.name: np.stack([one[each.name] for one in read]) for each in own.fields},
        order={each.name: each.k for each in own.fields},
        parity={each.name: each.p for each in own.fields},
        unit={each.name: each.unit for each in own.fields},
        periodic=True,
        spacing=own.spacing,
        time_step=own.time_step,
    )


@cache
def truth(pde: str, target: int, side: int, count: int, seed: int) -> Source:
    """Held-out simulations, in memory."""
    seed += 2 * HELD_OUT_OFFSET
    return simulate(pde, target, trajectories=count, steps=STEPS, side=side, seed=seed).at_hand()


def errors(model: Model, cell: Cell, size: Size) -> dict[str, float | None]:
    """The nRMSE of one step and of the last of `STEPS`, the mean over fields; None for a rollout that blew up."""
    held_out = truth(cell.pde, cell.target, size.side, size.held_out, cell.seed)
    curves = [each["nrmse"] for each in model.evaluate(held_out, progress=False).errors.values()]
    found = {f"e{steps}": float(np.mean([each[steps - 1] for each in curves])) for steps in (1, STEPS)}
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def cells() -> Iterator[Cell]:
    for seed in SEEDS:
        for pde in SCALARS:
            for mixture in mixtures(1, 3):
                yield Cell(pde, 1, 3, mixture, seed)
        for mixture in MIXTURES_OF_VECTORS:
            for tuned in TUNED:
                yield Cell("burgers", 2, 3, mixture, seed, tuned)


def report(rows: dict[str, dict[str, float | None]]) -> Iterator[str]:
    """Tables of medians over the seeds, in Markdown."""
    scalars = {f"{pde} 1→3": [Cell(pde, 1, 3, name, 0) for name in mixtures(1, 3)] for pde in SCALARS}
    vectors = {
        f"Burgers 2→3, {'as converted' if tuned is None else f'tuned on {tuned}'}": [
            Cell("burgers", 2, 3, name, 0, tuned) for name in MIXTURES_OF_VECTORS
        ]
        for tuned in TUNED
    }
    for steps in (1, STEPS):
        yield from table(f"nRMSE, {steps} step{'s' * (steps > 1)}", scalars, rows, f"e{steps}", ratio=True)
        yield from table(f"nRMSE, {steps} step{'s' * (steps > 1)}", vectors, rows, f"e{steps}")
    yield from table("processor seconds, evaluation included", vectors, rows, "cpu")


def table(
    title: str,
    lines: dict[str, list[Cell]],
    rows: dict[str, dict[str, float | None]],
    key: str,
    *,
    ratio: bool = False,
) -> Iterator[str]:
    """One line an equation, one column a mixture; if asked, the geometric mean of the ratios to the first column."""
    names = [cell.mixture for cell in next(iter(lines.values()))]
    yield f"\n| {title} | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    ratios: list[list[float]] = []
    for label, cells in lines.items():
        found = [median(rows, cell, key) for cell in cells]
        yield f"| {label} | " + " | ".join("-" if each is None else f"{each:.3g}" for each in found) + " |"
        known = [each for each in found if each is not None]
        if len(known) == len(found):
            ratios.append([each / known[0] for each in known])
    if ratio and ratios:
        means = (statistics.geometric_mean(each) for each in zip(*ratios, strict=True))
        yield "| *geometric mean of the ratios* | " + " | ".join(f"{each:.2f}" for each in means) + " |"


def median(rows: dict[str, dict[str, float | None]], cell: Cell, key: str) -> float | None:
    """Over the seeds that were measured; what blew up counts as infinite."""
    found = [rows[name] for name in (replace(cell, seed=seed).name for seed in SEEDS) if name in rows]
    known = (each[key] for each in found)
    values = [float("inf") if each is None else each for each in known]
    return statistics.median(values) if values else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny networks; nothing is written")
    parser.add_argument("--report", action="store_true", help="the tables only")
    parser.add_argument("--only", default="", help="the cells whose names hold this word")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of results")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = json.loads(asked.out.read_text()) if asked.out.exists() and not asked.quick else {}
    size = Size(8, 5, 8, 1) if asked.quick else Size()
    for cell in cells():
        if asked.report or cell.name in rows or asked.only not in cell.name:
            continue
        rows[cell.name] = cell.measure(size)
        print(cell.name, json.dumps(rows[cell.name]), flush=True)
        if not asked.quick:
            asked.out.write_text(json.dumps(rows, indent=1) + "\n")
    print("\n".join(report(rows)))


if __name__ == "__main__":
    main()
