"""The interface of a solver."""

from __future__ import annotations

from typing import Protocol

from jax import Array


class Solver(Protocol):
    """Advances an equation by one sub-step in time, such as a stepper of exponax."""

    def step(self, u: Array) -> Array:
        """The state `(components, *grid)` one sub-step later."""
        ...
