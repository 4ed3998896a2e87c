"""The mean loss over a data set."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PyTree

from ginjax.ml.task import count_samples, take
from ginjax.ml.training._update import EvalStep


def mean_loss(
    step: EvalStep, model: PyTree, X: PyTree, Y: PyTree, batch_size: int, aux_data: PyTree
) -> float:
    """Compute the mean loss of a model over a data set, in inference mode, with a compiled step.

    Every sample counts once: the last, smaller batch is weighted by its size.

    **Arguments:**

    - `step`: from `make_eval_step`; it gets batches of `batch_size` samples, and one smaller batch for the rest.
    - `model`: the model.
    - `X`, `Y`: inputs and targets; samples run along the first axis of every block.
    - `batch_size`: samples evaluated at once.
    - `aux_data`: passed to the step; not changed.

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
    # One transfer at the end: to wait for every batch would keep the device idle in between.
    return float(np.average(np.asarray(jax.device_get(losses), dtype=np.float64), weights=weights))
