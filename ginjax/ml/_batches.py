"""The order in which samples are seen."""

from __future__ import annotations

from collections.abc import Iterator
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


def batch_stream(key: Array, samples: int, batch_size: int) -> Iterator[np.ndarray]:
    """Batches without end: one random order of all samples after another; a batch may span two of them.

    **Arguments:**

    - `key`: random key of the orders.
    - `samples`: number of samples.
    - `batch_size`: samples in a batch.

    **Returns:** an iterator over index arrays of shape `(batch_size,)`.
    """
    left = np.empty(0, dtype=int)
    epoch = 0
    while True:
        while left.size < batch_size:
            order = jax.random.permutation(jax.random.fold_in(key, epoch), samples)
            left = np.concatenate([left, np.asarray(order)])
            epoch += 1
        yield left[:batch_size]
        left = left[batch_size:]
