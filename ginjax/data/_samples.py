"""Training pairs from time series."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ginjax.data._fields import fields_by_key
from ginjax.data._trajectories import Trajectories
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage


def one_step_pairs(trajectories: Trajectories, past_steps: int = 1) -> tuple[MultiImage, MultiImage]:
    """Cut out every pair of `past_steps` consecutive frames and the frame that follows them.

    **Arguments:**

    - `trajectories`: the time series.
    - `past_steps`: frames in an input.

    **Returns:** `(X, Y)`, blocks `(n, channels, *spatial, D, ..., D)` with
    `n = trajectories * (frames - past_steps)`, time running fastest. The channels of a block of `X` are
    fields x past frames (oldest first, time fastest), those of `Y` are fields, in the order of the schema.

    **Raises:** `ArgumentError` if the series are too short.
    """
    pairs = trajectories.frames - past_steps
    if past_steps < 1 or pairs < 1:
        raise ArgumentError(
            "past_steps",
            got=past_steps,
            expected=f"1 to {trajectories.frames - 1} for series of {trajectories.frames} frames",
        )
    inputs = {}
    for key, fields in fields_by_key(trajectories.schema).items():
        channels = [
            trajectories.fields[field.name][:, age : age + pairs]
            for field in fields
            for age in range(past_steps)
        ]
        inputs[key] = _as_block(channels)
    targets = {
        key: _as_block([trajectories.fields[field.name][:, past_steps:] for field in fields])
        for key, fields in fields_by_key(trajectories.schema).items()
    }
    space = trajectories.D, trajectories.is_torus
    return MultiImage(inputs, *space), MultiImage(targets, *space)


def frame_image(trajectories: Trajectories, time: int) -> MultiImage:
    """All trajectories at one time.

    **Arguments:**

    - `trajectories`: the time series.
    - `time`: index of the frame; negative counts from the end.

    **Returns:** blocks `(trajectories, fields, *spatial, D, ..., D)`, channels in the order of the schema.

    **Raises:** `ArgumentError` if there is no such frame.
    """
    if not -trajectories.frames <= time < trajectories.frames:
        raise ArgumentError("time", got=time, expected=f"an index into {trajectories.frames} frames")
    blocks = {
        key: jnp.asarray(np.stack([trajectories.fields[field.name][:, time] for field in fields], axis=1))
        for key, fields in fields_by_key(trajectories.schema).items()
    }
    return MultiImage(blocks, trajectories.D, trajectories.is_torus)


def persistence(X: MultiImage, past_steps: int = 1) -> MultiImage:
    """Predict that nothing changes: the newest frame of every field.

    Compare the error of a trained model with the error of this prediction.

    **Arguments:**

    - `X`: inputs whose channels are fields x past frames (time fastest), with any leading axes before the channels.
    - `past_steps`: frames in an input.

    **Returns:** an image of one channel per field.

    **Raises:** `ArgumentError` if the number of channels is not a multiple of `past_steps`.
    """
    axis = X.get_n_leading() - 1
    blocks = {}
    for key, block in X.items():
        if past_steps < 1 or block.shape[axis] % past_steps:
            raise ArgumentError(
                f"channels of block {key}",
                got=block.shape[axis],
                expected=f"a multiple of past_steps = {past_steps}",
            )
        newest = (slice(None),) * axis + (slice(past_steps - 1, None, past_steps),)
        blocks[key] = block[newest]
    return MultiImage(blocks, X.D, X.is_torus)


def _as_block(channels: list[np.ndarray]) -> jnp.ndarray:
    # each (trajectory, pair, *spatial, tensor) -> (trajectory * pair, channels, *spatial, tensor)
    block = np.stack(channels, axis=2)
    return jnp.asarray(block.reshape(-1, *block.shape[2:]))
