"""The order in which samples are seen."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ginjax.errors import ArgumentError


def count_samples(X: Any, Y: Any) -> int:
    """Number of samples in inputs and targets.

    **Arguments:**

    - `X`, `Y`: pytrees of arrays whose first axis runs over samples.

    **Returns:** the length of that axis.

    **Raises:** `ArgumentError` if it is not the same everywhere, or zero.
    """
    lengths = {leaf.shape[0] for leaf in jax.tree.leaves((X, Y))}
    if len(lengths) != 1 or 0 in lengths:
        raise ArgumentError(
            "number of samples in the inputs and targets",
            got=sorted(lengths),
            expected="the same positive number in every block",
        )
    return lengths.pop()


def take(tree: Any, indices: np.ndarray) -> Any:
    """The samples of the given indices, from every array of a pytree."""
    return jax.tree.map(
        lambda leaf: leaf[indices] if isinstance(leaf, np.ndarray) else jnp.take(leaf, indices, axis=0), tree
    )


def epoch_batches(key: Array, samples: int, batch_size: int) -> np.ndarray:
    """One epoch: every sample in random order, in batches of equal size.

    When `batch_size` does not divide the number of samples, the last batch is filled up with samples from the
    beginning of the same order: none is left out, and every batch compiles to the same program.

    **Arguments:**

    - `key`: random key of the order.
    - `samples`: number of samples.
    - `batch_size`: samples in a batch.

    **Returns:** indices of shape `(ceil(samples / batch_size), batch_size)`.
    """
    order = np.asarray(jax.random.permutation(key, samples))
    batches = -(-samples // batch_size)
    return np.resize(order, (batches, batch_size))


class BatchOrder:
    """Batches without end: one random order of all samples after another; a batch may span two of them.

    Which samples a step sees depends on its number alone, so that training can go on from any step.

    **Arguments:**

    - `key`: random key of the orders.
    - `samples`: number of samples.
    - `batch_size`: samples in a batch.
    """

    def __init__(self, key: Array, samples: int, batch_size: int):
        self._key = key
        self._samples = samples
        self._batch_size = batch_size
        self._orders: dict[int, np.ndarray] = {}

    def between(self, start: int, stop: int) -> np.ndarray:
        """Indices of the steps `start` to `stop - 1`, counted from 0, of shape `(stop - start, batch_size)`."""
        first, end = start * self._batch_size, stop * self._batch_size
        epochs = range(first // self._samples, -(-end // self._samples))
        self._orders = {epoch: self._order(epoch) for epoch in epochs}
        seen = np.concatenate([self._orders[epoch] for epoch in epochs])
        offset = epochs.start * self._samples
        return seen[first - offset : end - offset].reshape(-1, self._batch_size)

    def _order(self, epoch: int) -> np.ndarray:
        if epoch in self._orders:
            return self._orders[epoch]
        return np.asarray(jax.random.permutation(jax.random.fold_in(self._key, epoch), self._samples))
