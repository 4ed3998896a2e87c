"""Feed predictions back as inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree, Shaped

from ginjax.errors import ArgumentError
from ginjax.geometric import AnyArray, Key, MultiImage, canonical_key

_Aux = TypeVar("_Aux")


def autoregressive_step(
    input: MultiImage,
    output: MultiImage,
    past_steps: int,
    constant_fields_dict: Mapping[Any, int] | None = None,
    future_steps: int = 1,
) -> MultiImage:
    """Build the next input: drop the oldest frames, append the predicted ones, keep the constant fields.

    **Arguments:**

    - `input`: channels fields x `past_steps` (oldest frame first, time varies fastest), followed by constant fields.
    - `output`: channels fields x `future_steps`, in the same order.
    - `past_steps`: frames of each field in an input.
    - `constant_fields_dict`: number of constant channels by key; missing keys have none.
    - `future_steps`: frames of each field in an output.

    **Returns:** the next input, with the signature of `input`.

    **Raises:** `ArgumentError` if the channels do not add up.
    """
    constant = {canonical_key(key): count for key, count in (constant_fields_dict or {}).items()}
    axis = input.get_n_leading() - 1
    return MultiImage(
        {
            key: _next_block(
                key,
                block,
                output[key] if key in output else None,  # noqa: SIM401 (no `get` on an image)
                axis,
                past_steps,
                future_steps,
                constant.get(key, 0),
            )
            for key, block in input.items()
        },
        input.D,
        input.is_torus,
    )


def autoregressive_map(
    model: Callable[[MultiImage, _Aux], tuple[MultiImage, _Aux]],
    x: MultiImage,
    aux_data: _Aux = None,
    past_steps: int = 1,
    autoregressive_steps: int = 1,
    constant_fields: Mapping[Any, int] | None = None,
) -> tuple[MultiImage, _Aux]:
    """Apply a one-step model repeatedly, feeding its predictions back.

    **Arguments:**

    - `model`: `(x, aux_data) -> (prediction of one frame, aux_data)` for one sample.
    - `x`: one sample, channels fields x `past_steps` (time varies fastest), followed by constant fields.
    - `aux_data`: passed to the model; what the model returns is passed to its next call. Its structure must not change.
    - `past_steps`: frames of each field in an input.
    - `autoregressive_steps`: number of predictions.
    - `constant_fields`: number of constant channels by key.

    **Returns:** all predictions, channels fields x `autoregressive_steps` (time varies fastest), and the last `aux_data`.

    **Raises:** `ArgumentError` if there is no step to take or the channels do not add up.
    """
    if autoregressive_steps < 1:
        raise ArgumentError("autoregressive_steps", got=autoregressive_steps, expected="at least 1")
    if autoregressive_steps == 1:
        return model(x, aux_data)

    # The step is compiled once, however long the rollout is; only arrays can pass through the scan.
    _, static = eqx.partition(aux_data, eqx.is_array)

    def step(state: tuple[MultiImage, PyTree], _: None):
        current, aux_arrays = state
        prediction, aux = model(current, eqx.combine(aux_arrays, static))
        current = autoregressive_step(current, prediction, past_steps, constant_fields)
        return (current, eqx.filter(aux, eqx.is_array)), prediction

    start = (x, eqx.filter(aux_data, eqx.is_array))
    (_, aux_arrays), predictions = jax.lax.scan(step, start, None, length=autoregressive_steps)
    blocks = {}
    for key, block in predictions.items():
        # (steps, *lead, channels, *grid) -> (*lead, channels, steps, *grid) -> (*lead, channels * steps, *grid)
        axis = x.get_n_leading() - 1
        moved = jnp.moveaxis(block, 0, axis + 1)
        blocks[key] = moved.reshape(*moved.shape[:axis], -1, *moved.shape[axis + 2 :])
    return MultiImage(blocks, predictions.D, predictions.is_torus), eqx.combine(aux_arrays, static)


def _next_block(
    key: Key,
    block: Shaped[AnyArray, "..."],
    new: Shaped[AnyArray, "..."] | None,
    axis: int,
    past_steps: int,
    future_steps: int,
    constant: int,
) -> Shaped[AnyArray, "..."]:
    channels = block.shape[axis]
    moving = channels - constant
    predicted = 0 if new is None else new.shape[axis]
    if past_steps < 1 or future_steps < 1 or moving < 0 or moving * future_steps != predicted * past_steps:
        raise ArgumentError(
            f"channels of block {key}",
            got=f"{predicted} predicted ({future_steps} frames each) for {channels} of the input "
            f"({past_steps} frames each, {constant} constant)",
            expected="input channels = fields * past_steps + constant, output channels = fields * future_steps",
        )
    if new is None:
        return block
    split = (*block.shape[:axis], moving // past_steps, -1, *block.shape[axis + 1 :])
    old, kept = jnp.split(block, [moving], axis=axis)
    series = jnp.concatenate([old.reshape(split), new.reshape(split)], axis=axis + 1)
    window = jax.lax.slice_in_dim(series, future_steps, future_steps + past_steps, axis=axis + 1)
    return jnp.concatenate([window.reshape(old.shape), kept], axis=axis)
