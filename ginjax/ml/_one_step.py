"""The standard task: predict the next frame of a simulated equation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax

from ginjax.data import (
    DEFAULT_SIDES,
    Normalisation,
    Trajectories,
    find_pde,
    generate,
    measure_normalisation,
    one_step_pairs,
)
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature, compiled
from ginjax.ml._fit import fit
from ginjax.ml._keep import only_free
from ginjax.ml._losses import nrmse_loss, smse_loss
from ginjax.ml._optimiser import adamw_cosine

TRAIN_TRAJECTORIES: Mapping[int, int] = {1: 256, 2: 48, 3: 16}
"""Training trajectories by dimension unless asked for otherwise: about a minute of work each."""

MAX_VALUES = 2**30
"""Most values that a task is simulated for (4 GiB in float32)."""

HELD_OUT_OFFSET = 1_000_003
"""Added to the seed for held-out fields, so that they never meet the training fields."""


@dataclass(frozen=True)
class OneStepTask:
    """Normalised pairs of consecutive frames.

    - `X`, `Y`: inputs and targets, blocks `(pairs, channels, *spatial, D, ..., D)`.
    - `trajectories`: the simulations they were cut from, in physical units.
    - `normalisation`: what was applied; it belongs to the model and is kept for every dimension.
    """

    X: MultiImage
    Y: MultiImage
    trajectories: Trajectories
    normalisation: Normalisation

    @property
    def signature(self) -> Signature:
        return Signature(self.X.get_signature())

    def about(self) -> dict[str, Any]:
        """What a model file says about its data."""
        fields = [
            {"name": f.name, "order": f.k, "parity": f.p, "unit": f.unit} for f in self.trajectories.schema
        ]
        return {
            "inputs": fields,
            "outputs": fields,
            "past_steps": 1,
            "spacing": self.trajectories.spacing,
            "time_step": self.trajectories.time_step,
            "normalisation": self.normalisation.to_json(),
            "origin": dict(self.trajectories.origin or {}),
        }


def make_task(
    pde: str,
    D: int,
    *,
    trajectories: int | None = None,
    frames: int = 8,
    side: int | None = None,
    seed: int = 0,
    normalisation: Normalisation | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> OneStepTask:
    """Simulate an equation and cut out all pairs of consecutive frames.

    **Arguments:**

    - `pde`, `D`, `side`, `seed`, `progress`: as in `ginjax.data.generate`.
    - `trajectories`: number of simulations; default by dimension, see `TRAIN_TRAJECTORIES`.
    - `frames`: time steps in each, and so pairs.
    - `normalisation`: of the model to be evaluated; measured on these data if None.
    """
    components = find_pde(pde).components(D)
    count = TRAIN_TRAJECTORIES.get(D, 16) if trajectories is None else trajectories
    values = count * (frames + 1) * components * (side or DEFAULT_SIDES.get(D, 1)) ** D
    if values > MAX_VALUES:
        raise ArgumentError(
            "simulated data",
            got=f"{values} values",
            expected=f"at most {MAX_VALUES}",
            hint="Use fewer trajectories or frames, or a smaller grid.",
        )
    data = generate(pde, D, trajectories=count, steps=frames, side=side, seed=seed, progress=progress)
    normalisation = measure_normalisation(data) if normalisation is None else normalisation
    X, Y = (normalisation.apply(z) for z in one_step_pairs(data))
    return OneStepTask(X, Y, data, normalisation)


@dataclass(frozen=True)
class OneStepError:
    """Normalised root-mean-square errors of a one-step prediction, see `nrmse_loss`.

    - `model`: of the network; `persistence`: of predicting no change.
    """

    model: float
    persistence: float


def one_step_error(model: Any, task: OneStepTask, batch_size: int = 32) -> OneStepError:
    """The error of a model on a task, beside predicting no change."""
    total, samples = 0.0, task.X.get_L()
    for start in range(0, samples, batch_size):
        chosen = list(range(start, min(start + batch_size, samples)))
        x, y = task.X.get_subset(chosen), task.Y.get_subset(chosen)
        total += float(nrmse_loss(predict(model, x), y)) * len(chosen)
    return OneStepError(total / samples, float(nrmse_loss(task.X, task.Y)))


@compiled
def predict(model: Any, x: MultiImage) -> MultiImage:
    """The prediction of a model for a batch, blocks `(batch, channels, *spatial, D, ..., D)`."""
    return jax.vmap(lambda sample: model(sample)[0])(x)


def fit_one_step(
    model: Any,
    task: OneStepTask,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int = 0,
    on_step: Callable[[int, float], None] | None = None,
    free: Mapping[str, np.ndarray] | None = None,
) -> tuple[Any, list[float]]:
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
        key=jax.random.key(seed),
        on_step=on_step,
    )
    return model, history.losses
