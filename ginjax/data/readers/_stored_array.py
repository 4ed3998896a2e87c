"""An array in a file, and arrays that hold one number for each trajectory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ginjax.data._found import Variable, number_variable


@dataclass(frozen=True)
class StoredArray:
    """An array in a file.

    **Arguments:**

    - `shape`: its shape.
    - `read`: reads a selection, one index or slice for each axis.
    - `problem`: why it cannot be used; None if it can.
    - `logical`: whether its values are true and false, as in a mask.
    - `labels`: the name of each axis, empty if it has none; an empty tuple if no axis has a name.
    """

    shape: tuple[int, ...]
    read: Callable[[tuple[int | slice, ...]], np.ndarray]
    problem: str | None = None
    logical: bool = False
    labels: tuple[str, ...] = ()


def numbers_among(
    where: str, arrays: Mapping[str, StoredArray], trajectories: int, spatial: tuple[int, ...]
) -> dict[str, Variable]:
    """The arrays that hold one number, or one for each trajectory.

    **Arguments:**

    - `where`: the file, for messages.
    - `arrays`: the arrays by name.
    - `trajectories`, `spatial`: number of trajectories and grid of the file.
    """
    shapes = {(), (1,), (trajectories,), (trajectories, 1)}
    return {
        name: number_variable(
            f"{where}: '{name}'", partial(each.read, (slice(None),) * len(each.shape)), trajectories, spatial
        )
        for name, each in arrays.items()
        if each.problem is None and not each.logical and each.shape in shapes
    }
