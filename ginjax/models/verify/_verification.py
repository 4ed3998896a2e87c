"""The result of a verification, and the limits below which it counts as exact."""

from dataclasses import dataclass

import numpy as np

from ..._text import table_lines
from ...transfer import tolerance_of

LIFT_TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "float16": 5e-2, "bfloat16": 2e-1}
"""The largest lift defect that counts as exact if a network runs in its own precision."""

ROUNDED_LIFT_TOLERANCE = {"float64": 1e-9, "float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1}
"""The same for weights that are stored in that precision and run in float64: only their rounding remains."""

NOISE_FACTOR = 10.0
"""A lift defect of up to this multiple of the network's own rounding noise counts as rounding."""


@dataclass(frozen=True, repr=False)
class Verification:
    """The defects that a verification measured, relative to the largest value of the output.

    **Arguments:**

    - `dtype`: the precision of the stored weights, the coarser one of the two networks.
    - `side`: the number of pixels along each axis of the random fields.
    - `lift_float64`, `lift_own`: `max |f'(E x) - E f(x)|` with everything in float64, and in the stored precision.
    - `equivariance`: `max_g |f'(g x) - g f'(x)|` over generators of the symmetries (`B_D` without walls), in the stored
      precision.
    - `noise_float64`: the change of the first network's output, in float64, if its weights change within their rounding.
    - `noise_own`: the difference between the first network in the stored precision and in float64. Below these two noises an
      exact conversion cannot be distinguished from a nearly exact one.
    - `noise_high`: the difference between the second network in the stored precision and in float64, on the fields of the
      equivariance defect.
    - `condition`: the largest residual of condition (C) between the two sets of weights; None if not measured.
    - `plain`: whether the networks are plain; then `condition` is the residual of a simpler condition on their kernels.
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
        """Return, for every check by name, the measured value and the largest accepted value.

        The limit of a lift test is that of the precision or, if that is more, `NOISE_FACTOR` times the network's own noise: a
        network that amplifies rounding does so in both dimensions. The limit of the equivariance defect depends in the same way
        on the noise of the second network. `tolerance` replaces all limits.
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
        """Return every check as text: its name, the defect, the limit, and whether it holds."""
        return [
            (name, f"{value:.1e}", f"{limit:.0e}", "yes" if value <= limit else "no")
            for name, (value, limit) in self.checks(tolerance).items()
        ]

    def __repr__(self) -> str:
        columns = ("check", "defect", "limit", "holds")
        return "\n".join([f"random fields of side {self.side}", *table_lines(columns, self.rows())])

    @property
    def lifts(self) -> bool:
        """Whether every check except equivariance is within its limit."""
        return all(v <= limit for name, (v, limit) in self.checks().items() if "equivariance" not in name)

    @property
    def is_equivariant(self) -> bool:
        """Whether the equivariance defect is within its limit."""
        return all(v <= limit for name, (v, limit) in self.checks().items() if "equivariance" in name)
