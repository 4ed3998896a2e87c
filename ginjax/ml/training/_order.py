"""The random order in which training sees its samples."""

from __future__ import annotations

from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, PRNGKeyArray

MOST_DRAWS = 2**31
"""The number of crops that can be drawn from one sample."""


class Order(Protocol):
    """The samples that each step sees."""

    def between(self, start: int, stop: int) -> Int[np.ndarray, "steps batch"]:
        """Return the numbers of the samples of steps `start` to `stop - 1`, `batch_size` for each step."""
        ...


class MakeOrder(Protocol):
    """A function that makes the order of a training, as the classes `BatchOrder` and `EpochOrder` do."""

    def __call__(self, key: PRNGKeyArray, samples: int, batch_size: int, /) -> Order: ...


def training_key(seed: int) -> PRNGKeyArray:
    """Make the random key of a training, for the order of its samples and for its noise.

    Initial weights are drawn from `jax.random.key(seed)`. This key is derived from the seed in another way (NumPy's spawned
    seed sequences), so the two share no random numbers.
    """
    bits = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(2, np.uint32)
    return jax.random.wrap_key_data(jnp.asarray(bits), impl="threefry2x32")


def training_keys(key: PRNGKeyArray) -> tuple[PRNGKeyArray, PRNGKeyArray]:
    """Make the two random keys of a training: for the order of the samples, and for random numbers within a step.

    Both are made once, at the beginning of a training. With one key for both, epoch `n` and step `n` would draw the same
    numbers.

    **Arguments:**

    - `key`: random key of the training; use it for nothing else.
    """
    order, step = jax.random.split(key)
    return order, step


class _Orders:
    """Successive random orders of all samples, each repeated or cut to a length, divided into batches.

    The samples of a step depend only on its number, so training can resume from any step.
    """

    def __init__(self, key: PRNGKeyArray, samples: int, batch_size: int, length: int):
        self._key = key
        self._samples = samples
        self._batch_size = batch_size
        self._length = length
        self._orders: dict[int, Int[np.ndarray, " samples"]] = {}

    def between(self, start: int, stop: int) -> Int[np.ndarray, "steps batch"]:
        """Return the numbers of the samples of steps `start` to `stop - 1`, `batch_size` for each step."""
        first, end = start * self._batch_size, stop * self._batch_size
        epochs = range(first // self._length, -(-end // self._length))
        self._orders = {epoch: self._order(epoch) for epoch in epochs}
        seen = np.concatenate([self._orders[epoch] for epoch in epochs])
        offset = epochs.start * self._length
        return seen[first - offset : end - offset].reshape(-1, self._batch_size)

    def _order(self, epoch: int) -> Int[np.ndarray, " samples"]:
        if epoch in self._orders:
            return self._orders[epoch]
        order = jax.random.permutation(jax.random.fold_in(self._key, epoch), self._samples)
        return np.resize(np.asarray(order), self._length)


class BatchOrder(_Orders):
    """Endless batches from successive random orders of all samples; a batch may span two of them.

    **Arguments:**

    - `key`: random key of the orders.
    - `samples`: number of samples.
    - `batch_size`: samples in a batch.
    """

    def __init__(self, key: PRNGKeyArray, samples: int, batch_size: int):
        super().__init__(key, samples, batch_size, samples)


class CropOrder(BatchOrder):
    """The order of `BatchOrder`, in which each sample is a newly drawn crop, see `ginjax.data.Crops`.

    The crop depends only on the key and the number of the step, like the order itself.

    **Arguments:**

    - `key`, `samples`, `batch_size`: as in `BatchOrder`.
    """

    def __init__(self, key: PRNGKeyArray, samples: int, batch_size: int):
        super().__init__(key, samples, batch_size)
        self._bits = np.asarray(jax.random.key_data(key)).ravel().tolist()

    def between(self, start: int, stop: int) -> Int[np.ndarray, "steps batch"]:
        """Return the numbers of the samples of steps `start` to `stop - 1`, `batch_size` for each step."""
        drawn = [
            np.random.default_rng([*self._bits, step]).integers(1, MOST_DRAWS, size=self._batch_size)
            for step in range(start, stop)
        ]
        return super().between(start, stop).astype(np.int64) + self._samples * np.stack(drawn)


class EpochOrder(_Orders):
    """Epochs of `ceil(samples / batch_size)` batches; each epoch is a random order of all samples.

    If `batch_size` does not divide the number of samples, the last batch of an epoch is filled up with samples
    from the beginning of the same order. So no sample is left out, and every batch uses the same compiled program.

    **Arguments:**

    - `key`: random key of the orders.
    - `samples`: number of samples.
    - `batch_size`: samples in a batch.
    """

    def __init__(self, key: PRNGKeyArray, samples: int, batch_size: int):
        super().__init__(key, samples, batch_size, -(-samples // batch_size) * batch_size)
