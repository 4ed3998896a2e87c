"""Training by epochs until a stop condition says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import optax

from ginjax.errors import ArgumentError
from ginjax.ml._batches import count_samples, epoch_batches
from ginjax.ml._dispatch import initial_state, make_dispatch
from ginjax.ml._evaluate import mean_loss
from ginjax.ml._feed import Loader
from ginjax.ml._finite import check_losses
from ginjax.ml._io import save
from ginjax.ml._placement import over_devices
from ginjax.ml._plan import MOST_STEPS
from ginjax.ml._samples import ArraySamples
from ginjax.ml._step import MapAndLoss, make_eval_step, owned_copy
from ginjax.ml._stopping import StopCondition

_SAVE_EVERY = 10


def train(
    X: Any,
    Y: Any,
    map_and_loss: MapAndLoss,
    model: Any,
    rand_key: jax.Array,
    stop_condition: StopCondition,
    batch_size: int,
    optimizer: optax.GradientTransformation,
    validation_X: Any = None,
    validation_Y: Any = None,
    save_model: str | None = None,
    devices: Sequence[Any] | None = None,
    aux_data: Any = None,
    progress: Callable[[int, float, float | None], None] | None = None,
) -> tuple[Any, Any, float | None, float | None]:
    """Train a model epoch by epoch.

    Every epoch sees every sample. If `batch_size` does not divide their number, the last batch is filled up with
    samples from the beginning of the epoch, so that all batches have one shape and nothing is left out; a
    `batch_size` above the number of samples is lowered to it. The validation loss counts each sample once.

    **Arguments:**

    - `X`, `Y`: inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `map_and_loss`: `(model, x_batch, y_batch, aux_data) -> (scalar loss, aux_data)`.
    - `model`: the model to start from; it stays usable.
    - `rand_key`: random key of the epochs' orders; the same key gives the same result.
    - `stop_condition`: ends the training and chooses the model.
    - `batch_size`: samples in a step.
    - `optimizer`: an optax transformation.
    - `validation_X`, `validation_Y`: evaluated in inference mode after every epoch.
    - `save_model`: a file that the best model so far is saved to every tenth epoch and at the end.
    - `devices`: JAX devices each batch is divided over; the default device unless given.
    - `aux_data`: state handed from step to step, such as batch statistics.
    - `progress`: called as `progress(epoch, train_loss, val_loss)` after every epoch.

    **Returns:** `(model, aux_data, train_loss, val_loss)`: the stop condition's best model with the `aux_data` of
    the epoch it is from, and the losses of the last epoch (None where there is none).

    **Raises:** `ArgumentError` for data that do not fit, `NumericsError` when a loss is NaN or infinite.
    """
    samples = count_samples(X, Y)
    if (validation_X is None) != (validation_Y is None):
        raise ArgumentError("validation data", got="one of validation_X, validation_Y", expected="both")
    shards = len(devices) if devices else 1
    batch_size = min(batch_size, samples // shards * shards)
    if batch_size < 1 or batch_size % shards:
        raise ArgumentError(
            "batch_size",
            got=batch_size,
            expected=f"a positive multiple of the {shards} devices",
            hint=f"There are {samples} samples.",
        )
    placement = over_devices(devices)
    batches = -(-samples // batch_size)
    loader = Loader(ArraySamples(X, Y), batch_size, min(batches, MOST_STEPS), placement)
    dispatch = make_dispatch(map_and_loss, optimizer, shards=shards, placement=placement)
    eval_steps = make_eval_step(map_and_loss, shards), make_eval_step(map_and_loss)

    state = placement.replicate(initial_state(model, optimizer, aux_data))
    train_loss = val_loss = None
    epoch, epoch_time, steps_done = 0, 0.0, 0
    best, best_aux = None, None
    while True:
        # The next step reuses the memory of the model; what the condition keeps must be its own.
        candidate = owned_copy(state.model)
        stopped = stop_condition.stop(candidate, epoch, train_loss, val_loss, epoch_time)
        if stop_condition.best_model is candidate:
            best, best_aux = candidate, owned_copy(state.aux_data)
        else:
            best = stop_condition.best_model
        if save_model is not None and (stopped or (epoch and epoch % _SAVE_EVERY == 0)):
            save(save_model, best)
        if stopped:
            return best, best_aux, train_loss, val_loss

        started = time.perf_counter()
        indices = epoch_batches(jax.random.fold_in(rand_key, epoch), samples, batch_size)
        parts = [indices[i : i + loader.steps] for i in range(0, batches, loader.steps)]
        losses = []
        for part, feed in zip(parts, loader.feeds(parts), strict=True):
            state, found = dispatch(feed, len(part), state, steps_done)
            losses.append(found[: len(part)])
        values = np.concatenate(jax.device_get(losses)).astype(np.float64)
        check_losses(values, first_step=steps_done + 1)
        steps_done += values.size
        train_loss = float(values.mean())
        if validation_X is not None:
            data = validation_X, validation_Y
            val_loss = mean_loss(*eval_steps, state.model, *data, batch_size, state.aux_data)
            check_losses(np.asarray([val_loss]), first_step=steps_done, what="validation loss")
        epoch, epoch_time = epoch + 1, time.perf_counter() - started
        if progress is not None:
            progress(epoch, train_loss, val_loss)
