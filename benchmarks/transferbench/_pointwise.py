"""The same linear map at every pixel."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PRNGKeyArray


class Pointwise(eqx.Module):
    """`y(x) = W z(x) + b`, in any number of dimensions."""

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"]

    def __init__(self, inputs: int, outputs: int, key: PRNGKeyArray):
        self.weight = jax.random.normal(key, (outputs, inputs)) * inputs**-0.5
        self.bias = jnp.zeros(outputs)

    def __call__(self, z: Float[Array, "in *spatial"]) -> Float[Array, "out *spatial"]:
        return jnp.tensordot(self.weight, z, 1) + self.bias.reshape(-1, *(1,) * (z.ndim - 1))
