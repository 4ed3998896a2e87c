"""What a transfer rule is."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ginjax.transfer._system import FilterPair


class Rule(Protocol):
    """Turns the weights of one path `(out, in, n_old)` into those of the next dimension `(out, in, n_new)`.

    - `name`: as on the command line.
    - `promises_compatibility`: whether a residual of (C) above tolerance is a failure.
    """

    @property
    def name(self) -> str: ...

    @property
    def promises_compatibility(self) -> bool: ...

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray: ...


def by_name(
    weights: np.ndarray, pair: FilterPair, apply: Callable[[np.ndarray, FilterPair], np.ndarray]
) -> np.ndarray:
    """Apply a rule that goes by the names of the filters, whatever the signs of the filters as given."""
    return apply(weights * pair.old.signs, pair.unflipped()) * pair.new.signs
