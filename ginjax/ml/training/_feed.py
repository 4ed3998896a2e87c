"""Feed the device: the mini-batches of several steps, in memory that it can reach."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import Int, PRNGKeyArray, PyTree, Shaped

from ginjax.data import Crops
from ginjax.geometric import AnyArray
from ginjax.ml.task import ArraySamples, Samples
from ginjax.ml.training._devices import Placement

RESIDENT_BYTES = 2**30
"""Data up to this size stay on the devices if they do not report how much memory they have."""

CHUNK_BYTES = 2**27
"""Intended size of the samples that are sent to the device at once."""


class Feed(eqx.Module):
    """The batches of a few steps."""

    @property
    @abc.abstractmethod
    def length(self) -> int:
        """The number of steps whose losses are kept."""

    @abc.abstractmethod
    def batch(self, i: Int[Array, ""]) -> tuple[PyTree, PyTree]:
        """Return inputs and targets of the `i`-th step; for use inside a compiled function."""


class Resident(Feed):
    """Batches picked on the device from all samples."""

    X: PyTree
    Y: PyTree
    indices: Int[AnyArray, "steps batch"]

    @property
    def length(self) -> int:
        return self.indices.shape[0]

    def batch(self, i: Int[Array, ""]) -> tuple[PyTree, PyTree]:
        chosen = self.indices[i]
        return jax.tree.map(lambda leaf: leaf[chosen], (self.X, self.Y))


class Streamed(Feed):
    """Batches sent to the device one after the other, as arrays `(steps, batch, ...)`."""

    X: PyTree
    Y: PyTree

    @property
    def length(self) -> int:
        return jax.tree.leaves(self.X)[0].shape[0]

    def batch(self, i: Int[Array, ""]) -> tuple[PyTree, PyTree]:
        return jax.tree.map(lambda leaf: leaf[i], (self.X, self.Y))


class Drawn(Feed):
    """Endless batches, drawn with replacement from the first `pairs` of all samples; only the first loss is kept.

    The batch of a step depends only on `key` and the number of the step.
    """

    X: PyTree
    Y: PyTree
    pairs: Int[Array, ""]
    key: PRNGKeyArray
    batch_size: int = eqx.field(static=True)

    @property
    def length(self) -> int:
        return 1

    def batch(self, i: Int[Array, ""]) -> tuple[PyTree, PyTree]:
        chosen = jax.random.randint(jax.random.fold_in(self.key, i), (self.batch_size,), 0, self.pairs)
        return jax.tree.map(lambda leaf: leaf[chosen], (self.X, self.Y))


class Loader:
    """A loader that makes feeds from samples: all on the device if they fit, otherwise a few batches at a time, read ahead.

    **Arguments:**

    - `samples`: the samples.
    - `batch_size`: samples in a step.
    - `most_steps`: the most steps of a feed.
    - `placement`: the devices.
    """

    def __init__(self, samples: Samples, batch_size: int, most_steps: int, placement: Placement):
        self._samples = samples
        self._placement = placement
        self._share = placement.own_share(batch_size)
        one = samples.take(np.arange(1))
        sample_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(one))
        ready = isinstance(samples, ArraySamples) and samples.on_device
        endless = isinstance(samples, Crops)
        fits = ready or (not endless and sample_bytes * len(samples) <= _room(placement))
        # Processes read only their own share, so none of them holds all samples.
        self.resident = fits and placement.processes == 1
        self.steps = most_steps
        self._all: tuple[PyTree, PyTree] | None = None
        if self.resident:
            whole = (samples.X, samples.Y) if isinstance(samples, ArraySamples) else _everything(samples)
            whole = jax.tree.map(jax.numpy.asarray, whole)
            self._all = placement.replicate(whole)
        else:
            share = (self._share.stop - self._share.start) * sample_bytes
            self.steps = max(1, min(most_steps, CHUNK_BYTES // max(share, 1)))

    def feeds(self, batches: Iterable[Int[np.ndarray, "steps batch"]]) -> Iterator[Feed]:
        """Yield one feed for each array of indices; the next one is read while one is in use."""
        if self.resident:
            yield from map(self._make, batches)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="samples") as reader:
            ahead: Future[Feed] | None = None
            for indices in batches:
                ready, ahead = ahead, reader.submit(self._make, indices)
                if ready is not None:
                    yield ready.result()
            if ahead is not None:
                yield ahead.result()

    def _make(self, indices: Int[np.ndarray, "steps batch"]) -> Feed:
        # Every feed is filled up to the same shape with batches that no step uses, so that one program serves all.
        padded = np.concatenate([indices, np.broadcast_to(indices[:1], (self.steps, *indices.shape[1:]))])
        padded = padded[: self.steps]
        if self._all is not None:
            return Resident(*self._all, padded)
        own = padded[: len(indices), self._share]
        samples = self._samples.take(own.ravel())

        def stacked(leaf: Shaped[AnyArray, "..."]) -> Shaped[np.ndarray, "steps batch *rest"]:
            block = np.asarray(leaf).reshape(*own.shape, *leaf.shape[1:])
            missing = self.steps - len(block)
            return np.pad(block, [(0, missing)] + [(0, 0)] * (block.ndim - 1)) if missing else block

        X, Y = self._placement.divide(jax.tree.map(stacked, samples))
        return Streamed(X, Y)


def _everything(samples: Samples) -> tuple[PyTree, PyTree]:
    """Read all samples, in parts so that the reader's own memory stays small."""
    parts = [
        samples.take(np.arange(start, min(start + 256, len(samples))))
        for start in range(0, len(samples), 256)
    ]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def _room(placement: Placement) -> int:
    """The size in bytes of the samples that may stay on each device."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] // 4
    # Every device has a copy of its own, and cores of a processor have one memory.
    return RESIDENT_BYTES // (placement.shares if placement.is_processor else 1)
