"""A network that is the same in every dimension by construction: one-dimensional filters, shared by all axes.

A layer is `z + W2 s(W0 z + b + sum_d A_d z)`, where `A_d` is one convolution along axis `d` with the weights that all
axes share and whose taps sum to zero: along an axis on which nothing varies it gives nothing, so that the network
does on embedded fields what it did in the low dimension.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PRNGKeyArray

from transferbench._pointwise import Pointwise


class AxialLayer(eqx.Module):
    """One layer; `taps` are the matrices of the neighbours before and after a pixel, on the difference to it."""

    taps: Float[Array, "2 out in"]
    here: Pointwise
    mix: Pointwise

    def __init__(self, channels: int, key: PRNGKeyArray):
        first, second, third = jax.random.split(key, 3)
        self.taps = jax.random.normal(first, (2, channels, channels)) * (2 * channels) ** -0.5
        self.here = Pointwise(channels, channels, second)
        self.mix = Pointwise(channels, channels, third)

    def __call__(self, z: Float[Array, "channels *spatial"]) -> Float[Array, "channels *spatial"]:
        before, after = (_differences(z, shift) for shift in (1, -1))
        inner = self.here(z) + jnp.tensordot(self.taps[0], before, 1) + jnp.tensordot(self.taps[1], after, 1)
        return z + self.mix(jax.nn.gelu(inner))


def _differences(z: Float[Array, "channels *spatial"], shift: int) -> Float[Array, "channels *spatial"]:
    """What the neighbours on one side have more than the pixel, summed over the axes."""
    return jnp.sum(jnp.stack([jnp.roll(z, shift, axis) - z for axis in range(1, z.ndim)]), axis=0)


class AxialNetwork(eqx.Module):
    """Lifting, layers, projection; on arrays `(channels, *spatial)`."""

    lift: Pointwise
    layers: tuple[AxialLayer, ...]
    project: tuple[Pointwise, Pointwise]

    def __init__(self, fields: int, channels: int, layers: int, key: PRNGKeyArray):
        first, last, out, *inner = jax.random.split(key, layers + 3)
        self.lift = Pointwise(fields, channels, first)
        self.layers = tuple(AxialLayer(channels, each) for each in inner)
        self.project = Pointwise(channels, 2 * channels, last), Pointwise(2 * channels, fields, out)

    def __call__(self, x: Float[Array, "fields *spatial"]) -> Float[Array, "fields *spatial"]:
        z = self.lift(x)
        for layer in self.layers:
            z = layer(z)
        return self.project[1](jax.nn.gelu(self.project[0](z)))
