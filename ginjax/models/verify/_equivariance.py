"""How well a network commutes with the symmetries of the grid that keep its walls."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ...geometric import MultiImage
from .._any_dimensional import AnyDimensionalModel
from ._outputs import relative_difference, run_network


def equivariance_defect(model: AnyDimensionalModel, x: MultiImage) -> float:
    """`max_g |f(g x) - g f(x)| / max |f(x)|` over reflections and transpositions that generate the symmetries.

    They are all of `B_D`, but for exchanges of two axes beyond whose ends the network goes on in different ways.
    """
    y = run_network(model, x)
    return max(
        relative_difference(run_network(model, x.times_group_element(g)), y.times_group_element(g))
        for g in generators(x.D, _ends(model, x))
    )


def generators(D: int, ends: Sequence[str] = ()) -> list[Int[np.ndarray, "dim dim"]]:
    """Matrices that generate `B_D`, or what of it exchanges axes with the same ends only: reflections and transpositions.

    **Arguments:**

    - `ends`: what an axis is like at its ends, one word for each; all alike if empty.
    """
    ends = tuple(ends) or ("",) * D
    alike = len(set(ends)) == 1
    found = []
    for i in range(1 if alike else D):
        reflection = np.eye(D, dtype=int)
        reflection[i, i] = -1
        found.append(reflection)
    for i, j in itertools.combinations(range(D), 2):
        if ends[i] == ends[j] and (j == i + 1 or not alike):
            order = list(range(D))
            order[i], order[j] = order[j], order[i]
            found.append(np.eye(D, dtype=int)[order])
    return found


def _ends(model: AnyDimensionalModel, x: MultiImage) -> tuple[str, ...]:
    """What decides which axes may be exchanged: where the field is periodic, and how the network goes on elsewhere."""
    if all(x.is_torus):
        return ()
    modes = model.spec.padding(x.D)
    walled = {mode for mode, periodic in zip(modes, x.is_torus, strict=True) if not periodic}
    if not walled or len(set(modes)) == 1:
        return ()
    return tuple("periodic" if periodic else mode for mode, periodic in zip(modes, x.is_torus, strict=True))
