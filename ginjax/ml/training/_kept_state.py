"""The state of a training in memory, from which the training can resume in the same program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from ginjax.errors import ArgumentError
from ginjax.ml.training._dispatch import TrainState, on_host
from ginjax.ml.training._progress import Progress


class KeptState:
    """The newest state of a training, kept in the memory of the host."""

    changes: tuple[Mapping[str, object], ...] = ()

    def __init__(self) -> None:
        self._kept: tuple[TrainState, Progress] | None = None

    def exists(self) -> bool:
        """Whether there is a state to resume from."""
        return self._kept is not None

    def save(self, state: TrainState, progress: Progress) -> None:
        """Store the state, replacing an older one."""
        self._kept = jax.tree.map(on_host, state), replace(progress)

    def load(self, like: TrainState) -> tuple[TrainState, Progress]:
        """Return the state, in its own arrays.

        **Arguments:**

        - `like`: a state of the same structure; it is ignored.

        **Raises:** `ArgumentError` if there is no state.
        """
        del like
        if self._kept is None:
            raise ArgumentError("state of the training", got="none", expected="one that was saved")
        state, progress = self._kept
        return jax.tree.map(_on_device, state), replace(progress)

    def remove(self) -> None:
        """Remove the state."""
        self._kept = None


def _on_device(leaf: object) -> object:
    return jnp.array(leaf, copy=True) if isinstance(leaf, np.ndarray) else leaf
