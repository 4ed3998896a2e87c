"""The constants of calibration, judged by rollouts on a fold of their own.

    python benchmarks/calibration.py            # every case that is not yet in results/calibration.jsonl
    python benchmarks/calibration.py --quick    # see that it works, in a file of its own
    python benchmarks/calibration.py --report   # the tables, nothing measured

A case is an equation, a network, a seed and what is calibrated on: low-dimensional data, ordinary or covering, or one trajectory
of the high dimension. In each a network is trained in 1D and converted by `isotropic`, to 3D or a U-Net to 2D, and then
calibrated with one constant changed at a time. Errors are those of held-out simulations there in normalised units, over those of the
constants as they are; geometric means over cases and over 5, 10 and 20 steps. Data and weights have seeds of their own, which no
table of results uses.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import geometric_mean
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from _resumed import go_on
from jaxtyping import PyTree
from transferbench._cells import Case
from transferbench._settings import Settings

EQUATIONS = ("allen-cahn", "diffusion", "fisher-kpp", "gray-scott", "swift-hohenberg")
SAMPLES = ("covering 1D", "one 3D trajectory", "ordinary 1D")
"""What is calibrated on; of the U-Net the trajectory is one of 2D."""

HORIZONS = (1, 5, 10, 20)
MOST = 100.0
"""An error so many times larger, or no number, counts as so many times larger; what it is part of is printed with `>=`."""

FIRST_SEED = 13_000_000
HELD_OUT = 500_000
LOW_RATE = 5e-3

VARIANTS: Mapping[str, dict[str, Any]] = {
    "as it is": {},
    "not calibrated": {"evaluations": 0},
    "no limit": {"LIMIT_WEIGHT": 0.0},
    "limit 0.03": {"LIMIT_WEIGHT": 0.03},
    "limit 0.1": {"LIMIT_WEIGHT": 0.1},
    "limit 1": {"LIMIT_WEIGHT": 1.0},
    "no pull": {"PULL": 0.0},
    "pull 0.01": {"PULL": 0.01},
    "pull 0.2": {"PULL": 0.2},
    "base compat-flex": {"rule": "compat-flex"},
    "patch 4": {"INSIDE": 4},
    "patch 12": {"INSIDE": 12},
    "not taken back": {"_as_steady": lambda mixtures, t, record, conversion, samples: (t, conversion)},
}
"""What is changed: names of `ginjax.ml.transfer._calibrate`, or arguments of `calibrate`."""


@dataclass(frozen=True)
class Sort:
    """A sort of network, and what is changed of its calibration.

    **Arguments:**

    - `design`: arguments of `ModelDesign`. `high`: the dimension that it is converted to.
    - `samples`, `variants`: names in `SAMPLES` and `VARIANTS`.
    """

    design: Mapping[str, Any]
    high: int
    samples: Sequence[str]
    variants: Sequence[str]


_RESNET = {"architecture": "ResNet", "channels": 8, "blocks": 1}
_UNET = {"architecture": "UNet", "channels": 8, "blocks": 1, "levels": 2, "upsample": "repeat"}
NETWORKS: Mapping[str, Sort] = {
    "resnet": Sort(_RESNET, 3, SAMPLES, [name for name in VARIANTS if name != "not taken back"]),
    "resnet of 4 blocks": Sort(_RESNET | {"blocks": 4}, 3, SAMPLES[:1], ["as it is", "not calibrated"]),
    "unet": Sort(_UNET, 2, SAMPLES[1:2], ["as it is", "not calibrated", "not taken back"]),
}


class Key(NamedTuple):
    """One calibration."""

    pde: str
    seed: int
    samples: str
    variant: str
    network: str = "resnet"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Key:
        """That of a row of the file."""
        return cls(*(row[name] for name in cls._fields))


@dataclass(frozen=True)
class Stage:
    """What the calibrations of one equation, seed, network and kind of data share."""

    pde: str
    seed: int
    network: str
    cover: bool
    settings: Settings
    steps: int
    tests: int

    @cached_property
    def data(self) -> Any:
        from transferbench._data import CaseData

        case = Case(self.pde, 1, NETWORKS[self.network].high)
        return CaseData(case, self.settings, FIRST_SEED + self.seed, 1, self.cover)

    @cached_property
    def record(self) -> Any:
        """The network of the low dimension."""
        from transferbench._training import Trainer, fit_steps

        from ginjax.models import ModelDesign, to_record

        pairs, seed, signature = self.data.low(False)[0], FIRST_SEED + self.seed, self.data.signature
        trainer = Trainer(pairs, pairs.X.get_L(), self.settings.low_batch["1"], self.settings.look, seed)
        options = dict(NETWORKS[self.network].design)
        untrained = ModelDesign(options.pop("architecture"), signature, signature, **options).build(1, seed)
        return to_record(
            fit_steps(untrained, trainer, self.steps, LOW_RATE).model, contract=self.data.contract
        )

    @cached_property
    def test(self) -> tuple[PyTree, PyTree]:
        from transferbench._data import Pairs

        from ginjax.data import generate

        high = NETWORKS[self.network].high
        made = generate(
            self.pde,
            high,
            trajectories=self.tests,
            steps=max(HORIZONS),
            side=self.settings.high_sides[str(high)],
            seed=FIRST_SEED + HELD_OUT,
        )
        return Pairs.of(made, self.data.normalisation).rollouts(0, max(HORIZONS))

    def chosen(self, samples: str) -> tuple[PyTree, PyTree]:
        """At most 16 pairs to calibrate on."""
        pairs = self.data.pool if samples == "one 3D trajectory" else self.data.low(False)[0]
        count = pairs.frames if samples == "one 3D trajectory" else pairs.X.get_L()
        numbers = np.unique(np.linspace(0, count - 1, min(count, 16)).round().astype(int)).tolist()
        return pairs.X.get_subset(numbers), pairs.Y.get_subset(numbers)

    def measure(self, key: Key) -> dict[str, Any]:
        """A row of the file."""
        from transferbench._rollouts import diverged, rollout_errors

        from ginjax.checkpoint import convert_record
        from ginjax.ml import calibrate
        from ginjax.ml.transfer import _calibrate
        from ginjax.models import from_record

        changed, high = dict(VARIANTS[key.variant]), NETWORKS[self.network].high
        rule, moves = str(changed.pop("rule", "isotropic")), dict[str, float]()
        if changed.pop("evaluations", None) == 0:
            record = convert_record(self.record, high, rule).after
        else:
            with ExitStack() as stack:
                for name, value in changed.items():
                    stack.enter_context(mock.patch.object(_calibrate, name, value))
                conversion, found = calibrate(
                    self.record, high, *self.chosen(key.samples), rule, seed=FIRST_SEED + self.seed
                )
            record, moves = conversion.after, {name: round(t, 4) for name, t in found.moves.items()}
        errors = rollout_errors(from_record(record), self.test)
        means = errors.mean(axis=1)
        return key._asdict() | {
            "errors": {str(each): _finite(means[each - 1]) for each in HORIZONS},
            "diverged": diverged(errors),
            "moves": moves,
        }


def _finite(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def keys(seeds: int) -> Iterator[Key]:
    """Every variant of a case together, which share compiled programs; ordinary data last."""
    for seed, (network, sort), data in itertools.product(range(seeds), NETWORKS.items(), (False, True)):
        for pde, samples in itertools.product(EQUATIONS, sort.samples):
            if (samples == "ordinary 1D") != data:
                continue
            for variant in sort.variants:
                # A patch is cut out of fields that were laid in directions: of a trajectory the whole field counts.
                if not (variant.startswith("patch") and samples == "one 3D trajectory"):
                    yield Key(pde, seed, samples, variant, network)


def report(rows: list[dict[str, Any]]) -> str:
    """For each kind of data and variant the errors over those of the constants as they are."""
    by_key = {Key.of(row): row for row in rows}
    lines = [
        "| network | samples | variant | cases | one step | 5, 10 and 20 steps | worst case | diverged |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for network, samples, variant in itertools.product(NETWORKS, SAMPLES, VARIANTS):
        one, later, lost = [], [], []
        for key, row in by_key.items():
            base = by_key.get(key._replace(variant="as it is"))
            if (key.network, key.samples, key.variant) != (network, samples, variant) or base is None:
                continue
            ratios = [_ratio(row["errors"][str(each)], base["errors"][str(each)]) for each in HORIZONS]
            one.append(ratios[:1])
            later.append(ratios[1:])
            lost.append(row["diverged"])
        if one:
            worst = max((*one, *later), key=geometric_mean)
            figures = [_mean([*itertools.chain(*each)]) for each in (one, later, [worst])]
            lines.append(
                f"| {network} | {samples} | {variant} | {len(one)} | {' | '.join(figures)} | {100 * np.mean(lost):.0f} % |"
            )
    return "\n".join(lines)


def _mean(ratios: Sequence[float]) -> str:
    """The geometric mean; a least one where a ratio of it was too large to count as it is."""
    return f"{'>= ' if max(ratios) >= MOST else ''}{geometric_mean(ratios):.2f}"


def _ratio(error: float | None, base: float | None) -> float:
    if base is None:
        return 1.0 if error is None else 1 / MOST
    return MOST if error is None else min(MOST, error / base)


def main() -> None:
    print(report(go_on("calibration", __doc__, _measure)))


def _measure(options: argparse.Namespace, path: Path, rows: list[dict[str, Any]]) -> None:
    settings, steps, tests = Settings(), 8000, 8
    if options.quick:
        sides = {"low_sides": {"1": 16}, "high_sides": {"2": 8, "3": 6}}
        settings, steps, tests = replace(settings, **sides, low_trajectories={"1": 4}, look=20), 40, 2
    done = {Key.of(row) for row in rows}
    stage: Stage | None = None
    for key in keys(options.seeds):
        if key in done or not set(options.only) <= set(map(str, key)):
            continue
        cover = key.samples != "ordinary 1D"
        new = Stage(key.pde, key.seed, key.network, cover, settings, steps, tests)
        if stage is None or stage != new:
            stage = new
        rows.append(stage.measure(key))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(*key, rows[-1]["errors"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
