"""The factorised Fourier operator, carried to a higher dimension by copying the weights of an axis.

A layer is `z + W2 s(W1 K(z) + b1) + b2` with `K(z) = sum_d F_d^-1 (R_d . F_d z)`: along each axis `d` a Fourier
transform, of which the lowest modes are multiplied by matrices, mode by mode.

Tran et al., *Factorized Fourier Neural Operators*, 2023, arXiv:2111.13802; Hemmasian and Farimani, *Pretraining a
Neural Operator in Lower Dimensions*, 2024, arXiv:2407.17616.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float, PRNGKeyArray

from transferbench._pointwise import Pointwise


class FourierLayer(eqx.Module):
    """One layer.

    **Arguments:**

    - `spectral`: for each axis the real and imaginary parts of `R_d`, by mode.
    - `widen`, `narrow`: `W1, b1` and `W2, b2`.
    """

    spectral: tuple[Float[Array, "2 modes out in"], ...]
    widen: Pointwise
    narrow: Pointwise

    def __init__(self, D: int, channels: int, modes: int, key: PRNGKeyArray):
        *axes, wide, narrow = jax.random.split(key, D + 2)
        scale = (2 * channels) ** -0.5
        self.spectral = tuple(
            scale * jax.random.normal(axis, (2, modes, channels, channels)) for axis in axes
        )
        self.widen = Pointwise(channels, 2 * channels, wide)
        self.narrow = Pointwise(2 * channels, channels, narrow)

    def __call__(self, z: Float[Array, "channels *spatial"]) -> Float[Array, "channels *spatial"]:
        total = jnp.zeros_like(z)
        for axis, weights in enumerate(self.spectral, 1):
            total += _along(z, axis, jax.lax.complex(weights[0], weights[1]))
        return z + self.narrow(jax.nn.gelu(self.widen(total)))


def _along(
    z: Float[Array, "channels *spatial"], axis: int, weights: Complex[Array, "modes out in"]
) -> Float[Array, "channels *spatial"]:
    side, modes = z.shape[axis], len(weights)
    spectrum = jnp.moveaxis(jnp.fft.rfft(z, axis=axis), axis, 0)[:modes]
    mixed = jnp.einsum("moi,mi...->mo...", weights[: len(spectrum)], spectrum)
    return jnp.fft.irfft(jnp.moveaxis(mixed, 0, axis), n=side, axis=axis)


class FourierOperator(eqx.Module):
    """Lifting, layers, projection; on arrays `(channels, *spatial)`."""

    lift: Pointwise
    layers: tuple[FourierLayer, ...]
    project: tuple[Pointwise, Pointwise]

    def __init__(self, D: int, fields: int, channels: int, layers: int, modes: int, key: PRNGKeyArray):
        first, last, out, *inner = jax.random.split(key, layers + 3)
        self.lift = Pointwise(fields, channels, first)
        self.layers = tuple(FourierLayer(D, channels, modes, each) for each in inner)
        self.project = Pointwise(channels, 2 * channels, last), Pointwise(2 * channels, fields, out)

    def __call__(self, x: Float[Array, "fields *spatial"]) -> Float[Array, "fields *spatial"]:
        z = self.lift(x)
        for layer in self.layers:
            z = layer(z)
        return self.project[1](jax.nn.gelu(self.project[0](z)))


def with_more_axes(operator: FourierOperator, D: int) -> FourierOperator:
    """The operator in `D` dimensions: a new axis gets the mean of the weights of the old ones, from 1D a copy."""

    def extended(layer: FourierLayer) -> FourierLayer:
        mean = sum(layer.spectral[1:], layer.spectral[0]) / len(layer.spectral)
        added = (mean,) * (D - len(layer.spectral))
        return eqx.tree_at(lambda each: each.spectral, layer, (*layer.spectral, *added))

    return eqx.tree_at(lambda each: each.layers, operator, tuple(map(extended, operator.layers)))
