"""What a reader finds in a file, before anybody has said which of it to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from ginjax.data._axis_order import AxisOrder, AxisSlices
from ginjax.data._request import FieldRequest
from ginjax.errors import FileError

ReadSlice = Callable[[int, int, int], np.ndarray]
"""`(trajectory, start, stop) -> (stop - start, *spatial, D, ..., D)`; constants are asked for frames 0 to 1. One that is an
`AxisSlices` reads parts of the grid too."""


@dataclass(frozen=True)
class Variable:
    """One named quantity of a file.

    **Arguments:**

    - `k`: tensor order of its values as they are stored.
    - `read`: reads a slice, in any floating or whole-number type.
    - `varies`: whether it varies in time.
    - `problem`: why it cannot be used, if so.
    - `number`: of what is the same everywhere on the grid, reads the number of each trajectory, `(trajectories,)`, or one
      that holds for all, `(1,)`; see `number_variable`.
    """

    k: int
    read: ReadSlice
    varies: bool = True
    problem: str | None = None
    number: Callable[[], np.ndarray] | None = None

    def frames(
        self, trajectory: int, start: int, stop: int, box: Sequence[tuple[int, int]] | None = None
    ) -> np.ndarray:
        """Frames of a part of the grid, whose axes follow that of time; of all of it if `box` is None."""
        if box is None:
            return self.read(trajectory, start, stop)
        sides = tuple(slice(low, high) for low, high in box)
        if isinstance(self.read, AxisSlices):
            return self.read(trajectory, start, stop, sides)
        return self.read(trajectory, start, stop)[(slice(None), *sides)]


def number_variable(
    what: str, read: Callable[[], np.ndarray], trajectories: int, spatial: Sequence[int]
) -> Variable:
    """One number for each trajectory, or one for all, as a constant that is the same everywhere on the grid.

    **Arguments:**

    - `what`: the file and the name of the number, for messages.
    - `read`: reads them; any shape of so many values.
    - `trajectories`, `spatial`: of the file.
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
    """A file as its layout describes it.

    The first arguments are those of `Source`; further ones:

    **Arguments:**

    - `where`: the file, for messages.
    - `spacing`: one number, one for each axis where they differ (a tuple), or one for each trajectory (an array).
    - `time_step`: one number, or one for each trajectory (an array).
    - `variables`: all that could be used, by name.
    - `defaults`: the fields as the layout suggests them.
    - `unclear`: what the layout leaves open about the fields, as a question, or None.
    - `question`: what else it leaves open, whatever fields are named, and how to say it: `(question, hint)`, or None.
    - `read_as`: by the name of the array, the order of the axes in which it is read, where the file does not state it.
    - `lengths`: frames of each trajectory, if they differ.
    - `length_unit`, `time_unit`: the units of spacing and time step, if they are stated.
    - `boundaries_stated`: whether `is_torus` was read, not assumed.
    - `parities_stated`: names of fields whose parity was read, not assumed.
    - `parities_guessed`: whether all others are to be told of, as they were taken for even.
    - `reader`: the name of the reader that found it; known to `open_data`.
    - `close`: lets go of the file.
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
