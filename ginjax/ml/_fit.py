"""Training for a fixed number of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import jax
import numpy as np
import optax

from ginjax.errors import ArgumentError
from ginjax.ml._batches import batch_stream, count_samples, take
from ginjax.ml._finite import check_losses
from ginjax.ml._step import MapAndLoss, make_step, owned_copy, trainable


@dataclass(frozen=True)
class History:
    """What happened during training.

    **Arguments:**

    - `losses`: the loss of every step.
    - `aux_data`: the state after the last step, such as batch statistics.
    """

    losses: list[float] = field(default_factory=list)
    aux_data: Any = None


def fit(
    model: Any,
    X: Any,
    Y: Any,
    *,
    loss: Callable[[Any, Any], jax.Array],
    steps: int,
    batch_size: int,
    optimizer: optax.GradientTransformation,
    key: jax.Array,
    on_step: Callable[[int, float], None] | None = None,
    fetch_every: int = 10,
    aux_data: Any = None,
) -> tuple[Any, History]:
    """Train a model for a number of steps.

    Batches are cut from one random order of all samples after another, so no sample is left out and all batches
    have the same shape. The same key gives the same bytes on the same machine.

    **Arguments:**

    - `model`: `(x, aux_data) -> (y, aux_data)` for one sample; it stays usable.
    - `X`, `Y`: inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `loss`: `(prediction, target) -> scalar`, both batched.
    - `steps`: number of steps.
    - `batch_size`: samples in a step.
    - `optimizer`: an optax transformation.
    - `key`: random key of the orders.
    - `on_step`: called as `on_step(steps done, latest loss)` every `fetch_every` steps and at the end; what it
      raises ends the training.
    - `fetch_every`: steps between two looks at the loss; looking at every one would stall the device.
    - `aux_data`: state handed from step to step.

    **Returns:** the trained model and its `History`.

    **Raises:** `ArgumentError` for data that do not fit, `NumericsError` when the loss is NaN or infinite.
    """
    samples = count_samples(X, Y)
    for name, value in (("steps", steps), ("batch_size", batch_size), ("fetch_every", fetch_every)):
        if value < 1:
            raise ArgumentError(name, got=value, expected="at least 1")
    step = make_step(batched(loss), optimizer)
    model, aux_data = owned_copy((model, aux_data))
    opt_state = owned_copy(optimizer.init(trainable(model)))
    losses: list[float] = []
    pending: list[jax.Array] = []
    for indices in islice(batch_stream(key, samples, batch_size), steps):
        x, y = take((X, Y), indices)
        model, opt_state, value, aux_data = step(model, opt_state, x, y, aux_data)
        pending.append(value)
        done = len(losses) + len(pending)
        if len(pending) == fetch_every or done == steps:
            values = np.asarray(jax.device_get(pending), dtype=np.float64)
            check_losses(values, first_step=len(losses) + 1)
            losses.extend(values.tolist())
            pending.clear()
            if on_step is not None:
                on_step(done, losses[-1])
    return model, History(losses, aux_data)


def batched(loss: Callable[[Any, Any], jax.Array]) -> MapAndLoss:
    """Turn a loss on batches into a `map_and_loss` for models of one sample.

    **Arguments:**

    - `loss`: `(prediction, target) -> scalar`, both batched.

    **Returns:** `(model, x_batch, y_batch, aux_data) -> (scalar, aux_data)`; the batch axis is named "batch".
    """

    def map_and_loss(model: Any, x: Any, y: Any, aux_data: Any) -> tuple[jax.Array, Any]:
        mapped = jax.vmap(model, in_axes=(0, None), out_axes=(0, None), axis_name="batch")
        prediction, aux_data = mapped(x, aux_data)
        return loss(prediction, y), aux_data

    return map_and_loss
