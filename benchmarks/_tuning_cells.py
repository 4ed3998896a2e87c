"""Cells of the measurement of tunings: what was measured, kept in a file of JSON after every cell."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

STEPS = (1, 5, 10)
"""Steps of a rollout at which errors are quoted."""


@dataclass(frozen=True)
class Way:
    """A way to tune.

    - `calibrated`: whether the free directions are calibrated before.
    - `unroll`: predictions in a row in the loss.
    - `pull`: weight of `|w - start|^2` in the loss.
    - `rates`: peaks of the learning rate; none where only the free directions are chosen.
    """

    name: str
    calibrated: bool
    unroll: int
    pull: float
    rates: tuple[float, ...]


WAYS = (
    Way("calibrated", True, 1, 0.0, ()),
    Way("tuned", False, 1, 0.0, (3e-5, 1e-4, 3e-4, 1e-3, 3e-3)),
    Way("calibrated, then tuned", True, 1, 0.0, (3e-5, 1e-4, 3e-4, 1e-3)),
    Way("tuned, unroll 3", False, 3, 0.0, (1e-4, 3e-4, 1e-3)),
    Way("calibrated, then tuned, unroll 3", True, 3, 0.0, (1e-4,)),
    Way("tuned, pull", False, 1, 1.0, (3e-4, 1e-3)),
)


@dataclass(frozen=True)
class Look:
    """A model on the way.

    - `step`: of the tuning.
    - `loss`, `error`: squared error and nRMSE of one step, on windows that are not trained on.
    - `rollout`: nRMSE at every step of rollouts from the first frames of the validation trajectories; of 1 trajectory
      only the last of them compare with frames that are not trained on.
    - `test`: nRMSE at `STEPS` on the held-out trajectories; None where no rule would keep this model.
    """

    step: int
    loss: float
    error: float
    rollout: list[float]
    test: list[float] | None


@dataclass(frozen=True)
class Cell:
    """One tuning: which, the looks on its way (the first is the converted model), and its processor time in seconds."""

    transfer: str
    samples: int
    seed: int
    way: str
    rate: float
    seconds: float
    looks: tuple[Look, ...]

    @property
    def key(self) -> tuple[str, int, int, str, float]:
        return self.transfer, self.samples, self.seed, self.way, self.rate


def geometric(*errors: float) -> float:
    """The geometric mean."""
    return float(np.exp(np.mean(np.log(errors))))


RULES: dict[str, Callable[[Look], float] | None] = {
    "last": None,
    "one step, loss": lambda look: look.loss,
    "one step, nRMSE": lambda look: look.error,
    "one step and step 3": lambda look: geometric(look.error, look.rollout[2]),
    "one step and step 5": lambda look: geometric(look.error, look.rollout[4]),
    "one step and last step": lambda look: geometric(look.error, look.rollout[-1]),
    "last step": lambda look: look.rollout[-1],
    "all steps": lambda look: geometric(*look.rollout),
}
"""How one of the looks is chosen: the last, or the smallest of a number. The first look is a candidate."""


def chosen(looks: tuple[Look, ...], rule: str, margin: float = 1.0) -> int:
    """The number of the look that a rule keeps, of equal ones the earliest.

    - `margin`: the first look is kept unless another has at most so many times its number; no matter to the last.
    """
    measure = RULES[rule]
    if measure is None:
        return len(looks) - 1
    best = min(range(len(looks)), key=lambda i: measure(looks[i]))
    return best if measure(looks[best]) < margin * measure(looks[0]) else 0


def read(path: Path, settings: Mapping[str, Any]) -> list[Cell]:
    """The cells of an earlier run with the same settings."""
    if not path.exists():
        return []
    content = json.loads(path.read_text())
    if content["settings"] != json.loads(json.dumps(dict(settings))):
        raise SystemExit(f"{path} was made with other settings; remove it or choose another file with --out")
    return [
        Cell(**{**each, "looks": tuple(Look(**look) for look in each["looks"])}) for each in content["cells"]
    ]


def write(path: Path, settings: Mapping[str, Any], cells: list[Cell]) -> None:
    """All cells, in place of the file."""
    lines = ",\n".join(json.dumps(_rounded(asdict(cell))) for cell in cells)
    text = f'{{"settings": {json.dumps(dict(settings))},\n"cells": [\n{lines}\n]}}\n'
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def _rounded(value: Any) -> Any:
    """Five digits of every number."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def ratios(cells: Iterable[Cell], rule: str, margin: float = 1.0) -> list[list[float]]:
    """For each cell the errors at `STEPS` of the model kept over those of the converted one."""
    found = []
    for cell in cells:
        before, after = cell.looks[0].test, cell.looks[chosen(cell.looks, rule, margin)].test
        assert before is not None and after is not None
        found.append([b / a for a, b in zip(before, after, strict=True)])
    return found
