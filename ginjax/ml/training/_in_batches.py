"""Compute losses and predictions of a whole data set, batch by batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PRNGKeyArray, PyTree

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.ml.score import Reduce
from ginjax.ml.task import count_samples, take

MapAndLossPlus = Callable[..., tuple[Any, ...]]
"""`(model, x_batch, y_batch, aux_data) -> (loss, aux_data)`, or `(loss, aux_data, prediction)`."""

_one_batch = eqx.filter_jit(lambda function, model, x, y, aux_data: function(model, x, y, aux_data))


def evaluate(
    model: PyTree,
    map_and_loss: MapAndLossPlus,
    x: MultiImage,
    y: MultiImage,
    aux_data: PyTree = None,
    return_map: bool = False,
) -> Any:
    """Compute the loss of a model on one batch, in inference mode.

    **Arguments:**

    - `model`: the model.
    - `map_and_loss`: `(model, x, y, aux_data) -> (loss, aux_data)`; with `return_map`, it must return the prediction too.
    - `x`, `y`: blocks `(batch, channels, *spatial, D, ..., D)`, or with a preceding axis of devices as from `get_batches`.
    - `aux_data`: passed to `map_and_loss`; not changed.
    - `return_map`: whether to return the prediction too.

    **Returns:** the loss from `map_and_loss`, or the loss and the prediction.

    **Raises:** `ArgumentError` if the second argument is not a function, or does not return what was asked for.
    """
    if not callable(map_and_loss):
        raise ArgumentError(
            "map_and_loss",
            got=type(map_and_loss).__name__,
            expected="a function",
            hint="The order is evaluate(model, map_and_loss, x, y); a data set in batches: map_loss_in_batches.",
        )
    x, y = (each.combine_axes((0, 1)) if each.get_n_leading() == 3 else each for each in (x, y))
    found = _one_batch(map_and_loss, eqx.nn.inference_mode(model), x, y, aux_data)
    _check_returned(found, 3 if return_map else 2)
    return (found[0], found[2]) if return_map else found[0]


def map_loss_in_batches(
    map_and_loss: MapAndLossPlus,
    model: PyTree,
    x: MultiImage,
    y: MultiImage,
    batch_size: int,
    rand_key: PRNGKeyArray | None = None,
    devices: Sequence[Any] | None = None,
    aux_data: PyTree = None,
    reduce: Reduce = "mean",
) -> Float[Array, "..."]:
    """Compute the loss of a model on a data set, in inference mode; every sample counts once, also in a smaller last batch.

    **Arguments:**

    - `map_and_loss`: `(model, x_batch, y_batch, aux_data) -> (loss, aux_data)`; several losses are on the last axis.
    - `model`: the model.
    - `x`, `y`: blocks `(samples, channels, *spatial, D, ..., D)`.
    - `batch_size`: samples evaluated at once.
    - `rand_key`: ignored, because the order makes no difference; accepted because scripts pass it.
    - `devices`: the first of them is used; the default device if None.
    - `aux_data`: passed to `map_and_loss`; not changed.
    - `reduce`: "mean" over the samples. None, if `map_and_loss` returns one value per sample, to return all of these in the
      order of the data.

    **Returns:** the mean, or an array with one entry per sample.

    **Raises:** `ArgumentError` if inputs and targets differ in length, or `batch_size` is below 1.
    """
    losses, weights = [], []
    with _on(devices):
        for size, found in _over(map_and_loss, model, x, y, batch_size, aux_data, None):
            _check_returned(found, 2)
            losses.append(found[0])
            weights.append(size)
    return _reduced(losses, weights, reduce)


def map_plus_loss_in_batches(
    map_and_loss: MapAndLossPlus,
    model: PyTree,
    x: MultiImage,
    y: MultiImage,
    batch_size: int,
    rand_key: PRNGKeyArray | None = None,
    devices: Sequence[Any] | None = None,
    aux_data: PyTree = None,
) -> tuple[Float[Array, "..."], MultiImage]:
    """Compute the mean loss of a model on a data set and all its predictions, in inference mode.

    **Arguments:** as in `map_loss_in_batches`, except

    - `map_and_loss`: `(model, x_batch, y_batch, aux_data) -> (loss, aux_data, prediction)`.
    - `rand_key`: the predictions are in the order of `get_batches` with the same key; None for the order of the data.

    **Returns:** the loss and the predictions, blocks `(samples, channels, *spatial, D, ..., D)`.

    **Raises:** as `map_loss_in_batches`.
    """
    losses, weights, predictions = [], [], []
    with _on(devices):
        for size, found in _over(map_and_loss, model, x, y, batch_size, aux_data, rand_key):
            _check_returned(found, 3)
            losses.append(found[0])
            weights.append(size)
            predictions.append(found[2])
    together = jax.tree_util.tree_map(lambda *blocks: jnp.concatenate(blocks), *predictions)
    return _reduced(losses, weights, "mean"), together


def get_batches(
    multi_images: Sequence[MultiImage] | MultiImage,
    batch_size: int,
    rand_key: PRNGKeyArray | None,
    devices: Sequence[Any] | None = None,
) -> list[list[MultiImage]]:
    """Cut data sets into batches in one common random order; samples that do not fill a batch are left out.

    **Arguments:**

    - `multi_images`: one data set, or several with the same number of samples, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `batch_size`: samples in a batch, a multiple of the number of devices.
    - `rand_key`: random key of the order; None for the order of the data.
    - `devices`: the devices for which the batches are meant; None for all local ones. Only their number matters.

    **Returns:** for each data set, a list of batches, blocks `(devices, batch_size / devices, channels, ...)`.

    **Raises:** `ArgumentError` for data sets of different lengths, or a batch that cannot be filled or divided.
    """
    images = [multi_images] if isinstance(multi_images, MultiImage) else list(multi_images)
    lengths = {image.get_L() for image in images}
    shares = len(jax.local_devices() if devices is None else devices)
    if len(lengths) != 1:
        raise ArgumentError("samples of the data sets", got=sorted(lengths), expected="one number for all")
    samples = lengths.pop()
    if not 1 <= batch_size <= samples or batch_size % shares:
        raise ArgumentError(
            "batch_size",
            got=batch_size,
            expected=f"a multiple of {shares} devices, at most {samples} samples",
        )
    order = _order(samples, rand_key)
    starts = range(0, samples - batch_size + 1, batch_size)
    return [
        [
            image.get_subset(order[start : start + batch_size]).expand(0, batch_size // shares)
            for start in starts
        ]
        for image in images
    ]


def _over(
    map_and_loss: MapAndLossPlus,
    model: PyTree,
    x: MultiImage,
    y: MultiImage,
    batch_size: int,
    aux_data: PyTree,
    rand_key: PRNGKeyArray | None,
):
    """Yield the number of samples of each batch and what `map_and_loss` returns for it."""
    if batch_size < 1:
        raise ArgumentError("batch_size", got=batch_size, expected="at least 1")
    order = _order(count_samples(x, y), rand_key)
    model = eqx.nn.inference_mode(model)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        x_batch, y_batch = take((x, y), chosen)
        yield len(chosen), _one_batch(map_and_loss, model, x_batch, y_batch, aux_data)


def _order(samples: int, rand_key: PRNGKeyArray | None) -> np.ndarray:
    return np.arange(samples) if rand_key is None else np.asarray(jax.random.permutation(rand_key, samples))


def _check_returned(found: Any, least: int) -> None:
    if not isinstance(found, tuple) or len(found) < least:
        raise ArgumentError(
            "what map_and_loss returned",
            got=f"{len(found)} values" if isinstance(found, tuple) else type(found).__name__,
            expected="(loss, aux_data)" if least == 2 else "(loss, aux_data, prediction)",
        )


def _reduced(losses: list[Any], weights: list[int], reduce: Reduce) -> Float[Array, "..."]:
    if reduce is None:
        return jnp.concatenate(losses)
    if reduce != "mean":
        raise ArgumentError("reduce", got=repr(reduce), expected="'mean' or None")
    stacked = np.asarray(jax.device_get(losses), np.float64)
    return jnp.asarray(np.average(stacked, axis=0, weights=weights), jnp.float32)


def _on(devices: Sequence[Any] | None) -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext() if not devices else jax.default_device(devices[0])
