"""The validation loss of a training."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int, PyTree

from ginjax.ml.task import ArraySamples, Samples, take
from ginjax.ml.training._devices import Placement
from ginjax.ml.training._mean_loss import mean_loss
from ginjax.ml.training._update import MapAndLoss, make_eval_step

HELD_BYTES = 2**28
"""Validation samples up to this size stay in memory."""


def validator(
    samples: Samples, map_and_loss: MapAndLoss, batch_size: int, placement: Placement | None = None
) -> Callable[[PyTree, PyTree], float]:
    """Make the mean loss over all samples as a function `(model, aux_data) -> loss`, compiled once.

    **Arguments:**

    - `samples`: the samples; if they are larger than `HELD_BYTES`, they are read again for every validation.
    - `map_and_loss`: as in training, but without random numbers.
    - `batch_size`: samples evaluated at once.
    - `placement`: devices of one process, which share the work on a batch if its size is divisible by their number.
    """
    where = placement if placement is not None and placement.processes == 1 else Placement()

    def divided(model: PyTree, x: PyTree, y: PyTree, aux_data: PyTree) -> tuple[Float[Array, ""], PyTree]:
        if jax.tree.leaves(x)[0].shape[0] % where.shares == 0:
            x, y = where.constrain((x, y))
        return map_and_loss(model, x, y, aux_data)

    step = make_eval_step(divided)
    numbers = np.arange(len(samples))
    parts = [numbers[start : start + 8 * batch_size] for start in range(0, len(numbers), 8 * batch_size)]
    held = _held(samples, numbers)

    def evaluate(model: PyTree, aux_data: PyTree) -> float:
        total = 0.0
        for part in parts:
            X, Y = samples.take(part) if held is None else take(held, part)
            total += mean_loss(step, model, X, Y, batch_size, aux_data) * len(part)
        return total / len(samples)

    return evaluate


def _held(samples: Samples, numbers: Int[np.ndarray, " batch"]) -> tuple[PyTree, PyTree] | None:
    """All samples, if they are in memory or small enough to be held there; None otherwise."""
    if isinstance(samples, ArraySamples):
        return samples.X, samples.Y
    one = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(samples.take(numbers[:1])))
    return samples.take(numbers) if one * len(numbers) <= HELD_BYTES else None
