"""What a verification found, and how much of it counts as exact."""

from dataclasses import dataclass

import numpy as np

from ..._text import table_lines
from ...transfer import tolerance_of

LIFT_TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "float16": 5e-2, "bfloat16": 2e-1}
"""Largest lift defect that counts as exact when a network runs in its own precision."""

ROUNDED_LIFT_TOLERANCE = {"float64": 1e-9, "float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1}
"""The same when weights stored in that precision run in float64: what is left is their rounding."""

NOISE_FACTOR = 10.0
"""A lift defect up to this multiple of the network's own rounding noise is put down to rounding."""


@dataclass(frozen=True, repr=False)
class Verification:
    """What was measured, each relative to the largest value of the output.

    **Arguments:**

    - `dtype`: precision the weights are stored in, the coarser of the two.
    - `side`: pixels along each axis of the random fields.
    - `lift_float64`, `lift_own`: `max |f'(E x) - E f(x)|` with everything in float64, and in the stored precision.
    - `equivariance`: `max_g |f'(g x) - g f'(x)|` over generators of `B_D`, in the stored precision.
    - `noise_float64`: how much the first network's own output moves, in float64, when its weights move within their
      rounding; `noise_own`: how far it is, run in the stored precision, from itself in float64. An exact
      conversion cannot be told from a near one below these.
    - `noise_high`: how far the second network, run in the stored precision on the fields of the equivariance defect, is from
      itself in float64.
    - `condition`: largest residual of condition (C) between the two sets of weights; None where not measured.
    - `plain`: whether the networks are plain ones, for whose kernels something simpler stands for (C).
    """

    dtype: str
    side: int
    lift_float64: float
    lift_own: float
    equivariance: float
    noise_float64: float = 0.0
    noise_own: float = 0.0
    condition: float | None = None
    plain: bool = False
    noise_high: float = 0.0

    def checks(self, tolerance: float | None = None) -> dict[str, tuple[float, float]]:
        """Every check with what was found and the largest value accepted.

        Limits are those of the precision, for the lift tests or where that is more `NOISE_FACTOR` times the network's
        own noise: a network that multiplies rounding multiplies it in both dimensions. That of the equivariance defect grows
        likewise with the noise of the second network. `tolerance` replaces them all.
        """
        found = {
            "lift test in float64": (
                self.lift_float64,
                max(ROUNDED_LIFT_TOLERANCE[self.dtype], NOISE_FACTOR * self.noise_float64),
            ),
            f"lift test in {self.dtype}": (
                self.lift_own,
                max(LIFT_TOLERANCE[self.dtype], NOISE_FACTOR * max(self.noise_own, self.noise_float64)),
            ),
            f"equivariance in {self.dtype}": (
                self.equivariance,
                max(LIFT_TOLERANCE[self.dtype], NOISE_FACTOR * self.noise_high),
            ),
        }
        if self.condition is not None:
            name = "kernels" if self.plain else "condition (C)"
            found = {name: (self.condition, tolerance_of(np.dtype(self.dtype)))} | found
        if tolerance is not None:
            found = {name: (value, tolerance) for name, (value, _) in found.items()}
        return found

    def rows(self, tolerance: float | None = None) -> list[tuple[str, str, str, str]]:
        """Every check as words: its name, the defect, the limit, and whether it holds."""
        return [
            (name, f"{value:.1e}", f"{limit:.0e}", "yes" if value <= limit else "no")
            for name, (value, limit) in self.checks(tolerance).items()
        ]

    def __repr__(self) -> str:
        columns = ("check", "defect", "limit", "holds")
        return "\n".join([f"random fields of side {self.side}", *table_lines(columns, self.rows())])

    @property
    def lifts(self) -> bool:
        """Whether every check but equivariance is within its limit."""
        return all(v <= limit for name, (v, limit) in self.checks().items() if "equivariance" not in name)

    @property
    def is_equivariant(self) -> bool:
        """Whether the equivariance defect is within its limit."""
        return all(v <= limit for name, (v, limit) in self.checks().items() if "equivariance" in name)
