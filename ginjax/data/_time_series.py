"""Inputs of past steps and targets of future steps, cut out of time series in memory."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ginjax.errors import ArgumentError
from ginjax.geometric import AnyArray, MultiImage


def time_series_idxs(
    past_steps: int, future_steps: int, delta_t: int, total_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """The steps of each window: `past_steps`, then `future_steps`, `delta_t` apart; a window begins at every step.

    **Arguments:**

    - `past_steps`, `future_steps`: number of steps in an input and in a target.
    - `delta_t`: distance between consecutive steps of a window.
    - `total_steps`: number of steps in the series.

    **Returns:** the steps of the inputs, `(windows, past_steps)`, and of the targets, `(windows, future_steps)`.

    **Raises:** `ArgumentError` for a series that is too short for a window.
    """
    for name, value in (("past_steps", past_steps), ("future_steps", future_steps), ("delta_t", delta_t)):
        if value < 1:
            raise ArgumentError(name, got=value, expected="1 or more")
    windows = total_steps - past_steps * delta_t - (future_steps - 1) * delta_t
    if windows < 1:
        raise ArgumentError(
            "total_steps", got=total_steps, expected=f"at least {total_steps - windows + 1} for a window"
        )
    begins = np.arange(windows)[:, None]
    return begins + delta_t * np.arange(past_steps), begins + delta_t * (past_steps + np.arange(future_steps))


def times_series_to_multi_images(
    dynamic_fields: MultiImage,
    constant_fields: MultiImage,
    total_steps: int,
    past_steps: int,
    future_steps: int,
    skip_initial: int = 0,
    delta_t: int = 1,
    downsample: int = 0,
) -> tuple[MultiImage, MultiImage]:
    """Cut one time series into inputs and targets.

    **Arguments:**

    - `dynamic_fields`: blocks `(fields * total_steps, *spatial, D, ..., D)`, time fastest.
    - `constant_fields`: blocks `(fields, *spatial, D, ..., D)`, may be empty; they are in every input, after the other fields.
    - `total_steps`: steps of the series.
    - `past_steps`, `future_steps`, `delta_t`: see `time_series_idxs`.
    - `skip_initial`: number of steps to leave out at the beginning.
    - `downsample`: how many times to halve the grid; each time, a new pixel is the mean of `2^D` pixels.

    **Returns:** inputs `(windows, fields * past_steps + constants, *spatial, ...)` and targets
    `(windows, fields * future_steps, *spatial, ...)`, time fastest.

    **Raises:** `ArgumentError` if the channels do not fit the number of steps, or if the series is too short.
    """
    if skip_initial < 0 or downsample < 0:
        name, value = ("skip_initial", skip_initial) if skip_initial < 0 else ("downsample", downsample)
        raise ArgumentError(name, got=value, expected="0 or more")
    for key, block in dynamic_fields.items():
        if total_steps < 1 or jnp.shape(block)[0] % total_steps:
            raise ArgumentError(
                "total_steps",
                got=total_steps,
                expected=f"a divisor of the {jnp.shape(block)[0]} channels of block {key}",
            )
    past, future = time_series_idxs(past_steps, future_steps, delta_t, total_steps - skip_initial)

    def cut(steps: np.ndarray) -> MultiImage:
        return _mapped(dynamic_fields, lambda block: _windows(block, total_steps, steps + skip_initial))

    windows = len(past)
    repeated = _mapped(
        constant_fields, lambda block: jnp.broadcast_to(block[None], (windows, *jnp.shape(block)))
    )
    x = cut(past)
    x, y = x.concat(MultiImage(dict(repeated.items()), x.D, x.is_torus), axis=1), cut(future)
    for _ in range(downsample):
        x, y = x.average_pool(2), y.average_pool(2)
    return x, y


def batch_time_series(
    dynamic_fields: MultiImage,
    constant_fields: MultiImage,
    total_steps: int,
    past_steps: int,
    future_steps: int,
    skip_initial: int = 0,
    delta_t: int = 1,
    downsample: int = 0,
) -> tuple[MultiImage, MultiImage]:
    """Apply `times_series_to_multi_images` to several series: every block has one more axis in front, the series.

    **Returns:** as there, with the windows of all series one after the other on the first axis.
    """

    def one(dynamic: MultiImage, constant: MultiImage) -> tuple[MultiImage, MultiImage]:
        return times_series_to_multi_images(
            dynamic, constant, total_steps, past_steps, future_steps, skip_initial, delta_t, downsample
        )

    x, y = jax.vmap(one)(dynamic_fields, constant_fields)
    return x.combine_axes((0, 1)), y.combine_axes((0, 1))


def _windows(block: AnyArray, total_steps: int, steps: np.ndarray) -> Array:
    """Turn a block `(fields * total_steps, ...)` into `(windows, fields * steps, ...)`."""
    rest = jnp.shape(block)[1:]
    series = jnp.reshape(block, (-1, total_steps, *rest))
    chosen = jnp.moveaxis(series[:, steps], 1, 0)
    return chosen.reshape(len(steps), -1, *rest)


def _mapped(image: MultiImage, function: Callable[[AnyArray], Array]) -> MultiImage:
    return MultiImage({key: function(block) for key, block in image.items()}, image.D, image.is_torus)
