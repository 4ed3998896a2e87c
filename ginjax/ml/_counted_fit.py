"""Training whose length, rate and data are numbers, so that one compiled program serves a whole study."""

from __future__ import annotations

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array

from ginjax.geometric import MultiImage, compiled
from ginjax.ml._losses import smse_loss

WARMUP = 0.05
"""Share of the steps in which the learning rate rises."""

_DIRECTION = optax.chain(
    optax.clip_by_global_norm(1.0), optax.scale_by_adam(), optax.add_decayed_weights(1e-5)
)
"""AdamW of `adamw_cosine` without its learning rate."""


def fit_counted(
    model: Any, X: MultiImage, Y: MultiImage, *, pairs: int, steps: int, rate: float, batch: int, key: Array
) -> Any:
    """Train with AdamW, warm-up and cosine decay on the summed mean-squared error, as `fit_one_step` does.

    How many pairs, how many steps and which rate are values of the compiled program and no part of it: models of
    one shape on arrays of one shape are compiled once, whatever is asked of them. A batch is drawn with
    replacement, so that a single pair fills it as well as a thousand.

    **Arguments:**

    - `model`: `x -> (y, aux_data)`, one sample.
    - `X`, `Y`: inputs and targets, blocks `(pool, channels, *spatial, D, ..., D)`.
    - `pairs`: only the first so many of the pool are seen.
    - `steps`: of the optimiser; 0 gives the model back.
    - `rate`: the peak of the learning rate.
    - `batch`: pairs a step.
    - `key`: of the draws.

    **Returns:** the trained model.
    """
    numbers = jnp.asarray(pairs), jnp.asarray(steps), jnp.asarray(rate, jnp.float32)
    return _fit(model, X, Y, *numbers, key, batch)


@compiled
def _fit(
    model: Any, X: MultiImage, Y: MultiImage, pairs: Array, steps: Array, rate: Array, key: Array, batch: int
) -> Any:
    params, fixed = eqx.partition(model, eqx.is_inexact_array)

    def loss(params: Any, x: MultiImage, y: MultiImage) -> Array:
        whole = eqx.combine(params, fixed)
        return smse_loss(jax.vmap(lambda sample: whole(sample)[0])(x), y)

    def step(t: Array, carried: tuple[Any, Any]) -> tuple[Any, Any]:
        params, state = carried
        drawn = jax.random.randint(jax.random.fold_in(key, t), (batch,), 0, pairs)
        x, y = (jax.tree_util.tree_map(partial(jnp.take, indices=drawn, axis=0), z) for z in (X, Y))
        updates, state = _DIRECTION.update(jax.grad(loss)(params, x, y), state, params)
        now = rate * _share(t, steps)
        return jax.tree_util.tree_map(lambda p, u: p - now * u, params, updates), state

    params, _ = jax.lax.fori_loop(0, steps, step, (params, _DIRECTION.init(params)))
    return eqx.combine(params, fixed)


def _share(t: Array, steps: Array) -> Array:
    """The learning rate at step `t` as a share of its peak, as in `make_schedule`."""
    rising = jnp.minimum(jnp.round(WARMUP * steps), steps - 1)
    fallen = jnp.cos(jnp.pi * (t - rising) / jnp.maximum(steps - rising, 1))
    return jnp.where(t < rising, t / jnp.maximum(rising, 1), (1 + fallen) / 2)
