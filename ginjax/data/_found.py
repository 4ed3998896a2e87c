"""The content of a file as a reader finds it, before the user chooses what to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from ginjax.data._axis_order import AxisOrder, AxisSlices
from ginjax.data._request import FieldRequest
from ginjax.errors import FileError

ReadSlice = Callable[[int, int, int], np.ndarray]
"""`(trajectory, start, stop) -> (stop - start, *spatial, D, ..., D)`; constants are read as frames 0 to 1. An `AxisSlices` can
read a part of the grid, too.
"""


@dataclass(frozen=True)
class Variable:
    """One named quantity of a file.

    **Arguments:**

    - `k`: tensor order of the values as stored.
    - `read`: reads a slice, in any floating-point or integer type.
    - `varies`: whether it varies in time.
    - `problem`: why it cannot be used; None if it can.
    - `number`: for a quantity that is the same everywhere on the grid: reads one number for each trajectory, `(trajectories,)`,
      or one number for all, `(1,)`; see `number_variable`.
    """

    k: int
    read: ReadSlice
    varies: bool = True
    problem: str | None = None
    number: Callable[[], np.ndarray] | None = None

    def frames(
        self, trajectory: int, start: int, stop: int, box: Sequence[tuple[int, int]] | None = None
    ) -> np.ndarray:
        """Read frames of a part of the grid, with the time axis first; of the whole grid if `box` is None."""
        if box is None:
            return self.read(trajectory, start, stop)
        sides = tuple(slice(low, high) for low, high in box)
        if isinstance(self.read, AxisSlices):
            return self.read(trajectory, start, stop, sides)
        return self.read(trajectory, start, stop)[(slice(None), *sides)]


def number_variable(
    what: str, read: Callable[[], np.ndarray], trajectories: int, spatial: Sequence[int]
) -> Variable:
    """Make a constant that is the same everywhere on the grid from one number for each trajectory, or one number for all.

    **Arguments:**

    - `what`: the file and the name of the number, for messages.
    - `read`: reads the numbers, as an array of any shape with that many values.
    - `trajectories`, `spatial`: number of trajectories and grid of the file.
    """

    @cache
    def number() -> np.ndarray:
        found = np.asarray(read(), np.float64).reshape(-1)
        if found.size not in (1, trajectories):
            raise FileError(
                what, got=f"{found.size} numbers", expected=f"{trajectories}, one for each trajectory, or one"
            )
        return found

    def spread(trajectory: int, start: int, stop: int, box: tuple[slice, ...]) -> np.ndarray:
        found = number()
        sides = [len(range(n)[part]) for n, part in zip(spatial, box, strict=True)] if box else spatial
        return np.broadcast_to(found[trajectory % found.size], (stop - start, *sides))

    return Variable(0, AxisSlices(spread), varies=False, number=number)


def _nothing_open() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Found:
    """The content of a file, as its layout describes it.

    **Arguments:** those of `Source` with the same names, and:

    - `where`: the file, for messages.
    - `spacing`: one number; one for each axis if they differ (a tuple); or one for each trajectory (an array).
    - `time_step`: one number, or one for each trajectory (an array).
    - `variables`: all usable variables, by name.
    - `defaults`: the fields that the layout suggests.
    - `unclear`: a question about the fields that the layout leaves open, or None.
    - `question`: another open question, which does not depend on the chosen fields, and how to answer it: `(question, hint)`, or
      None.
    - `read_as`: by array name, the order in which its axes are read, if the file does not state it.
    - `lengths`: frames of each trajectory, if they differ.
    - `length_unit`, `time_unit`: the units of spacing and time step, if the file states them.
    - `boundaries_stated`: whether the file states `is_torus`; otherwise it is assumed.
    - `parities_stated`: names of the fields whose parity the file states.
    - `parities_guessed`: whether to tell the user that all other fields are taken as even.
    - `reader`: name of the reader that recognised the file, set by `open_data`.
    - `close`: closes the file.
    """

    where: str
    layout: str
    D: int
    spatial: tuple[int, ...]
    spacing: float | tuple[float, ...] | np.ndarray | None
    time_step: float | np.ndarray | None
    is_torus: tuple[bool, ...]
    trajectories: int
    frames: int
    variables: Mapping[str, Variable]
    defaults: tuple[FieldRequest, ...]
    split: str | None = None
    origin: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unclear: str | None = None
    question: tuple[str, str] | None = None
    read_as: Mapping[str, AxisOrder] = field(default_factory=dict)
    lengths: tuple[int, ...] | None = None
    length_unit: str | None = None
    time_unit: str | None = None
    boundaries_stated: bool = False
    parities_stated: frozenset[str] = frozenset()
    parities_guessed: bool = False
    reader: str = ""
    close: Callable[[], None] = _nothing_open
