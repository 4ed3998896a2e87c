"""Training by one compiled program, which takes the number of steps, the learning rate and the data as inputs."""

from __future__ import annotations

import functools
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, PRNGKeyArray

from ginjax.geometric import MultiImage
from ginjax.ml.score import smse_loss
from ginjax.ml.training._dispatch import Dispatch, initial_state, make_dispatch
from ginjax.ml.training._feed import Drawn
from ginjax.ml.training._fixed_steps import batched
from ginjax.ml.training._optimiser import make_optimiser, make_schedule
from ginjax.ml.training._order import training_keys

_Model = TypeVar("_Model")

_TABLE = 2**16
"""Steps of the shortest table of learning rates: trainings up to this long share one program."""


def fit_counted(
    model: _Model,
    X: MultiImage,
    Y: MultiImage,
    *,
    pairs: int,
    steps: int,
    rate: float,
    batch: int,
    key: PRNGKeyArray,
) -> _Model:
    """Train with AdamW, warm-up and cosine decay on the summed mean-squared error, as `train_model` does by default.

    How many pairs, how many steps and which rate are values of the compiled program and no part of it: models of
    one shape on arrays of one shape are compiled once, whatever is asked of them, up to 65 536 steps, and once more
    for every doubling of that. A batch is drawn with replacement, so that a single pair fills it as well as a
    thousand. All steps are one dispatch: nobody looks at the losses, and one that is not finite raises nothing.

    **Arguments:**

    - `model`: `(x, aux_data) -> (y, aux_data)`, one sample; it stays usable.
    - `X`, `Y`: inputs and targets, blocks `(pool, channels, *spatial, D, ..., D)`.
    - `pairs`: only the first so many of the pool are seen.
    - `steps`: of the optimiser; 0 gives the model back.
    - `rate`: the peak of the learning rate.
    - `batch`: pairs a step.
    - `key`: random key of the draws.

    **Returns:** the trained model.
    """
    optimiser, dispatch = _program()
    state = initial_state(model, optimiser)
    state = eqx.tree_at(lambda state: state.opt_state.hyperparams["rates"], state, _rates(steps, rate))
    draws, _ = training_keys(key)
    state, _ = dispatch(Drawn(X, Y, jnp.asarray(pairs), draws, batch), steps, state, 0)
    return state.model


@functools.cache
def _program() -> tuple[optax.GradientTransformation, Dispatch]:
    """The optimiser and the loop of steps, the same objects for every training, so that JAX compiles them once."""
    optimiser = optax.inject_hyperparams(_adamw)(rates=jnp.zeros(1))
    return optimiser, make_dispatch(batched(smse_loss), optimiser)


def _adamw(rates: Float[jax.Array, " steps"]) -> optax.GradientTransformation:
    """The optimiser of `adamw_cosine` with its learning rates read from a table."""
    return make_optimiser("adamw", lambda step: rates[step])


def _rates(steps: int, peak: float) -> Float[jax.Array, " steps"]:
    """The learning rates of `adamw_cosine`, filled up to one of few lengths, each of which is a program."""
    length = max(_TABLE, 1 << (steps - 1).bit_length())
    share = make_schedule("cosine", max(steps, 1), learning_rate=1.0)  # a peak of 0 is a value here too
    return jnp.asarray(peak * share(np.arange(length)), jnp.float32)
