"""Values of data that are no finite numbers: how many there are, and where the first one stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class NotFinite:
    """The values of one field that are NaN or infinite.

    **Arguments:**

    - `field`: its name.
    - `count`, `values`: how many of its values they are.
    - `trajectories`: in how many trajectories there are any.
    - `trajectory`, `frame`, `point`: where the first one stands, counted from 0; of a constant the frame is None.
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
        """One line, such as a warning."""
        frame = "" if self.frame is None else f", frame {self.frame}"
        several = "" if self.trajectories == 1 else f", in {self.trajectories} trajectories"
        at = ", ".join(map(str, self.point))
        return (
            f"field '{self.field}': NaN or infinity in {self.count} of {self.values} values{several}, first in trajectory "
            f"{self.trajectory}{frame}, grid point ({at})"
        )


class NotFiniteCount:
    """Counts the values that are NaN or infinite while data go by, block by block."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._in: dict[str, set[int]] = {}
        self._first: dict[str, tuple[int, int | None, tuple[int, ...]]] = {}

    def note(
        self, field: str, block: Float[np.ndarray, ...], D: int, trajectory: int, start: int | None = None
    ) -> None:
        """Take the values of a field as they are stored.

        **Arguments:**

        - `field`: its name.
        - `block`: the frames of a trajectory, then axes of space, then components; of a constant without frames.
        - `D`: the dimension of space.
        - `trajectory`: which one; `start`: its first frame, None for a constant.
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
