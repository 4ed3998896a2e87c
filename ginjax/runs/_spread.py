"""Mean and spread of several values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """The mean and the standard deviation of several values.

    **Arguments:**

    - `mean`: `sum_i v_i / n`.
    - `deviation`: the standard deviation of the values, `sqrt(sum_i (v_i - mean)^2 / (n - 1))`; None for a single value, which
      says nothing about the spread.
    - `n`: number of values.
    """

    mean: float
    deviation: float | None
    n: int

    def __str__(self) -> str:
        return plus_minus(self.mean, self.deviation)

    def to_json(self) -> dict[str, float | int | None]:
        """A plain JSON object."""
        return {"mean": self.mean, "deviation": self.deviation, "n": self.n}


def spread_of(values: Iterable[float]) -> Spread | None:
    """Compute the mean and spread of some values; None if there are none.

    **Arguments:**

    - `values`: values of one quantity, such as the error with each seed.
    """
    found = np.asarray(list(values), np.float64)
    if not found.size:
        return None
    with np.errstate(invalid="ignore", over="ignore"):  # a forecast that blows up is a value
        deviation = float(found.std(ddof=1)) if found.size > 1 else None
        return Spread(float(found.mean()), deviation, int(found.size))


def plus_minus(mean: float, deviation: float | None) -> str:
    """Format a mean with three digits and its spread with two; without a spread the mean alone."""
    return f"{mean:.3g}" if deviation is None else f"{mean:.3g} ± {deviation:.2g}"
