"""Where and how often a training keeps its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ginjax.ml.training._dispatch import TrainState
from ginjax.ml.training._progress import Progress


class StateStore(Protocol):
    """A store for the state of a training: a `RunFile`, or a `KeptState` in memory."""

    @property
    def changes(self) -> tuple[Mapping[str, object], ...]:
        """Changes of settings since the training began; known after a state was loaded."""
        ...

    def exists(self) -> bool:
        """Whether there is a state to resume from."""
        ...

    def save(self, state: TrainState, progress: Progress) -> None:
        """Store the state, replacing an older one."""
        ...

    def load(self, like: TrainState) -> tuple[TrainState, Progress]:
        """Return the stored state, with the structure of `like`."""
        ...

    def remove(self) -> None:
        """Remove the state."""
        ...


@dataclass(frozen=True)
class Saving:
    """How a training saves checkpoints of its state.

    **Arguments:**

    - `file`: where to save. An existing state is removed if the training does not resume from it.
    - `resume`: resume from the existing state if there is one.
    - `every_steps`, `every_seconds`: steps or seconds between two saved states; None for never.
    - `keep`: whether to save the state at the end too, so that the training can be extended.
    """

    file: StateStore
    resume: bool = False
    every_steps: int | None = None
    every_seconds: float | None = None
    keep: bool = False
