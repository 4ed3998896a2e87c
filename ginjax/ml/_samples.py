"""Where training samples come from."""

from __future__ import annotations

from typing import Any, Protocol

import jax
import numpy as np

from ginjax.ml._batches import count_samples, take


class Samples(Protocol):
    """Numbered pairs of input and target, such as `ginjax.data.Windows`."""

    def __len__(self) -> int: ...

    def take(self, indices: np.ndarray) -> tuple[Any, Any]:
        """The samples of these numbers, as inputs and targets whose first axis runs over `indices`."""
        ...


class ArraySamples:
    """Samples that lie in memory.

    **Arguments:**

    - `X`, `Y`: inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.

    **Raises:** `ArgumentError` if their numbers of samples differ.
    """

    def __init__(self, X: Any, Y: Any):
        self._count = count_samples(X, Y)
        self.X = X
        self.Y = Y

    def __len__(self) -> int:
        return self._count

    def take(self, indices: np.ndarray) -> tuple[Any, Any]:
        return take((self.X, self.Y), indices)

    @property
    def on_device(self) -> bool:
        """Whether the arrays are JAX's already, so that handing them over whole costs nothing."""
        return all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves((self.X, self.Y)))
