"""NaN and infinite values in data: how many there are, and where the first one is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class NotFinite:
    """The NaN and infinite values of one field.

    **Arguments:**

    - `field`: name of the field.
    - `count`, `values`: number of such values, and of all values of the field.
    - `trajectories`: number of trajectories that have any.
    - `trajectory`, `frame`, `point`: where the first one is, counted from 0; the frame of a constant is None.
    """

    field: str
    count: int
    values: int
    trajectories: int
    trajectory: int
    frame: int | None
    point: tuple[int, ...]

    @property
    def in_words(self) -> str:
        """One line for a message, such as a warning."""
        frame = "" if self.frame is None else f", frame {self.frame}"
        several = "" if self.trajectories == 1 else f", in {self.trajectories} trajectories"
        at = ", ".join(map(str, self.point))
        return (
            f"field '{self.field}': NaN or infinity in {self.count} of {self.values} values{several}, first in trajectory "
            f"{self.trajectory}{frame}, grid point ({at})"
        )


class NotFiniteCount:
    """Counts NaN and infinite values while data are processed block by block."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._in: dict[str, set[int]] = {}
        self._first: dict[str, tuple[int, int | None, tuple[int, ...]]] = {}

    def note(
        self, field: str, block: Float[np.ndarray, ...], D: int, trajectory: int, start: int | None = None
    ) -> None:
        """Count the values of a block as it is stored.

        **Arguments:**

        - `field`: name of the field.
        - `block`: frames of one trajectory, then spatial axes, then components; the block of a constant has no axis of frames.
        - `D`: number of spatial dimensions.
        - `trajectory`: index of the trajectory; `start`: its first frame, None for a constant.
        """
        bad = ~np.isfinite(block)
        count = int(np.count_nonzero(bad))
        self._values[field] = self._values.get(field, 0) + block.size
        if not count:
            return
        self._counts[field] = self._counts.get(field, 0) + count
        self._in.setdefault(field, set()).add(trajectory)
        if field not in self._first:
            where = [int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape)]
            frame = None if start is None else start + where.pop(0)
            self._first[field] = trajectory, frame, tuple(where[:D])

    @property
    def found(self) -> tuple[NotFinite, ...]:
        """The fields that have such values."""
        return tuple(
            NotFinite(field, self._counts[field], self._values[field], len(self._in[field]), *first)
            for field, first in self._first.items()
        )
