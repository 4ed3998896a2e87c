"""Train with one compiled program whose inputs are the number of steps, the learning rate and the data."""

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
"""The length of the shortest table of learning rates: trainings of up to so many steps share one program."""


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

    The numbers of pairs and steps and the learning rate are inputs of the compiled program. So models of one shape on arrays
    of one shape are compiled only once for up to 65 536 steps, and once more for every doubling of that. A batch is drawn with
    replacement, so it can be filled from a single pair as well as from a thousand. All steps are one dispatch: the losses are
    not read, and a loss that is not finite raises no error.

    **Arguments:**

    - `model`: `(x, aux_data) -> (y, aux_data)` for one sample; it stays usable.
    - `X`, `Y`: inputs and targets, blocks `(pool, channels, *spatial, D, ..., D)`.
    - `pairs`: number of pairs to use, the first ones of the pool.
    - `steps`: number of optimiser steps; 0 returns the model unchanged.
    - `rate`: peak learning rate.
    - `batch`: pairs in a step.
    - `key`: random key for drawing batches.

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
    """The optimiser and the loop of steps: the same objects for every training, so that JAX compiles them once."""
    optimiser = optax.inject_hyperparams(_adamw)(rates=jnp.zeros(1))
    return optimiser, make_dispatch(batched(smse_loss), optimiser)


def _adamw(rates: Float[jax.Array, " steps"]) -> optax.GradientTransformation:
    """The optimiser of `adamw_cosine`, with learning rates from a table."""
    return make_optimiser("adamw", lambda step: rates[step])


def _rates(steps: int, peak: float) -> Float[jax.Array, " steps"]:
    """The learning rates of `adamw_cosine`, filled up to one of a few lengths, each of which needs its own program."""
    length = max(_TABLE, 1 << (steps - 1).bit_length())
    share = make_schedule("cosine", max(steps, 1), learning_rate=1.0)  # a peak of 0 is a value here too
    return jnp.asarray(peak * share(np.arange(length)), jnp.float32)
