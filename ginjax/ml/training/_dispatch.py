"""Run many optimisation steps in one call of the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jaxtyping import Float, Int, PRNGKeyArray, PyTree, UInt

from ginjax.geometric import compile_ahead, compiled
from ginjax.ml.training._devices import Placement
from ginjax.ml.training._feed import Feed
from ginjax.ml.training._step_memory import StepMemory, step_memory
from ginjax.ml.training._update import MapAndLoss, make_update, owned_copy, trainable

Augment = Callable[[PyTree, PRNGKeyArray], PyTree]
"""`(x_batch, key) -> x_batch`: a random change of the inputs, such as noise."""

Losses = Float[Array, " steps"]

Given = tuple[Feed, Int[Array, ""], Int[Array, ""], UInt[Array, " bits"] | None]
"""Batches, the number of steps, the number of the first step, and the bits of the random key."""


class TrainState(eqx.Module):
    """The state of a training that steps change.

    **Arguments:**

    - `model`: the model.
    - `opt_state`: the state of the optimiser.
    - `aux_data`: state passed from step to step, such as batch statistics.
    """

    model: PyTree
    opt_state: optax.OptState
    aux_data: PyTree = None


@dataclass(frozen=True)
class Dispatch:
    """Many steps in one call of the device; build it with `make_dispatch`.

    `dispatch(feed, count, state, first) -> (state, losses)` runs the steps `first` to `first + count - 1` on the batches of
    `feed`. `losses` is as long as the feed; its first entries, at most `count`, are set. The result reuses the memory of
    `state`.

    **Arguments:**

    - `program`: the loop, compiled at the first call.
    - `bits`: the bits of the random key.
    - `placement`: the devices.
    """

    program: Callable[[Given, TrainState], tuple[TrainState, Losses]]
    bits: UInt[np.ndarray, " bits"] | None
    placement: Placement

    def __call__(self, feed: Feed, count: int, state: TrainState, first: int) -> tuple[TrainState, Losses]:
        return self.program(self._given(feed, count, first), state)

    def compile(self, feed: Feed, state: TrainState) -> StepMemory:
        """Compile the loop for arguments of these shapes, and measure the memory it needs.

        **Arguments:**

        - `feed`, `state`: as for a call; they are not changed.
        """
        return step_memory(
            compile_ahead(self.program, self._given(feed, 1, 0), state), feed, state, self.placement
        )

    def _given(self, feed: Feed, count: int, first: int) -> Any:
        # NumPy scalars, not Python numbers, which would become part of the program.
        return feed, np.int32(count), np.int32(first), self.bits


def initial_state(
    model: PyTree, optimizer: optax.GradientTransformation, aux_data: PyTree = None
) -> TrainState:
    """Make the state before the first step, in its own memory: steps reuse it, the caller's model stays usable."""
    # Some optimisers keep the parameters themselves in their state; donating a buffer twice is an error.
    model, aux_data = owned_copy((model, aux_data))
    return TrainState(model, owned_copy(optimizer.init(trainable(model))), aux_data)


def on_host(leaf: object) -> object:
    """Copy a JAX array to NumPy, because a step may reuse its memory; return anything else unchanged."""
    return np.array(leaf) if isinstance(leaf, jax.Array) else leaf


def make_dispatch(
    map_and_loss: MapAndLoss,
    optimizer: optax.GradientTransformation,
    *,
    key: PRNGKeyArray | None = None,
    accumulate: int = 1,
    augment: Augment | None = None,
    placement: Placement | None = None,
) -> Dispatch:
    """Compile a loop of steps.

    The number of steps is an argument of the compiled program, a loop that is never unrolled. Every step is computed by
    the same instructions however the steps are grouped, so the grouping does not change a single bit.

    **Arguments:**

    - `map_and_loss`, `optimizer`, `accumulate`: as in `make_update`.
    - `key`: random key, which `augment` needs; step `s` uses `fold_in(key, s)`.
    - `augment`: changes the inputs of every step.
    - `placement`: the devices; the default device if None.

    **Returns:** `dispatch(feed, count, state, first) -> (state, losses)`, see `Dispatch`.
    """
    update = make_update(map_and_loss, optimizer, accumulate)
    where = placement or Placement()
    # Raw bits reach every process alike; a key would belong to one of them.
    key_data = None if key is None else np.asarray(jax.random.key_data(key))

    @partial(compiled, donate="all-except-first")
    def run(given: Given, state: TrainState) -> tuple[TrainState, Losses]:
        feed, count, first, bits = given
        arrays, static = eqx.partition(state, eqx.is_array)

        def body(i: Int[Array, ""], carry: tuple[TrainState, Losses]) -> tuple[TrainState, Losses]:
            arrays, losses = carry
            before = eqx.combine(arrays, static)
            x, y = where.constrain(feed.batch(i))
            if augment is not None and key is not None and bits is not None:
                own = jax.random.wrap_key_data(bits, impl=jax.random.key_impl(key))
                x = augment(x, jax.random.fold_in(own, first + i))
            model, opt_state, loss, aux_data = update(before.model, before.opt_state, x, y, before.aux_data)
            after = TrainState(model, opt_state, aux_data)
            kept = where.constrain_copies(eqx.filter(after, eqx.is_array))
            kept_losses = losses.at[i].set(loss.astype(losses.dtype), mode="drop")
            return kept, where.constrain_copies(kept_losses)

        empty = jnp.zeros(feed.length, jnp.result_type(float))
        arrays, losses = jax.lax.fori_loop(0, count, body, (arrays, empty))
        return eqx.combine(arrays, static), losses

    return Dispatch(run, key_data, where)
