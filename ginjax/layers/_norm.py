"""Group normalisation of scalar and vector channels."""

from collections.abc import Iterable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from ..errors import ArgumentError, UnsupportedError
from ..geometric import Key, PlanarImage, Signature
from ._check import Image, check_channels, in_form_of
from ._inverse_sqrt import inverse_sqrt

_EVEN_SCALAR: Key = ((), 0)


def standardise(x: Array, weight: Array | None, bias: Array | None, groups: int, eps: float) -> Array:
    r"""Centre and scale scalar channels, group by group.

    $$y_c = w_c (x_c - \mu) / \sqrt{\sigma^2 + \epsilon} + b_c$$

    with $\mu$ and $\sigma^2$ the mean and variance over the pixels and channels of a group.

    **Arguments:**

    - `x`: `(channels, *spatial)`.
    - `weight`, `bias`: `(channels,)`, or None for 1 and 0.
    - `groups`: the number of groups; it divides the channels.
    - `eps`: added to the variance.

    **Returns:** the same shape and dtype as `x`.
    """
    wide = _at_least_single(x).reshape(x.shape[0], -1)
    means = jnp.mean(wide, axis=1)
    # The sum of (x - mean) vanishes, so the mean's own derivative drops out here; written so, it is not computed.
    spreads = jnp.mean(jnp.square(wide - jax.lax.stop_gradient(means)[:, None]), axis=1)
    mean = jnp.mean(means.reshape(groups, -1), axis=1, keepdims=True)
    between = means.reshape(groups, -1) - mean
    variance = jnp.mean(spreads.reshape(groups, -1) + between**2, axis=1, keepdims=True)
    # (groups, channels of a group) -> (channels,)
    gain = jnp.broadcast_to(jax.lax.rsqrt(variance + eps), between.shape).ravel()
    gain = gain if weight is None else gain * weight
    centre = jnp.broadcast_to(mean, between.shape).ravel()
    y = gain[:, None] * (wide - centre[:, None])
    y = y if bias is None else y + bias[:, None]
    return y.reshape(x.shape).astype(x.dtype)


def whiten(x: Array, groups: int, eps: float) -> tuple[Array, Array]:
    r"""Centre and whiten vector channels, group by group.

    $$y = (\Sigma + \epsilon)^{-1/2} (x - \mu)$$

    with $\mu$ the mean vector and $\Sigma$ the $D \times D$ covariance over the pixels and channels of a group. A component
    that is zero everywhere stays exactly zero.

    **Arguments:**

    - `x`: `(D, channels, *spatial)`.
    - `groups`: the number of groups; it divides the channels.
    - `eps`: added to the eigenvalues of the covariance.

    **Returns:** `y`, of the same shape and dtype as `x`, and the mean of each channel, `(D, channels)`.
    """
    D, channels, *_ = x.shape
    wide = _at_least_single(x).reshape(D, channels, -1)
    means = jnp.mean(wide, axis=2)
    grouped = wide.reshape(D, groups, -1)
    mean = jnp.mean(means.reshape(D, groups, -1), axis=2, keepdims=True)
    exact = jax.lax.Precision.HIGHEST  # the root magnifies rounding errors by up to 1/sqrt(eps)
    # As for scalars, the derivative of the covariance with respect to the mean vanishes.
    centred = grouped - jax.lax.stop_gradient(mean)
    covariance = jnp.einsum("agn,bgn->gab", centred, centred, precision=exact) / grouped.shape[2]
    root = inverse_sqrt(covariance, eps)
    centred = grouped - mean
    # Few components: as sums over them this joins the operations around it, and needs no transposes.
    white = jnp.stack([sum(root[:, a, b, None] * centred[b] for b in range(D)) for a in range(D)])
    return white.reshape(x.shape).astype(x.dtype), means


def _at_least_single(x: Array) -> Array:
    """Statistics are taken in float32 at least."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


class GroupNorm(eqx.Module):
    r"""Equivariant group normalisation.

    Even scalars are normalised and get a scale and an additive bias per channel, as usual. Vectors of either parity are
    whitened (see `whiten`), scaled, and given back a multiple of what the centring took away:

    $$y_c = s_c \, \mathrm{whiten}(x)_c + b_c \, \bar x_c$$

    where $\bar x_c$ is the mean over the pixels of channel $c$ of the input. Odd scalars are normalised and scaled only,
    since an added constant would not change sign with them.

    Parameters: `vanilla_norm[key].weight` (1) and `.bias` (0) for even scalars; `scale[key]` (1) for the rest;
    `bias[key]` (0) for vectors. All are of shape `(channels,)`; the values in brackets are the initial ones.

    **Arguments:**

    - `input_keys`: the signature.
    - `D`: the dimension.
    - `groups`: the number of groups of channels that share their statistics.
    - `eps`: added to variances.

    **Raises:** `ArgumentError` if the channels of a key cannot be divided into groups; `UnsupportedError` for tensors of
    order 2 and more.
    """

    input_keys: Signature = eqx.field(static=True)
    D: int = eqx.field(static=True)
    groups: int = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    scale: dict[Key, Array]
    bias: dict[Key, Array]
    vanilla_norm: dict[Key, eqx.nn.GroupNorm]

    def __init__(self, input_keys: Iterable[Any], D: int, groups: int, eps: float = 1e-5):
        self.input_keys = Signature(input_keys)
        self.D = D
        self.groups = groups
        self.eps = eps
        self.scale, self.bias, self.vanilla_norm = {}, {}, {}
        for key, channels in self.input_keys:
            if len(key[0]) > 1:
                raise UnsupportedError(
                    "group normalisation of tensors is not supported",
                    got=f"key {key}",
                    expected="scalars and vectors",
                    hint="Leave tensors of order 2 and more out of the hidden signature, or switch normalisation off.",
                )
            if groups < 1 or channels % groups:
                raise ArgumentError(
                    f"the channels of key {key} cannot be divided into groups",
                    got=f"{channels} channels, {groups} groups",
                    expected="a number of groups that divides the channels",
                )
            if key == _EVEN_SCALAR:
                self.vanilla_norm[key] = eqx.nn.GroupNorm(groups, channels, eps)
                continue
            self.scale[key] = jnp.ones(channels)
            if key[0]:
                self.bias[key] = jnp.zeros(channels)

    def __call__(self, x: Image) -> Image:
        planes = PlanarImage.of(x)
        check_channels("GroupNorm", planes, self.input_keys)
        blocks = {key: self._normalise(key, block) for key, block in planes.items()}
        return in_form_of(x, PlanarImage(blocks, x.D, x.is_torus))

    def _normalise(self, key: Key, block: Array) -> Array:
        if key == _EVEN_SCALAR:
            affine = self.vanilla_norm[key]
            return standardise(block[0], affine.weight, affine.bias, self.groups, self.eps)[None]
        if not key[0]:
            return standardise(block[0], self.scale[key], None, self.groups, self.eps)[None]
        white, means = whiten(block, self.groups, self.eps)
        per_channel = (-1,) + (1,) * self.D
        shift = (self.bias[key] * means).reshape(*means.shape, *(1,) * self.D)
        return (self.scale[key].reshape(per_channel) * white + shift).astype(block.dtype)


def LayerNorm(input_keys: Iterable[Any], D: int, eps: float = 1e-5) -> GroupNorm:
    """Group normalisation with all channels of a key in one group; arguments and errors as of `GroupNorm`."""
    return GroupNorm(input_keys, D, 1, eps)
