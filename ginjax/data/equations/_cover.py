"""Initial fields of a low dimension that resemble those of a higher dimension locally.

A Gaussian field of correlation length `l` has, in `D` dimensions, `E |grad u|^2 = D / l^2` and
`E (Lap u)^2 = D (D + 2) / l^4`. So for fields of the same correlation length in 1D and 3D, a small filter sees gradients that
differ by `sqrt(3)` and Laplacians that differ by `sqrt(5)`. Shorter correlation lengths compensate for this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ginjax.data.equations._pde import PDE
from ginjax.data.equations._planes import Planes

LENGTHS = 2
"""Number of correlation lengths in a mixture. More of them were not better, see `benchmarks/cover.py`."""

_POINTS = 2**13
"""Number of points drawn to measure a root mean square."""


def covering_factors(D: int, target: int) -> tuple[float, ...]:
    """Factors on the correlation length with which fields in `D` dimensions cover those of `target` dimensions.

    To match the gradient, the factor has to be `sqrt(D / target)`. To match the Laplacian, it has to be
    `(D (D + 2) / (target (target + 2)))^(1/4)`, which is never smaller.

    **Arguments:**

    - `D`: number of dimensions in which the fields vary.
    - `target`: a larger number of dimensions.

    **Returns:** evenly spaced factors, from 1 down to the factor for the gradient.
    """
    return tuple(np.linspace(1.0, math.sqrt(D / target), LENGTHS).tolist())


def with_length(pde: PDE, factor: float) -> PDE:
    """The same equation with another correlation length of its initial fields."""
    return pde if factor == 1 else replace(pde, correlation_length=factor * pde.correlation_length)


@dataclass(frozen=True)
class Coverage:
    """How initial fields of several correlation lengths compare with those of a higher dimension.

    **Arguments:**

    - `D`: the dimension of the data.
    - `target`: the higher dimension.
    - `lengths`: the correlation lengths of the data.
    - `gradient`, `laplacian`: root mean square of the first and the second differences of neighbouring grid points in the higher
      dimension, divided by the largest one in the mixture; for several fields, the largest of these ratios.
    - `spin_up`: time steps between the initial fields and the first frame that is kept.
    - `planar`: whether the data vary in planes only.
    """

    D: int
    target: int
    lengths: tuple[float, ...]
    gradient: float
    laplacian: float
    spin_up: int = 0
    planar: bool = False

    def __str__(self) -> str:
        lengths = " and ".join(f"{each:.3g}" for each in self.lengths)
        what = f"planes in {self.D}D" if self.planar else f"data in {self.D}D"
        frames = f"{self.spin_up} time step{'s' * (self.spin_up > 1)}"
        later = f"; the data begin {frames} later" if self.spin_up else ""
        return (
            f"{what} begin with the correlation lengths {lengths} in turn: initial fields in {self.target}D have "
            f"{self.gradient:.2f} times their largest gradient and {self.laplacian:.2f} times their largest Laplacian (root mean "
            f"square); up to 1 is covered{later}"
        )


def measure_coverage(pde: PDE, D: int, target: int, *, planes: Sequence[Planes] = ()) -> Coverage:
    """Compare initial fields of the covering mixture with those of the higher dimension; the random draws are always the same.

    **Arguments:**

    - `pde`: the equation.
    - `D`, `planes`: the dimension of the data, and the directions along which they vary, if not all: one kind after the other.
    - `target`: the higher dimension.
    """
    factors = covering_factors(planes[0].varying if planes else D, target)
    mixed = [with_length(pde, factor) for factor in factors]
    low = np.stack([_spreads(each, D, kind) for each in mixed for kind in planes or (None,)]).max(axis=0)
    gradient, laplacian = (_spreads(pde, target) / low).max(axis=1)
    lengths = tuple(each.correlation_length for each in mixed)
    return Coverage(D, target, lengths, float(gradient), float(laplacian), pde.spin_up, bool(planes))


def _spreads(pde: PDE, D: int, planes: Planes | None = None) -> np.ndarray:
    """Root mean squares `(2, fields)` of first and second differences on the stored grid."""
    side = 16
    rng = np.random.default_rng([D, side])
    varying = D if planes is None else planes.varying
    squares = []
    for _ in range(max(1, _POINTS // side**varying)):
        state = pde.initial_state(rng, D, side, planes=planes)
        stored = state[(slice(None), *(slice(None, None, pde.refinement),) * varying)]
        in_space = stored if planes is None else planes.in_space(stored, (side,) * D)
        squares.append(_squares(pde, D, in_space))
    return np.sqrt(np.mean(squares, axis=0))


def _squares(pde: PDE, D: int, state: np.ndarray) -> np.ndarray:
    """Mean squares `(2, fields)` of first and second differences, per component, of one state `(components, *spatial)`."""
    axes = range(1, D + 1)
    slopes = sum((np.roll(state, -1, axis) - state) ** 2 for axis in axes)
    bends = sum(np.roll(state, -1, axis) - 2 * state + np.roll(state, 1, axis) for axis in axes) ** 2
    starts = np.cumsum([0, *(D**each.k for each in pde.fields)])
    return np.array([_by_field(np.asarray(each), starts) for each in (slopes, bends)])


def _by_field(values: np.ndarray, starts: np.ndarray) -> list[float]:
    means = values.reshape(len(values), -1).mean(axis=1)
    return [float(means[a:b].mean()) for a, b in pairwise(starts)]
