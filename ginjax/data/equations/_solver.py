"""What advances an equation in time."""

from __future__ import annotations

from typing import Protocol

from jax import Array


class Solver(Protocol):
    """One sub-step of an equation in time, such as a stepper of exponax."""

    def step(self, u: Array) -> Array:
        """The state `(components, *grid)` one sub-step later."""
        ...
