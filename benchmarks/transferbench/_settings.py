"""Sizes, steps and rates, which stay the same over a whole table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Fold = str


@dataclass(frozen=True)
class Settings:
    """What does not depend on the method.

    **Arguments:**

    - `low_sides`, `high_side`: grid points along each axis, by dimension and in the high one.
    - `low_trajectories`, `low_batch`, `low_steps`: by dimension, of the training there.
    - `low_rates`, `scratch_rates`, `tune_rates`: peaks of the learning rate, the best of which is taken on the
      validation fold, once for each case, method and number of samples.
    - `noises`: on the inputs of a noisy training, in normalised units, chosen likewise.
    - `frames`: time steps of a trajectory that is trained on.
    - `batch`: pairs a step in the high dimension.
    - `look`: steps between two validations there.
    - `lengths`: numbers of steps that a training to its plateau tries, for scalar fields and for others, until the
      next one gains less than the part `gain`.
    - `trial_steps`: length of the trainings by which the rate is chosen.
    - `validation`: trajectories of the validation fold, `ahead` the steps they are forecast.
    - `test`: trajectories that errors are measured on, for scalar fields and for others.
    - `horizons`: the steps after which they are measured.
    - `calibration_pairs`: at most so many are calibrated on.
    """

    low_sides: Mapping[str, int] = field(default_factory=lambda: {"1": 64, "2": 32})
    high_sides: Mapping[str, int] = field(default_factory=lambda: {"2": 48, "3": 16})
    low_trajectories: Mapping[str, int] = field(default_factory=lambda: {"1": 64, "2": 32})
    low_batch: Mapping[str, int] = field(default_factory=lambda: {"1": 8, "2": 2})
    low_steps: Mapping[str, int] = field(default_factory=lambda: {"1": 20_000, "2": 2000})
    low_rates: tuple[float, ...] = (2e-3, 5e-3, 1e-2)
    scratch_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    tune_rates: tuple[float, ...] = (2e-4, 1e-3, 5e-3)
    noises: tuple[float, ...] = (0.01, 0.03, 0.1)
    frames: int = 8
    batch: int = 2
    look: int = 250
    lengths: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: {"scalars": (2000, 4000, 8000, 16000), "vectors": (300, 600, 1200)}
    )
    gain: float = 0.05
    trial_steps: Mapping[str, int] = field(default_factory=lambda: {"scalars": 800, "vectors": 100})
    validation: int = 8
    ahead: int = 5
    test: Mapping[str, int] = field(default_factory=lambda: {"scalars": 16, "vectors": 8})
    horizons: tuple[int, ...] = (1, 5, 10, 20)
    calibration_pairs: int = 16


QUICK = Settings(
    low_sides={"1": 16, "2": 8},
    high_sides={"2": 8, "3": 6},
    low_trajectories={"1": 8, "2": 4},
    low_steps={"1": 200, "2": 40},
    low_rates=(5e-3,),
    scratch_rates=(1e-3, 1e-2),
    tune_rates=(1e-3,),
    noises=(0.3,),
    look=20,
    lengths={"scalars": (20, 40), "vectors": (10, 20)},
    trial_steps={"scalars": 20, "vectors": 10},
    validation=2,
    ahead=2,
    test={"scalars": 2, "vectors": 2},
    horizons=(1, 3),
    calibration_pairs=4,
)
"""To see that it works, in a minute a case; the numbers mean nothing."""


def kind(scalar: bool) -> str:
    """The key of what differs between scalar fields and others."""
    return "scalars" if scalar else "vectors"
