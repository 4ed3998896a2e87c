"""Fields of a high dimension that vary in a plane only, simulated at the cost of one dimension less.

Let `u(x) = g(A x)` with an integer matrix `A` of `D - 1` rows and grid points `x`. This field is constant along the direction
that `A` maps to zero. Its derivative along axis `i` is `sum_a A[a, i] d_a g`. So the equation in `D` dimensions, with all `D`
components of a vector, is solved exactly on the grid of `g`, whose wave numbers give those of space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from ginjax._unknown_name import unknown_name

THICKNESS = 4
"""Points along an axis on which nothing depends: the fewest that a U-Net of two levels can pool."""


@dataclass(frozen=True)
class Planes:
    """The directions along which fields vary.

    **Arguments:**

    - `rows`: integers, a row for each axis of `g`; the rows are orthogonal.
    """

    rows: tuple[tuple[int, ...], ...]

    @property
    def varying(self) -> int:
        """Number of directions along which fields vary."""
        return len(self.rows)

    def spatial(self, side: int) -> tuple[int, ...]:
        """Grid points along each axis of space for `side` points along each axis of `g`: as few as a period needs."""
        return tuple(side if any(column) else THICKNESS for column in zip(*self.rows, strict=True))

    def in_space(self, values: np.ndarray, spatial: tuple[int, ...]) -> np.ndarray:
        """Lay fields `g` out in space.

        **Arguments:**

        - `values`: `(*leading, *grid of g)`.
        - `spatial`: grid points along each axis of space.

        **Returns:** an array `(*leading, *spatial)`.
        """
        sides = values.shape[-self.varying :]
        points = np.indices(spatial)
        at = (np.tensordot(row, points, 1) % side for row, side in zip(self.rows, sides, strict=True))
        return values[(..., *at)]

    def stepper(self, kind: type[Any]) -> type[Any]:
        """The class of solvers for fields `g`, from a class of solvers for fields on the axes of the grid.

        **Arguments:**

        - `kind`: a class of exponax steppers that builds its operators from the derivatives it is given, and does not assume
          their number.
        """
        return _planar(kind, self.rows)


PLANES = {
    "flat": Planes(((1, 0, 0), (0, 1, 0))),
    "oblique": Planes(((1, 1, 0), (0, 0, 1))),
}
"""Planes in 3D by name: "flat" is constant along the last axis, "oblique" along (1, -1, 0)."""

BOTH = "both"
"""The name for all `PLANES` in turn."""

PLANES_NAMES = (*PLANES, BOTH)
"""The names of planes that can be requested."""


def planes_named(name: str) -> tuple[Planes, ...]:
    """One of `PLANES`, or all of them for `BOTH`.

    **Raises:** `ArgumentError` for a name that is not in `PLANES_NAMES`.
    """
    if name not in PLANES_NAMES:
        raise unknown_name("`planes`", name, PLANES_NAMES, expected=" or ".join(map(repr, PLANES_NAMES)))
    return tuple(PLANES.values()) if name == BOTH else (PLANES[name],)


def grid_of(planes: Sequence[Planes], D: int, side: int) -> tuple[int, ...]:
    """Grid points along each axis of space: those of a single kind of planes, and a cube for several kinds or none."""
    return planes[0].spatial(side) if len(planes) == 1 else (side,) * D


@cache
def _planar(kind: type[Any], rows: tuple[tuple[int, ...], ...]) -> type[Any]:
    # Kept, because a program is compiled for each class.
    def in_space(derivatives: Array) -> Array:
        columns = zip(*rows, strict=True)
        return jnp.stack([sum(a * each for a, each in zip(c, derivatives, strict=True)) for c in columns])  # pyright: ignore[reportArgumentType]

    def linear(self: Any, derivative_operator: Array) -> Array:
        return kind._build_linear_operator(self, in_space(derivative_operator))

    def nonlinear(self: Any, derivative_operator: Array) -> Any:
        return kind._build_nonlinear_fun(self, in_space(derivative_operator))

    body = {"_build_linear_operator": linear, "_build_nonlinear_fun": nonlinear, "__module__": __name__}
    metaclass: Any = type(kind)
    return metaclass(f"Planar{kind.__name__}", (kind,), body)
