"""Training on pairs of consecutive frames with the standard optimiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import optax
from jaxtyping import Float

from ginjax.ml.score import smse_loss
from ginjax.ml.task import OneStepTask
from ginjax.ml.training._fixed_steps import fit
from ginjax.ml.training._free_only import only_free
from ginjax.ml.training._optimiser import adamw_cosine
from ginjax.ml.training._order import training_key

_Model = TypeVar("_Model")


def fit_one_step(
    model: _Model,
    task: OneStepTask,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int = 0,
    on_step: Callable[[int, float], None] | None = None,
    free: Mapping[str, Float[np.ndarray, "_filters _free"]] | None = None,
) -> tuple[_Model, list[float]]:
    """Train a model on a task with AdamW, warm-up and cosine decay on the summed mean-squared error.

    **Arguments:**

    - `steps`, `batch_size`, `on_step`: as in `fit`; a batch is no larger than the data.
    - `learning_rate`: its peak.
    - `seed`: of the order of the samples.
    - `free`: train only in these directions, see `only_free`.

    **Returns:** the trained model and the loss of every step.
    """
    optimizer = adamw_cosine(steps, learning_rate=learning_rate)
    if free is not None:
        optimizer = optax.chain(optimizer, only_free(free))
    model, history = fit(
        model,
        task.X,
        task.Y,
        loss=smse_loss,
        steps=steps,
        batch_size=min(batch_size, task.X.get_L()),
        optimizer=optimizer,
        key=training_key(seed),
        on_step=on_step,
    )
    return model, history.losses
