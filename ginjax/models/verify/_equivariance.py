"""The equivariance defect of a network under the symmetries of the grid that keep its walls."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ...geometric import MultiImage
from .._any_dimensional import AnyDimensionalModel
from ._outputs import relative_difference, run_network


def equivariance_defect(model: AnyDimensionalModel, x: MultiImage) -> float:
    """Compute `max_g |f(g x) - g f(x)| / max |f(x)|` over reflections and transpositions that generate the symmetries.

    The symmetries are all of `B_D`, except exchanges of two axes if fields continue differently beyond their ends.

    **Raises:** `NumericsError` for an output that is not finite.
    """
    y = run_network(model, x)
    return max(
        relative_difference(run_network(model, x.times_group_element(g)), y.times_group_element(g))
        for g in generators(x.D, _ends(model, x))
    )


def generators(D: int, ends: Sequence[str] = ()) -> list[Int[np.ndarray, "dim dim"]]:
    """Return generators of `B_D`, or of its subgroup that exchanges only axes with the same ends.

    **Arguments:**

    - `D`: the dimension.
    - `ends`: a word for each axis that says how fields continue beyond its ends; all are alike if empty.

    **Returns:** reflections and transpositions as matrices.
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
    """Return a word for each axis, its padding mode or "periodic"; axes with the same word may be exchanged."""
    if all(x.is_torus):
        return ()
    modes = model.spec.padding(x.D)
    walled = {mode for mode, periodic in zip(modes, x.is_torus, strict=True) if not periodic}
    if not walled or len(set(modes)) == 1:
        return ()
    return tuple("periodic" if periodic else mode for mode, periodic in zip(modes, x.is_torus, strict=True))
