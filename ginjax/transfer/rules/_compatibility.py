"""`compatibility` and `compat-flex`: the exact solutions of condition (C)."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.transfer._spin import corner_pixels, spin_target
from ginjax.transfer._system import FilterPair, solutions

from ._named_rule import NamedRule


@dataclass(frozen=True)
class Compatibility:
    """Solves (C) exactly; where (C) leaves freedom, the solution is as close as possible to the spin target.

    **Arguments:**

    - `flex`: 1 (default) gives the solution closest to the spin target in the pixelwise Frobenius norm. 0 gives the
      sparsest one: smallest norm on pixels with more than `D` non-zero coordinates, and among those the one
      closest to the spin target. A value in between mixes the two; every mixture solves (C).
    - `name`: `"compatibility"`, `"compat-flex"` or `"spin-embed"`.
    """

    flex: float = 1.0
    name: str = "compatibility"
    promises_compatibility = True

    def __post_init__(self):
        if not np.isfinite(self.flex):
            raise ArgumentError(
                "flex",
                got=self.flex,
                expected="a finite number (0: the sparsest solution, 1: the one closest to the spin target)",
            )

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        return weights @ transfer_matrix(pair, self.flex).T


COMPATIBILITY = NamedRule(
    Compatibility(),
    "reproduces the network exactly on fields that do not vary along the new axes",
)
COMPAT_FLEX = NamedRule(
    Compatibility(name="compat-flex"),
    "chooses among the exact solutions",
    with_flex=lambda flex: Compatibility(flex, "compat-flex"),
    compared_at=(0.0,),
)
SPIN_EMBED = NamedRule(
    Compatibility(name="spin-embed"),
    "is another name of compatibility",
    compared_at=(),
)


@functools.lru_cache(maxsize=1024)
def transfer_matrix(pair: FilterPair, flex: float = 1.0) -> np.ndarray:
    """The matrix `T` `(n_new, n_old)` of `a' = T a`, float64."""
    family = solutions(pair)
    n_new, n_old = len(pair.new), len(pair.old)
    if family.null.shape[1] == 0:
        return family.particular
    filters = pair.new.filters.reshape(n_new, pair.side**pair.D_new, pair.D_new ** sum(pair.orders_new))
    target = spin_target(pair)
    synthesis, wanted = filters.reshape(n_new, -1).T, target.reshape(n_old, math.prod(target.shape[1:])).T
    spin = family.narrowed(synthesis, wanted).particular
    if flex == 1.0:
        return spin
    corners = filters[:, corner_pixels(pair)].reshape(n_new, -1).T
    sparse = family.narrowed(corners, np.zeros((len(corners), n_old))).narrowed(synthesis, wanted).particular
    return (1.0 - flex) * sparse + flex * spin
