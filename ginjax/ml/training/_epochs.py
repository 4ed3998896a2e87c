"""Train by epochs until a stop condition ends the training."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import optax
from jaxtyping import Float, PRNGKeyArray, PyTree

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.ml.task import ArraySamples, count_samples
from ginjax.ml.training._array_file import save
from ginjax.ml.training._devices import Placement, over_devices
from ginjax.ml.training._dispatch import TrainState, initial_state
from ginjax.ml.training._engine import Hooks, run
from ginjax.ml.training._optional import how_to_install
from ginjax.ml.training._order import EpochOrder
from ginjax.ml.training._plan import MOST_STEPS, Plan
from ginjax.ml.training._progress import Report
from ginjax.ml.training._stopping import StopCondition
from ginjax.ml.training._update import MapAndLoss, over_shards, owned_copy
from ginjax.ml.training._validation import validator

_SAVE_EVERY = 10

Tell = Callable[[int, float, float | None], None]
"""`(epoch, train_loss, val_loss)`, called after every epoch."""


def train(
    X: PyTree,
    Y: PyTree,
    map_and_loss: MapAndLoss,
    model: PyTree,
    rand_key: PRNGKeyArray,
    stop_condition: StopCondition,
    batch_size: int,
    optimizer: optax.GradientTransformation,
    validation_X: PyTree = None,
    validation_Y: PyTree = None,
    val_map_and_loss: MapAndLoss | None = None,
    save_model: str | None = None,
    devices: Sequence[Any] | None = None,
    aux_data: PyTree = None,
    is_wandb: bool = False,
    progress: Tell | None = None,
) -> tuple[PyTree, PyTree, float | None, float | None, float]:
    """Train a model epoch by epoch.

    Every epoch uses every sample. If `batch_size` does not divide their number, the last batch is filled up with
    samples from the beginning of the epoch, so that all batches have the same shape and no sample is left out. A
    `batch_size` above the number of samples is reduced to it. The validation loss counts each sample once.

    **Arguments:**

    - `X`, `Y`: inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `map_and_loss`: `(model, x_batch, y_batch, aux_data) -> (scalar loss, aux_data)`. On several devices, each call gets
      the part of the batch for one device.
    - `model`: the model to start from; it stays usable.
    - `rand_key`: random key for the order of the samples in each epoch; the same key gives the same result.
    - `stop_condition`: ends the training and chooses the model.
    - `batch_size`: samples in a step.
    - `optimizer`: an optax transformation.
    - `validation_X`, `validation_Y`: evaluated in inference mode after every epoch.
    - `val_map_and_loss`: the `map_and_loss` for validation, which gets whole batches; `map_and_loss` if None.
    - `save_model`: a file; the best model so far is saved to it every tenth epoch and at the end.
    - `devices`: JAX devices over which each batch is divided. If None, as many devices of this process as divide it.
    - `aux_data`: state passed from step to step, such as batch statistics.
    - `is_wandb`: log the losses of every epoch to the active run of Weights & Biases.
    - `progress`: called as `progress(epoch, train_loss, val_loss)` after every epoch.

    **Returns:** `(model, aux_data, train_loss, val_loss, seconds)`: the best model of the stop condition with the
    `aux_data` of its epoch, the losses of the last epoch (None if there is none), and the seconds for all epochs.

    **Raises:** `ArgumentError` for data that do not fit, `NumericsError` if a loss is NaN or infinite,
    `UnsupportedError` if `is_wandb` and `wandb` is not installed.
    """
    samples = count_samples(X, Y)
    if (validation_X is None) != (validation_Y is None):
        raise ArgumentError("validation data", got="one of validation_X, validation_Y", expected="both")
    batch_size, placement = _placed(batch_size, samples, devices)
    batches = -(-samples // max(batch_size, 1))
    plan = Plan(
        steps=None,
        batch_size=batch_size,
        steps_per_dispatch=min(batches, MOST_STEPS),
        validate_every=batches,
    )
    validate = None
    if validation_X is not None:
        validation = ArraySamples(validation_X, validation_Y)
        validate = validator(validation, val_map_and_loss or map_and_loss, batch_size, placement)
    tellers = [teller for teller in (progress, _to_wandb() if is_wandb else None) if teller is not None]
    epochs = _Epochs(stop_condition, save_model, tellers)
    state = initial_state(model, optimizer, aux_data)
    if not epochs.asks(state):
        run(
            state,
            ArraySamples(X, Y),
            plan=plan,
            map_and_loss=over_shards(map_and_loss, placement.shares),
            optimizer=optimizer,
            key=rand_key,
            order=EpochOrder,
            placement=placement,
            hooks=Hooks(validate=validate, on_look=epochs.look, on_report=epochs.note),
        )
    return epochs.best, epochs.best_aux, epochs.train_loss, epochs.val_loss, epochs.seconds


class _Epochs:
    """The work between epochs: ask the stop condition, and keep the state that belongs to its model."""

    def __init__(self, condition: StopCondition, save_model: str | None, tellers: Sequence[Tell]):
        self._condition = condition
        self._save_model = save_model
        self._tellers = tellers
        self._losses: list[Float[np.ndarray, " steps"]] = []
        self._epoch = 0
        self._last = 0.0
        self.seconds = 0.0
        self.train_loss: float | None = None
        self.val_loss: float | None = None
        self.best: PyTree = None
        self.best_aux: PyTree = None

    def note(self, report: Report) -> None:
        """Collect the losses of an epoch."""
        self._losses.append(report.losses)

    def look(self, state: TrainState, report: Report) -> bool:
        """Finish an epoch, and return whether to stop."""
        self._epoch += 1
        self._last, self.seconds = report.seconds - self.seconds, report.seconds
        self.train_loss, self.val_loss = float(np.concatenate(self._losses).mean()), report.validation
        self._losses.clear()
        for tell in self._tellers:
            tell(self._epoch, self.train_loss, self.val_loss)
        return self.asks(state)

    def asks(self, state: TrainState) -> bool:
        """Give the condition its own copy of the model, and return whether it says stop."""
        candidate = owned_copy(state.model)
        stopped = self._condition.stop(candidate, self._epoch, self.train_loss, self.val_loss, self._last)
        self.best = self._condition.best_model
        if self.best is candidate:
            self.best_aux = owned_copy(state.aux_data)
        if self._save_model is not None and (stopped or (self._epoch and self._epoch % _SAVE_EVERY == 0)):
            save(self._save_model, self.best)
        return stopped


def _placed(batch_size: int, samples: int, devices: Sequence[Any] | None) -> tuple[int, Placement]:
    """Reduce the batch to the number of samples, and choose the devices it is divided over."""
    if devices is not None:
        placement = Placement(tuple(devices))
        batch_size = min(batch_size, samples // placement.shares * placement.shares)
        placement.check_batch(batch_size)
        return batch_size, placement
    local, batch_size = jax.local_devices(), min(batch_size, samples)
    count = next(count for count in range(len(local), 0, -1) if batch_size % count == 0)
    return batch_size, over_devices(local[:count])


def _to_wandb() -> Tell:
    """Make a function that logs losses to the active run of Weights & Biases, which is only imported here."""
    try:
        wandb = importlib.import_module("wandb")
    except ImportError as error:
        raise UnsupportedError(
            "is_wandb",
            got="no library 'wandb'",
            expected="that library to be installed",
            hint=how_to_install("wandb"),
        ) from error
    if wandb.run is None:
        raise ArgumentError(
            "is_wandb", got="no active run", expected="one", hint="Call wandb.init(...) before."
        )

    def tell(epoch: int, train_loss: float, val_loss: float | None) -> None:
        losses = {"train/loss": train_loss, "val/loss": val_loss}
        wandb.log({name: loss for name, loss in losses.items() if loss is not None})

    return tell
