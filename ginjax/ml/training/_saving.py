"""Where and how often a training keeps its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ginjax.ml.training._dispatch import TrainState
from ginjax.ml.training._progress import Progress


class StateStore(Protocol):
    """Where the state of a training is kept: a `RunFile`, or a `KeptState` in memory."""

    @property
    def changes(self) -> tuple[Mapping[str, object], ...]:
        """Settings that were changed since the training began, known once a state was loaded."""
        ...

    def exists(self) -> bool:
        """Whether there is a state to go on from."""
        ...

    def save(self, state: TrainState, progress: Progress) -> None:
        """Keep the state, in place of an older one."""
        ...

    def load(self, like: TrainState) -> tuple[TrainState, Progress]:
        """The state that was kept, of the structure of `like`."""
        ...

    def remove(self) -> None:
        """Forget the state."""
        ...


@dataclass(frozen=True)
class Saving:
    """How a training saves checkpoints of its state.

    **Arguments:**

    - `file`: where; a state that is there and not gone on from is removed.
    - `resume`: go on from that state if there is one.
    - `every_steps`, `every_seconds`: between two saved states; None for never.
    - `keep`: whether the state is saved in the end too, from which the training can be extended.
    """

    file: StateStore
    resume: bool = False
    every_steps: int | None = None
    every_seconds: float | None = None
    keep: bool = False
