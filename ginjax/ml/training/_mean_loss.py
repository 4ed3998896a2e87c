"""The mean loss over a data set."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from ginjax.errors import ArgumentError
from ginjax.ml.task import count_samples, take
from ginjax.ml.training._update import EvalStep, MapAndLoss, make_eval_step


def evaluate(
    model: PyTree, X: PyTree, Y: PyTree, map_and_loss: MapAndLoss, batch_size: int, aux_data: PyTree = None
) -> float:
    """The mean loss of a model over a data set, in inference mode.

    Every sample counts once: the last, smaller batch is weighted by its size.

    **Arguments:**

    - `model`: the model.
    - `X`, `Y`: inputs and targets, samples along the first axis of every block.
    - `map_and_loss`: `(model, x_batch, y_batch, aux_data) -> (scalar loss, aux_data)`.
    - `batch_size`: samples evaluated at once.
    - `aux_data`: handed to `map_and_loss`; not changed.

    **Returns:** the mean loss.

    **Raises:** `ArgumentError` if inputs and targets differ in length.
    """
    if batch_size < 1:
        raise ArgumentError("batch_size", got=batch_size, expected="at least 1")
    return mean_loss(make_eval_step(map_and_loss), model, X, Y, batch_size, aux_data)


def mean_loss(
    step: EvalStep, model: PyTree, X: PyTree, Y: PyTree, batch_size: int, aux_data: PyTree
) -> float:
    """`evaluate` with a step that is compiled already.

    **Arguments:**

    - `step`: from `make_eval_step`; it is given batches of `batch_size` samples and the smaller one left over.
    - `model`, `X`, `Y`, `batch_size`, `aux_data`: as in `evaluate`.

    **Returns:** the mean loss.
    """
    samples = count_samples(X, Y)
    model = eqx.nn.inference_mode(model)
    losses, weights = [], []
    for start in range(0, samples, batch_size):
        indices = np.arange(start, min(start + batch_size, samples))
        x, y = take((X, Y), indices)
        losses.append(step(model, x, y, aux_data))
        weights.append(indices.size)
    # One transfer at the end: waiting for every batch would keep the device idle in between.
    return float(np.average(np.asarray(jax.device_get(losses), dtype=np.float64), weights=weights))
