"""Samples: numbered pairs of an input and a target."""

from __future__ import annotations

from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, PyTree

from ginjax.errors import ArgumentError


class Samples(Protocol):
    """Numbered pairs of an input and a target, such as `ginjax.data.Windows`."""

    def __len__(self) -> int: ...

    def take(self, indices: Int[np.ndarray, " batch"]) -> tuple[PyTree, PyTree]:
        """Return inputs and targets of the samples with these numbers; their first axis runs over `indices`."""
        ...


class ArraySamples:
    """Samples in memory.

    **Arguments:**

    - `X`, `Y`: inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.

    **Raises:** `ArgumentError` if their numbers of samples differ.
    """

    def __init__(self, X: PyTree, Y: PyTree):
        self._count = count_samples(X, Y)
        self.X = X
        self.Y = Y

    def __len__(self) -> int:
        return self._count

    def take(self, indices: Int[np.ndarray, " batch"]) -> tuple[PyTree, PyTree]:
        """Return inputs and targets of the samples with these numbers."""
        return take((self.X, self.Y), indices)

    @property
    def on_device(self) -> bool:
        """Whether the arrays are JAX arrays already, so that passing them as a whole costs nothing."""
        return all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves((self.X, self.Y)))


def count_samples(X: PyTree, Y: PyTree) -> int:
    """Count the samples in inputs and targets.

    **Arguments:**

    - `X`, `Y`: pytrees of arrays whose first axis runs over samples.

    **Returns:** the length of that axis.

    **Raises:** `ArgumentError` if it is zero, or not the same in all arrays.
    """
    lengths = {leaf.shape[0] for leaf in jax.tree.leaves((X, Y))}
    if len(lengths) != 1 or 0 in lengths:
        raise ArgumentError(
            "number of samples in the inputs and targets",
            got=sorted(lengths),
            expected="the same positive number in every block",
        )
    return lengths.pop()


def take(tree: PyTree, indices: Int[np.ndarray, " batch"]) -> PyTree:
    """Take the samples with the given indices from every array of a pytree."""
    return jax.tree.map(
        lambda leaf: leaf[indices] if isinstance(leaf, np.ndarray) else jnp.take(leaf, indices, axis=0), tree
    )
