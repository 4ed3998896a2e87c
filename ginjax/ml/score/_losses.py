"""Losses on batches of multi-images.

Each takes a prediction and a target with blocks `(batch, channels, *spatial, D, ..., D)`, pairs the blocks by key
and returns the mean over the batch, or one value per sample with `reduce=None`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ginjax.errors import ArgumentError
from ginjax.geometric import TINY, AnyArray, MultiImage

Reduce = Literal["mean"] | None

LossValue = Float[Array, ""] | Float[Array, " batch"]
"""The mean over the batch, or one value per sample with `reduce=None`."""

Block = Float[AnyArray, "batch channels pixels components"]


def smse_loss(prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean") -> LossValue:
    """Squared error, summed over channels and components, averaged over pixels.

    `mean_x sum_{c, i} (a_c(x)_i - b_c(x)_i)^2`, summed over keys.

    **Arguments:**

    - `prediction`, `target`: blocks `(batch, channels, *spatial, D, ..., D)` of the same keys and shapes.
    - `reduce`: `"mean"` over the batch, or None for one value per sample.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    squared = [jnp.sum(_per_pixel(a - b), axis=1) for a, b in _paired(prediction, target)]
    return _reduced(sum(jnp.mean(error, axis=1) for error in squared), reduce)


def timestep_smse_loss(
    prediction: MultiImage, target: MultiImage, n_steps: int, reduce: Reduce = "mean"
) -> Float[Array, " steps"] | Float[Array, "batch steps"]:
    """Compute `smse_loss` separately for each of several time steps.

    `mean_x sum_{f, i} (a_{f, t}(x)_i - b_{f, t}(x)_i)^2` at step `t`, summed over keys.

    **Arguments:**

    - `prediction`, `target`: blocks `(batch, fields * n_steps, *spatial, D, ..., D)`, in which time varies fastest.
    - `n_steps`: number of time steps in the channels.
    - `reduce`: `"mean"` over the batch, or None for one value per sample.

    **Returns:** an array `(n_steps,)`, or `(batch, n_steps)`.

    **Raises:** `ArgumentError` if the images do not match, or if the channels of a block are not a multiple of `n_steps`.
    """
    steps = []
    for key, (a, b) in zip(target, _paired(prediction, target), strict=True):
        if n_steps < 1 or b.shape[1] % n_steps:
            raise ArgumentError(
                "n_steps", got=n_steps, expected=f"a divisor of the {b.shape[1]} channels of block {key}"
            )
        error = _per_pixel(a - b)
        fields = jnp.reshape(error, (len(error), -1, n_steps, error.shape[2]))
        steps.append(jnp.mean(jnp.sum(fields, axis=1), axis=2))
    return _reduced(sum(steps), reduce)


def normalized_smse_loss(
    prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean", eps: float = TINY
) -> LossValue:
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


def nrmse_loss(
    prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean", eps: float = 0
) -> LossValue:
    """Norm of the difference divided by the norm of the target, channel by channel.

    `mean_c |a_c - b_c| / (|b_c| + eps)`, with norms over all pixels and components, and the mean over the channels of all keys.
    If target and difference both vanish, the quotient counts as 0. If only the target vanishes, it is infinite unless
    `eps` is positive.

    **Arguments:**

    - `prediction`, `target`, `reduce`: as in `smse_loss`.
    - `eps`: added to the norm of the target.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    ratios = [
        _ratio(jnp.sum(_per_pixel(a - b), axis=2), jnp.sum(_per_pixel(b), axis=2), eps)
        for a, b in _paired(prediction, target)
    ]
    return _reduced(jnp.mean(jnp.concatenate(ratios, axis=1), axis=1), reduce)


def nrmse_per_pixel_loss(
    prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean", eps: float = 0
) -> LossValue:
    """Tensor norm of the difference divided by the tensor norm of the target, pixel by pixel.

    `mean_{c, x} |a_c(x) - b_c(x)| / (|b_c(x)| + eps)`, the mean over pixels and the channels of all keys. If target and
    difference both vanish, the quotient counts as 0. If only the target vanishes, it is infinite unless `eps` is positive.

    **Arguments:**

    - `prediction`, `target`, `reduce`: as in `smse_loss`.
    - `eps`: added to the norm of the target.

    **Returns:** a scalar, or an array `(batch,)`.

    **Raises:** `ArgumentError` if the images do not match.
    """
    ratios = [_ratio(_per_pixel(a - b), _per_pixel(b), eps) for a, b in _paired(prediction, target)]
    return _reduced(jnp.mean(jnp.concatenate(ratios, axis=1), axis=(1, 2)), reduce)


def l2_rel_error(
    prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean", eps: float = 0
) -> LossValue:
    """`nrmse_loss` in percent, with the same arguments, result and errors."""
    return 100 * nrmse_loss(prediction, target, reduce, eps)


def l2_per_pixel_rel_error(
    prediction: MultiImage, target: MultiImage, reduce: Reduce = "mean", eps: float = 0
) -> LossValue:
    """`nrmse_per_pixel_loss` in percent, with the same arguments, result and errors."""
    return 100 * nrmse_per_pixel_loss(prediction, target, reduce, eps)


def _paired(prediction: MultiImage, target: MultiImage) -> Iterator[tuple[Block, Block]]:
    """Matching blocks."""
    if prediction.D != target.D or set(prediction) != set(target) or not len(target):
        raise ArgumentError(
            "keys of the prediction",
            got=f"{list(prediction)} in {prediction.D} dimensions",
            expected=f"{list(target)} in {target.D} dimensions, as the target has",
        )
    for key, b in target.items():
        a = prediction[key]
        # Unequal shapes would broadcast to a meaningless number.
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


def _per_pixel(block: Block) -> Float[Array, "batch channels pixels"]:
    """Squared tensor norm at each pixel."""
    return jnp.sum(jnp.square(block), axis=-1)


def _ratio(
    squared_error: Float[Array, "batch channels *rest"],
    squared_norm: Float[Array, "batch channels *rest"],
    eps: float,
) -> Float[Array, "batch channels *rest"]:
    """`sqrt(squared_error) / (sqrt(squared_norm) + eps)`; 0, with derivative 0, where there is no error; NaN stays NaN."""
    wrong = squared_error != 0  # of NaN too
    return jnp.where(wrong, _root(squared_error) / (_root(jnp.where(wrong, squared_norm, 1)) + eps), 0)


def _root(squared: Float[Array, "*rest"]) -> Float[Array, "*rest"]:
    """`sqrt`, with derivative 0 at 0."""
    some = squared != 0
    # The root of 0 has an infinite derivative, which the inner `where` keeps out of the gradient.
    return jnp.where(some, jnp.sqrt(jnp.where(some, squared, 1)), 0)


def _reduced(values: Float[Array, "batch *rest"] | int, reduce: Reduce) -> Float[Array, "..."]:
    if reduce not in ("mean", None):
        raise ArgumentError("reduce", got=repr(reduce), expected="'mean' or None")
    return jnp.mean(values, axis=0) if reduce == "mean" else jnp.asarray(values)
