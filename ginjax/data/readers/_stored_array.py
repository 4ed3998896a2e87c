"""An array in a file, and those that hold one number for each trajectory."""

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

    - `shape`: of all of it.
    - `read`: reads a selection, one index or slice for each axis.
    - `problem`: why it cannot be used, if so.
    - `logical`: whether its values are true and false, as those of a mask are.
    - `labels`: the name of each axis, empty where it has none; nothing at all where no axis has one.
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
    - `arrays`: by name.
    - `trajectories`, `spatial`: of the file.
    """
    shapes = {(), (1,), (trajectories,), (trajectories, 1)}
    return {
        name: number_variable(
            f"{where}: '{name}'", partial(each.read, (slice(None),) * len(each.shape)), trajectories, spatial
        )
        for name, each in arrays.items()
        if each.problem is None and not each.logical and each.shape in shapes
    }
