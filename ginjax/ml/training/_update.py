"""One training step and one evaluation step, compiled once and applied to every batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, PyTree

from ginjax._jax_internals import UnboundAxis, is_unbound_axis
from ginjax.errors import ArgumentError
from ginjax.geometric import compiled

MapAndLoss = Callable[[PyTree, PyTree, PyTree, PyTree], tuple[Float[Array, ""], PyTree]]
"""`(model, x_batch, y_batch, aux_data) -> (loss, aux_data)`."""

LossAndGradient = Callable[[PyTree, PyTree, PyTree, PyTree], tuple[tuple[Float[Array, ""], PyTree], PyTree]]
"""`MapAndLoss` with the gradient by the model: `(...) -> ((loss, aux_data), gradient)`."""

TrainStep = Callable[..., tuple[PyTree, optax.OptState, Float[Array, ""], PyTree]]
EvalStep = Callable[..., Float[Array, ""]]

# Batch normalisation of non-equivariant models averages over this axis too, so it must exist.
SHARD_AXIS = "pmap_batch"

_T = TypeVar("_T")


def make_update(
    map_and_loss: MapAndLoss,
    optimizer: optax.GradientTransformation,
    accumulate: int = 1,
) -> TrainStep:
    """Make one optimisation step, not compiled: the body of `make_step` and of a dispatch of many steps.

    **Arguments:**

    - `map_and_loss`, `optimizer`: as in `make_step`.
    - `accumulate`: number of equal parts of a batch whose gradients are computed one after the other and averaged. More parts
      need less memory; the step is the same up to rounding.

    **Returns:** `update(model, opt_state, x_batch, y_batch, aux_data) -> (model, opt_state, loss, aux_data)`.
    """
    of_batch = eqx.filter_value_and_grad(_over_one_shard(map_and_loss), has_aux=True)
    loss_and_gradient = of_batch if accumulate == 1 else _accumulated(of_batch, accumulate)

    def update(
        model: PyTree, opt_state: optax.OptState, x: PyTree, y: PyTree, aux_data: PyTree
    ) -> tuple[PyTree, optax.OptState, Float[Array, ""], PyTree]:
        (loss, aux_data), gradient = loss_and_gradient(model, x, y, aux_data)
        updates, opt_state = optimizer.update(gradient, opt_state, trainable(model))
        return eqx.apply_updates(model, updates), opt_state, loss, aux_data

    return update


def make_step(
    map_and_loss: MapAndLoss, optimizer: optax.GradientTransformation, shards: int = 1
) -> TrainStep:
    """Compile one optimisation step.

    The results reuse the memory of the model, the optimiser state and `aux_data`, so these arguments cannot be used
    afterwards. Start from `owned_copy(...)` of anything you want to keep.

    **Arguments:**

    - `map_and_loss`: `(model, x_batch, y_batch, aux_data) -> (scalar loss, aux_data)`.
    - `optimizer`: an optax transformation, initialised on `trainable(model)`.
    - `shards`: number of equal parts of the batch, one per device. `map_and_loss` sees one part, and may average over the
      parts by the axis name "pmap_batch".

    **Returns:** `step(model, opt_state, x_batch, y_batch, aux_data) -> (model, opt_state, loss, aux_data)`.
    """
    update = make_update(over_shards(map_and_loss, shards), optimizer)

    @partial(compiled, donate="all-except-first")
    def step(batch: tuple[PyTree, PyTree], model: PyTree, opt_state: optax.OptState, aux_data: PyTree):
        return update(model, opt_state, *batch, aux_data)

    return lambda model, opt_state, x, y, aux_data=None: step((x, y), model, opt_state, aux_data)


def make_eval_step(map_and_loss: MapAndLoss, shards: int = 1) -> EvalStep:
    """Compile the loss of one batch, without an update.

    **Arguments:**

    - `map_and_loss`, `shards`: as in `make_step`.

    **Returns:** `eval_step(model, x_batch, y_batch, aux_data) -> loss`; put the model into inference mode first.
    """
    loss_of = _over_one_shard(over_shards(map_and_loss, shards))

    @compiled
    def eval_step(model: PyTree, x: PyTree, y: PyTree, aux_data: PyTree = None) -> Float[Array, ""]:
        return loss_of(model, x, y, aux_data)[0]

    return eval_step


def over_batch(model: PyTree) -> Callable[[PyTree, PyTree], tuple[PyTree, PyTree]]:
    """Make `(x_batch, aux_data) -> (prediction, aux_data)`, with one `aux_data` for all; the batch axis is named "batch"."""

    def one(
        sample: PyTree, state: PyTree
    ) -> tuple[PyTree, PyTree]:  # JAX would print a whole model as its name
        return model(sample, state)

    return jax.vmap(one, in_axes=(0, None), out_axes=(0, None), axis_name="batch")


def trainable(model: PyTree) -> PyTree:
    """The parameters of a model: its floating-point arrays, with everything else replaced by None."""
    return eqx.filter(model, eqx.is_inexact_array)


def owned_copy(tree: _T) -> _T:
    """Copy a pytree so that its arrays share no memory with the original or with one another."""
    # An explicit dtype drops JAX's weak type of plain numbers; the first step would drop it too, and recompile.
    return jax.tree.map(
        lambda leaf: jnp.array(leaf, dtype=leaf.dtype, copy=True) if eqx.is_array(leaf) else leaf, tree
    )


def over_shards(map_and_loss: MapAndLoss, shards: int) -> MapAndLoss:
    """Make the mean loss over equal parts of a batch, each passed to `map_and_loss` separately.

    **Arguments:**

    - `map_and_loss`: for one part; it may average over the parts by the axis name "pmap_batch".
    - `shards`: the number of parts.

    **Returns:** the `map_and_loss` for whole batches.
    """
    if shards == 1:
        return map_and_loss
    mapped = eqx.filter_vmap(map_and_loss, in_axes=(None, 0, 0, None), axis_name=SHARD_AXIS)

    def loss(model: PyTree, x: PyTree, y: PyTree, aux_data: PyTree) -> tuple[Float[Array, ""], PyTree]:
        x, y = jax.tree.map(lambda leaf: leaf.reshape(shards, -1, *leaf.shape[1:]), (x, y))
        losses, aux_data = mapped(model, x, y, aux_data)
        _check_scalar(losses.shape[1:])
        # Every shard holds the same aux_data: models average theirs over the axis.
        return jnp.mean(losses), _first(aux_data)

    return loss


def _over_one_shard(map_and_loss: MapAndLoss) -> MapAndLoss:
    """The loss itself. If it asks for the shard axis, it gets one of length 1, at the cost of one more transformation."""

    def loss(model: PyTree, x: PyTree, y: PyTree, aux_data: PyTree) -> tuple[Float[Array, ""], PyTree]:
        try:
            value, after = map_and_loss(model, x, y, aux_data)
        except UnboundAxis as error:
            if not is_unbound_axis(error):
                raise
            named = eqx.filter_vmap(lambda _: map_and_loss(model, x, y, aux_data), axis_name=SHARD_AXIS)
            values, after = named(jnp.zeros(1))
            value, after = values[0], _first(after)
        _check_scalar(jnp.shape(value))
        return value, after

    return loss


def _first(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: leaf[0] if eqx.is_array(leaf) else leaf, tree)


def _check_scalar(shape: tuple[int, ...]) -> None:
    if shape != ():
        raise ArgumentError(
            "loss of map_and_loss",
            got=f"shape {shape}",
            expected="a scalar",
            hint="Average over the batch (reduce='mean').",
        )


def _accumulated(of_batch: LossAndGradient, parts: int) -> LossAndGradient:
    """Compute the mean value and gradient over parts of a batch, one part at a time."""

    def loss_and_gradient(
        model: PyTree, x: PyTree, y: PyTree, aux_data: PyTree
    ) -> tuple[tuple[Float[Array, ""], PyTree], PyTree]:
        # Part j is every parts-th sample from j on: on several devices each keeps samples of every part.
        x, y = jax.tree.map(lambda leaf: jnp.moveaxis(leaf.reshape(-1, parts, *leaf.shape[1:]), 1, 0), (x, y))
        _, static = eqx.partition(aux_data, eqx.is_array)

        def add(total: PyTree, part: tuple[PyTree, PyTree]) -> tuple[PyTree, None]:
            (loss, gradient), aux_arrays = total
            (value, aux), slope = of_batch(model, *part, eqx.combine(aux_arrays, static))
            summed = jax.tree.map(jnp.add, (loss, gradient), (value, slope))
            return (summed, eqx.filter(aux, eqx.is_array)), None

        nothing = jax.tree.map(jnp.zeros_like, trainable(model))
        start = (jnp.zeros(()), nothing), eqx.filter(aux_data, eqx.is_array)
        (summed, aux_arrays), _ = jax.lax.scan(add, start, (x, y))
        loss, gradient = jax.tree.map(lambda leaf: leaf / parts, summed)
        return (loss, eqx.combine(aux_arrays, static)), gradient

    return loss_and_gradient
