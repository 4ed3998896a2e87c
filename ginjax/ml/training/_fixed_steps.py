"""Train for a fixed number of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import jax
import optax
from jaxtyping import Float, PRNGKeyArray, PyTree

from ginjax.errors import ArgumentError
from ginjax.ml.task import ArraySamples
from ginjax.ml.training._dispatch import initial_state
from ginjax.ml.training._engine import Hooks, run
from ginjax.ml.training._plan import Plan
from ginjax.ml.training._progress import Report
from ginjax.ml.training._update import MapAndLoss, over_batch

_Model = TypeVar("_Model")


@dataclass(frozen=True)
class History:
    """The losses of a training, and its final state.

    **Arguments:**

    - `losses`: the loss of every step.
    - `aux_data`: the state after the last step, such as batch statistics.
    """

    losses: list[float] = field(default_factory=list)
    aux_data: PyTree = None


def fit(
    model: _Model,
    X: PyTree,
    Y: PyTree,
    *,
    loss: Callable[[PyTree, PyTree], Float[jax.Array, ""]],
    steps: int,
    batch_size: int,
    optimizer: optax.GradientTransformation,
    key: PRNGKeyArray,
    on_step: Callable[[int, float], None] | None = None,
    fetch_every: int = 10,
    aux_data: PyTree = None,
) -> tuple[_Model, History]:
    """Train a model for a number of steps.

    Batches are cut from successive random orders of all samples, so no sample is left out and all batches
    have the same shape. The same key gives the same bytes on the same machine.

    **Arguments:**

    - `model`: `(x, aux_data) -> (y, aux_data)` for one sample; it stays usable.
    - `X`, `Y`: inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `loss`: `(prediction, target) -> scalar`, both batched.
    - `steps`: number of steps.
    - `batch_size`: samples in a step.
    - `optimizer`: an optax transformation.
    - `key`: random key for the order of the samples.
    - `on_step`: called as `on_step(steps done, latest loss)` every `fetch_every` steps and at the end; an exception in
      it ends the training.
    - `fetch_every`: steps in one call of the device, after which the losses are read.
    - `aux_data`: state passed from step to step.

    **Returns:** the trained model and its `History`.

    **Raises:** `ArgumentError` for data that do not fit, `NumericsError` if the loss is NaN or infinite.
    """
    if fetch_every < 1:
        raise ArgumentError("fetch_every", got=fetch_every, expected="at least 1")
    plan = Plan(steps=steps, batch_size=batch_size, steps_per_dispatch=fetch_every)
    losses: list[float] = []

    def note(report: Report) -> None:
        losses.extend(report.losses.tolist())
        if on_step is not None:
            on_step(report.step, losses[-1])

    state, _, _ = run(
        initial_state(model, optimizer, aux_data),
        ArraySamples(X, Y),
        plan=plan,
        map_and_loss=batched(loss),
        optimizer=optimizer,
        key=key,
        hooks=Hooks(on_report=note),
    )
    return state.model, History(losses, state.aux_data)


def batched(loss: Callable[[PyTree, PyTree], Float[jax.Array, ""]]) -> MapAndLoss:
    """Turn a loss on batches into a `map_and_loss` for models that take one sample.

    **Arguments:**

    - `loss`: `(prediction, target) -> scalar`, both batched.

    **Returns:** `(model, x_batch, y_batch, aux_data) -> (scalar, aux_data)`; the batch axis is named "batch".
    """

    def map_and_loss(
        model: PyTree, x: PyTree, y: PyTree, aux_data: PyTree
    ) -> tuple[Float[jax.Array, ""], PyTree]:
        prediction, aux_data = over_batch(model)(x, aux_data)
        return loss(prediction, y), aux_data

    return map_and_loss
