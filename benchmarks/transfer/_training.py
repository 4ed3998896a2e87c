"""Training for a number of steps, or until the error on other trajectories falls no further."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import PyTree

from ginjax.geometric import MultiImage, compiled
from ginjax.ml import make_optimiser, make_schedule, smse_loss, trainable
from transfer._clock import timed
from transfer._data import Pairs
from transfer._settings import Settings

Look = Callable[[PyTree], tuple[float, float]]
"""The errors of a network on the validation trajectories after one step and after several."""


class State(eqx.Module):
    model: PyTree
    optimiser: PyTree


@functools.cache
def _optimiser() -> optax.GradientTransformation:
    return optax.inject_hyperparams(lambda rate: make_optimiser("adamw", lambda step: rate))(rate=0.0)


@compiled
def _advance(
    state: State,
    X: MultiImage,
    Y: MultiImage,
    rates: jax.Array,
    numbers: tuple[jax.Array, jax.Array, jax.Array, jax.Array],
    batch: int,
) -> State:
    """Steps on batches drawn with replacement from the first pairs: how many, and which rates, are no part of the program."""
    pairs, first, steps, key = numbers
    arrays, static = eqx.partition(state, eqx.is_array)

    def loss(model: PyTree, x: MultiImage, y: MultiImage) -> jax.Array:
        return smse_loss(jax.vmap(lambda sample: model(sample)[0])(x), y)

    def body(i: jax.Array, arrays: PyTree) -> PyTree:
        before: State = eqx.combine(arrays, static)
        chosen = jax.random.randint(jax.random.fold_in(key, first + i), (batch,), 0, pairs)
        x, y = (jax.tree.map(lambda block: block[chosen], image) for image in (X, Y))
        gradient = eqx.filter_grad(loss)(before.model, x, y)
        before.optimiser.hyperparams["rate"] = rates[i]
        updates, optimiser = _optimiser().update(gradient, before.optimiser, trainable(before.model))
        after = State(eqx.apply_updates(before.model, updates), optimiser)
        return eqx.filter(after, eqx.is_array)

    return eqx.combine(jax.lax.fori_loop(0, steps, body, arrays), static)


@dataclass(frozen=True)
class Trainer:
    """Pairs to train on, and how they are drawn.

    **Arguments:**

    - `pairs`: the pool; only the first `count` are seen.
    - `batch`: pairs a step.
    - `chunk`: most steps in one call of the program.
    - `seed`: of the draws.
    """

    pairs: Pairs
    count: int
    batch: int
    chunk: int
    seed: int

    def start(self, model: PyTree) -> State:
        """The state before the first step, with everything compiled that the steps need."""
        state = State(model, _optimiser().init(trainable(model)))
        return self.advance(state, np.zeros(0), 0)

    def advance(self, state: State, rates: np.ndarray, first: int) -> State:
        """One step for each of the rates, `chunk` at most."""
        padded = jnp.zeros(self.chunk, jnp.float32).at[: len(rates)].set(rates.astype(np.float32))
        numbers = (
            *(jnp.asarray(n, jnp.int32) for n in (self.count, first, len(rates))),
            jax.random.key(self.seed),
        )
        return _advance(state, self.pairs.X, self.pairs.Y, padded, numbers, self.batch)


@dataclass(frozen=True)
class Fitted:
    """What came of a training in the high dimension.

    **Arguments:**

    - `seconds`: of processor time for its steps; validating and compiling do not count.
    - `levelled`: whether it was on its plateau, and not at the largest number of steps.
    - `curve`: seconds, and the validation errors after one step and several, at every look.
    """

    model: PyTree
    steps: int
    seconds: float
    levelled: bool
    curve: tuple[tuple[float, float, float], ...] = ()


def fit_steps(model: PyTree, trainer: Trainer, steps: int, rate: float) -> Fitted:
    """AdamW with warm-up and a fall of the rate along a cosine, over a number of steps that is known."""
    share = make_schedule("cosine", max(steps, 1), learning_rate=1.0)
    rates = rate * np.asarray(share(np.arange(max(steps, 1))))
    state, seconds = trainer.start(model), 0.0
    for first in range(0, steps, trainer.chunk):
        part = rates[first : min(first + trainer.chunk, steps)]
        state, taken = timed(functools.partial(trainer.advance, state, part, first))
        seconds += taken
    return Fitted(state.model, steps, seconds, levelled=False)


def score(errors: tuple[float, float]) -> float:
    """What a network is chosen by: the geometric mean of its errors after one step and after several."""
    product = errors[0] * errors[1]
    return math.sqrt(product) if math.isfinite(product) else math.inf


def fit_to_plateau(
    model: PyTree, trainer: Trainer, rate: float, most: int, look: Look, settings: Settings
) -> Fitted:
    """Train until the validation score falls no further, even at a lower rate.

    After `patience` looks without a gain training goes on from the best weights at a quarter of the rate; after
    `reductions` of these it ends.

    **Arguments:**

    - `model`: the first candidate.
    - `rate`: the learning rate to begin with, after a warm-up.
    - `most`: the largest number of steps.
    - `look`: what is validated on.

    **Returns:** the network with the lowest score, which may be the one at the start.
    """
    state = trainer.start(model)
    best, errors = model, look(model)
    lowest, curve = score(errors), [(0.0, *errors)]
    steps, since_start, seconds, misses, reductions = 0, 0, 0.0, 0, 0
    while steps < most and reductions <= settings.reductions:
        count = min(settings.look, most - steps)
        rates = rate * np.minimum(1.0, (since_start + 1 + np.arange(count)) / settings.warmup)
        state, taken = timed(functools.partial(trainer.advance, state, rates, steps))
        steps, since_start, seconds = steps + count, since_start + count, seconds + taken
        errors = look(state.model)
        curve.append((seconds, *errors))
        misses = 0 if score(errors) < (1 - settings.gain) * lowest else misses + 1
        if score(errors) < lowest:
            best, lowest = state.model, score(errors)
        if misses >= settings.patience:
            state, since_start, misses = trainer.start(best), 0, 0
            rate, reductions = rate / 4, reductions + 1
    return Fitted(best, steps, seconds, reductions > settings.reductions, tuple(curve))
