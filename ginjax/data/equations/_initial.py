"""Initial states made of random fields, for any equation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Draw = Callable[[], np.ndarray]
"""Draws one scalar random field of zero mean and unit variance on the solver's grid."""


def scalar_noise(draw: Draw, D: int) -> np.ndarray:
    """One scalar field, `(1, *spatial)`."""
    return draw()[None]


def vector_noise(draw: Draw, D: int) -> np.ndarray:
    """One vector field of independent components, `(D, *spatial)`."""
    return np.stack([draw() for _ in range(D)])
