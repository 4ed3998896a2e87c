"""Training for a number of steps, or as long as longer training lowers the error on other trajectories."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import PyTree

from ginjax.geometric import MultiImage, compiled
from ginjax.ml import Noise, make_optimiser, make_schedule, smse_loss, trainable
from transferbench._clock import timed
from transferbench._data import Pairs

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
    noise: float,
) -> State:
    """Steps on batches drawn with replacement from the first pairs: how many, and which rates, are no part of the program."""
    pairs, first, steps, key = numbers
    arrays, static = eqx.partition(state, eqx.is_array)

    def loss(model: PyTree, x: MultiImage, y: MultiImage) -> jax.Array:
        return smse_loss(jax.vmap(lambda sample: model(sample)[0])(x), y)

    def body(i: jax.Array, arrays: PyTree) -> PyTree:
        before: State = eqx.combine(arrays, static)
        own = jax.random.fold_in(key, first + i)
        chosen = jax.random.randint(own, (batch,), 0, pairs)
        x, y = (jax.tree.map(lambda block: block[chosen], image) for image in (X, Y))
        x = Noise(noise)(x, jax.random.fold_in(own, 1)) if noise else x
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
    - `noise`: on the inputs, as `train --noise`.
    """

    pairs: Pairs
    count: int
    batch: int
    chunk: int
    seed: int
    noise: float = 0.0

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
        return _advance(state, self.pairs.X, self.pairs.Y, padded, numbers, self.batch, self.noise)


@dataclass(frozen=True)
class Fitted:
    """What came of a training in the high dimension.

    **Arguments:**

    - `steps`, `seconds`: of the training that the network came from, the seconds of processor time for its steps alone:
      validating and compiling do not count. Where the start was kept, 0 steps, and the seconds of the last one tried.
    - `levelled`: whether twice the steps gained next to nothing.
    - `curve`: of every training that was tried, at every look the seconds since its beginning, and the validation
      errors after one step and several.
    """

    model: PyTree
    steps: int
    seconds: float
    levelled: bool = False
    curve: tuple[tuple[float, float, float], ...] = ()


def fit_steps(
    model: PyTree,
    trainer: Trainer,
    steps: int,
    rate: float,
    on_chunk: Callable[[PyTree, float], None] = lambda model, seconds: None,
) -> Fitted:
    """AdamW with warm-up and a fall of the rate along a cosine, over a number of steps that is known.

    **Arguments:**

    - `on_chunk`: told the network and the seconds so far, every `trainer.chunk` steps and at the end.
    """
    share = make_schedule("cosine", max(steps, 1), learning_rate=1.0)
    rates = rate * np.asarray(share(np.arange(max(steps, 1))))
    state, seconds = trainer.start(model), 0.0
    for first in range(0, steps, trainer.chunk):
        part = rates[first : min(first + trainer.chunk, steps)]
        state, taken = timed(functools.partial(trainer.advance, state, part, first))
        seconds += taken
        on_chunk(state.model, seconds)
    return Fitted(state.model, steps, seconds)


def score(errors: tuple[float, float]) -> float:
    """What a network is chosen by: the geometric mean of its errors after one step and after several."""
    product = errors[0] * errors[1]
    return math.sqrt(product) if math.isfinite(product) else math.inf


class _Best:
    """The network with the lowest score of those that were looked at, and a line for each look."""

    def __init__(self, look: Look):
        self.look, self.lowest = look, math.inf
        self.model: PyTree = None
        self.curve: list[tuple[float, float, float]] = []

    def take(self, model: PyTree, seconds: float) -> None:
        errors = self.look(model)
        self.curve.append((seconds, *errors))
        if self.model is None or score(errors) < self.lowest:
            self.model, self.lowest = model, score(errors)


def fit_to_plateau(
    model: PyTree, trainer: Trainer, rate: float, lengths: Sequence[int], look: Look, gain: float
) -> Fitted:
    """Train again and again, each time twice as long, until that lowers the validation score no further.

    Every training begins at `model` and has the whole schedule of its length, because a training at a constant rate
    levels off far above what a falling rate reaches.

    **Arguments:**

    - `model`: the first candidate.
    - `lengths`: numbers of steps to be tried.
    - `gain`: by less than this part the score falls where it has levelled off.

    **Returns:** the network with the lowest score at any look, which may be the one at the start.
    """
    start = _Best(look)
    start.take(model, 0.0)
    kept, lowest, before, levelled = Fitted(model, 0, 0.0), start.lowest, math.inf, False
    curve, seconds = start.curve, 0.0
    for steps in lengths:
        best = _Best(look)
        fitted = fit_steps(model, trainer, steps, rate, best.take)
        curve, seconds = curve + best.curve, fitted.seconds
        if best.lowest < lowest:
            kept, lowest = Fitted(best.model, steps, fitted.seconds), best.lowest
        levelled = steps != lengths[0] and best.lowest > (1 - gain) * before
        before = best.lowest
        if levelled:
            break
    return Fitted(kept.model, kept.steps, kept.seconds or seconds, levelled, tuple(curve))
