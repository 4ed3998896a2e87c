"""Errors of short rollouts, step by step, on windows with several frames after their input."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, PyTree

from ginjax.data import Tiling, Windows
from ginjax.geometric import AnyArray, MultiImage, compiled
from ginjax.ml.score import NrmseSums, nrmse_loss
from ginjax.ml.task._crop import Crop, make_batch_step, step_by_tiles
from ginjax.ml.task._frames import Frames

DIVERGED = 1e6
"""The error of a rollout that gives NaN, infinity or more than this: a finite number, for means and JSON files."""

RolloutErrors = Callable[[PyTree], Float[np.ndarray, " steps"]]
"""`model -> errors`: the nRMSE of a model at every step of a rollout."""


def rollout_errors(
    windows: Windows,
    indices: Int[np.ndarray, " batch"],
    frames: Frames,
    batch_size: int = 8,
    crop: Crop | None = None,
) -> RolloutErrors:
    """Make a function, compiled once, that rolls a model out on windows and compares every frame with the truth.

    **Arguments:**

    - `windows`: windows whose targets are frames of the fields themselves, not changes; a rollout has as many steps as
      a window has such frames.
    - `indices`: numbers of the windows to use.
    - `frames`: the layout of inputs and predictions.
    - `batch_size`: windows rolled out at once.
    - `crop`: parts of the grid that are predicted one after the other, to save memory; None for all at once.

    **Returns:** `model -> errors`: at each step, the geometric mean of the nRMSE over the windows; each nRMSE counts as at
    most `DIVERGED`. In an arithmetic mean, a single window whose field ends in another state would outweigh all others.
    """
    tiling = None if crop is None else crop.tiling(windows.source.spatial)
    if tiling is not None and not tiling.is_whole:
        return _by_tiles(windows, indices, frames, tiling)
    steps, size = windows.future_steps, min(batch_size, len(indices))

    @compiled
    def of_batch(model: PyTree, x: MultiImage, truth: MultiImage) -> Float[AnyArray, "steps batch"]:
        def step(current: MultiImage, true: MultiImage) -> tuple[MultiImage, Float[AnyArray, " batch"]]:
            predicted = jax.vmap(lambda sample: model(sample)[0])(current)
            frame = frames.as_fields(current, predicted)
            error = jnp.asarray(nrmse_loss(frame, true, reduce=None))
            return frames.next_input(current, predicted), error

        return jax.lax.scan(step, x, truth)[1]

    def errors(model: PyTree) -> Float[np.ndarray, " steps"]:
        model, found = eqx.nn.inference_mode(model), []
        for start in range(0, len(indices), size):
            # A smaller last batch would need another compilation. It is filled up instead, and the filling is dropped.
            x, y = windows.take(indices[np.minimum(np.arange(start, start + size), len(indices) - 1)])
            x, y = jax.tree.map(jnp.asarray, (x, y))
            measured = np.asarray(of_batch(model, x, _by_step(y, steps)), np.float64)
            found.append(measured[:, : len(indices) - start])
        return _typical(np.concatenate(found, axis=1))

    return errors


def _by_tiles(
    windows: Windows, indices: Int[np.ndarray, " batch"], frames: Frames, tiling: Tiling
) -> RolloutErrors:
    """Do the same one window and one tile after the other."""
    steps, step = windows.future_steps, make_batch_step(frames)

    def errors(model: PyTree) -> Float[np.ndarray, " steps"]:
        model, found = eqx.nn.inference_mode(model), []
        for index in indices:
            x, y = windows.take([int(index)])
            measured = []
            for number in range(steps):
                frame, x = step_by_tiles(step, model, x, tiling)
                error = NrmseSums()
                error.add(frame, MultiImage({k: b[:, number::steps] for k, b in y.items()}, y.D, y.is_torus))
                measured.append(error.value())
            found.append(measured)
        return _typical(np.concatenate(found, axis=1))

    return errors


def _typical(each: Float[np.ndarray, "steps batch"]) -> Float[np.ndarray, " steps"]:
    """Compute the geometric mean over windows."""
    each = np.where(each < DIVERGED, np.maximum(each, 1 / DIVERGED), DIVERGED)
    return np.exp(np.log(each).mean(axis=1))


def _by_step(y: MultiImage, steps: int) -> MultiImage:
    """Move the frames of a target to a first axis: `(batch, fields * steps, ...)` to `(steps, batch, fields, ...)`."""
    blocks = {}
    for key, block in y.items():
        split = jnp.reshape(block, (block.shape[0], -1, steps, *block.shape[2:]))
        blocks[key] = jnp.moveaxis(split, 2, 0)
    return MultiImage(blocks, y.D, y.is_torus)
