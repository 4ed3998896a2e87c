"""Conversion between tensor components and scalar channels."""

import math

import jax.numpy as jnp
from jax import Array
from jaxtyping import Shaped

from ._arrays import AnyArray


def to_scalar_channels(
    D: int, block: Shaped[AnyArray, "*leading_field"], n_leading: int
) -> Shaped[Array, "*leading_spatial"]:
    """Turn tensor components into channels, channel-major: `(*batch, c, *spatial, D^k)` to `(*batch, c D^k, *spatial)`."""
    block = jnp.asarray(block)
    *batch, channels = block.shape[:n_leading]
    spatial, tensor = block.shape[n_leading : n_leading + D], block.shape[n_leading + D :]
    order = len(tensor)
    moved = jnp.moveaxis(block, range(block.ndim - order, block.ndim), range(n_leading, n_leading + order))
    return moved.reshape(*batch, channels * math.prod(tensor), *spatial)


def from_scalar_channels(
    D: int, block: Shaped[AnyArray, "*leading_spatial"], n_leading: int, order: int
) -> Shaped[Array, "*leading_field"]:
    """Undo `to_scalar_channels` for a field of the given tensor order."""
    block = jnp.asarray(block)
    *batch, channels = block.shape[:n_leading]
    spatial = block.shape[n_leading:]
    split = block.reshape(*batch, channels // D**order, *(D,) * order, *spatial)
    return jnp.moveaxis(split, range(n_leading, n_leading + order), range(split.ndim - order, split.ndim))
