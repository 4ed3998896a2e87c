"""Losses on batches of multi-images.

Each takes a prediction and a target with blocks `(batch, channels, *spatial, D, ..., D)`, pairs the blocks by key
and returns the mean over the batch, or with `reduce=None` one value per sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import jax.numpy as jnp
from jax import Array

from ginjax.errors import ArgumentError
from ginjax.geometric import TINY, MultiImage

Reduce = Literal["mean"] | None


def smse_loss(prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean") -> Array:
    """Squared error, summed over channels and components, averaged over pixels.

    `mean_x sum_{c, i} (a_c(x)_i - b_c(x)_i)^2`, summed over keys.

    **Arguments:**

    - `prediction`, `target`: blocks `(batch, channels, *spatial, D, ..., D)` of the same keys and shapes.
    - `reduce`: `"mean"` over the batch, or None for one value a sample.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    squared = [jnp.sum(_per_pixel(a - b), axis=1) for a, b in _paired(prediction, target)]
    return _reduced(sum(jnp.mean(error, axis=1) for error in squared), reduce)


def normalized_smse_loss(
    prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean", eps: float = TINY
) -> Array:
    """The error of `smse_loss` relative to the target's squared tensor norm at each pixel.

    `mean_x sum_c |a_c(x) - b_c(x)|^2 / (|b_c(x)|^2 + eps)`, summed over keys.

    **Arguments:**

    - `prediction`, `target`, `reduce`: as in `smse_loss`.
    - `eps`: keeps the quotient finite where the target vanishes.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    relative = [
        jnp.sum(_per_pixel(a - b) / (_per_pixel(b) + eps), axis=1) for a, b in _paired(prediction, target)
    ]
    return _reduced(sum(jnp.mean(error, axis=1) for error in relative), reduce)


def nrmse_loss(prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean") -> Array:
    """Norm of the difference over norm of the target, channel by channel.

    `mean_c |a_c - b_c| / |b_c|`, the norms over all pixels and components, the mean over the channels of all keys.
    Where target and difference both vanish the quotient counts as 0; where only the target does it is infinite.

    **Arguments:**

    - `prediction`, `target`, `reduce`: as in `smse_loss`.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    ratios = [
        _ratio(jnp.sum(_per_pixel(a - b), axis=2), jnp.sum(_per_pixel(b), axis=2))
        for a, b in _paired(prediction, target)
    ]
    return _reduced(jnp.mean(jnp.concatenate(ratios, axis=1), axis=1), reduce)


def nrmse_per_pixel_loss(prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean") -> Array:
    """Tensor norm of the difference over tensor norm of the target, pixel by pixel.

    `mean_{c, x} |a_c(x) - b_c(x)| / |b_c(x)|`, the mean over the channels of all keys. Where target and difference
    both vanish the quotient counts as 0; where only the target does it is infinite.

    **Arguments:**

    - `prediction`, `target`, `reduce`: as in `smse_loss`.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    ratios = [_ratio(_per_pixel(a - b), _per_pixel(b)) for a, b in _paired(prediction, target)]
    return _reduced(jnp.mean(jnp.concatenate(ratios, axis=1), axis=(1, 2)), reduce)


def l2_rel_error(prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean") -> Array:
    """`nrmse_loss` in percent; same arguments, result and errors."""
    return 100 * nrmse_loss(prediction, target, reduce)


def l2_per_pixel_rel_error(prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean") -> Array:
    """`nrmse_per_pixel_loss` in percent; same arguments, result and errors."""
    return 100 * nrmse_per_pixel_loss(prediction, target, reduce)


def _paired(prediction: MultiImage, target: MultiImage) -> Iterator[tuple[Array, Array]]:
    """Matching blocks as `(batch, channels, pixels, components)`."""
    if prediction.D != target.D or set(prediction) != set(target) or not len(target):
        raise ArgumentError(
            "keys of the prediction",
            got=f"{list(prediction)} in {prediction.D} dimensions",
            expected=f"{list(target)} in {target.D} dimensions, as the target has",
        )
    for key, b in target.items():
        a = prediction[key]
        # Unequal shapes would broadcast to a number that means nothing.
        if a.shape != b.shape:
            raise ArgumentError(f"shape of block {key} of the prediction", got=a.shape, expected=b.shape)
        if b.ndim != 2 + target.D + len(key[0]):
            raise ArgumentError(
                f"axes of block {key}",
                got=b.shape,
                expected=f"(batch, channels, {target.D} spatial axes, {len(key[0])} tensor axes)",
                hint="A single sample needs a batch axis of length 1.",
            )
        shape = (*b.shape[:2], -1, target.D ** len(key[0]))
        yield jnp.reshape(a, shape), jnp.reshape(b, shape)


def _per_pixel(block: Array) -> Array:
    """Squared tensor norm at each pixel, `(batch, channels, pixels)`."""
    return jnp.sum(jnp.square(block), axis=-1)


def _ratio(squared_error: Array, squared_norm: Array) -> Array:
    """`sqrt(squared_error / squared_norm)`; 0, with derivative 0, where there is no error."""
    wrong = squared_error > 0
    # The root of a vanishing error has an infinite derivative, which the inner `where` keeps out of the gradient.
    error = jnp.sqrt(jnp.where(wrong, squared_error, 1))
    return jnp.where(wrong, error / jnp.sqrt(jnp.where(wrong, squared_norm, 1)), 0)


def _reduced(values: Array | int, reduce: Reduce) -> Array:
    if reduce not in ("mean", None):
        raise ArgumentError("reduce", got=repr(reduce), expected="'mean' or None")
    return jnp.mean(values) if reduce == "mean" else jnp.asarray(values)
