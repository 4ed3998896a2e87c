"""Group normalisation of scalar and vector channels."""

import functools
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ..errors import ArgumentError, UnsupportedError
from ..geometric import AnyArray, Key, PlanarImage, Signature, SignatureLike, with_adjoint
from ._check import Image, check_channels, in_form_of
from ._inverse_sqrt import inverse_sqrt_and_spectrum, inverse_sqrt_change

_EVEN_SCALAR: Key = ((), 0)


def standardise(
    x: Float[AnyArray, "channels pixels"],
    weight: Float[AnyArray, " channels"],
    bias: Float[AnyArray, " channels"],
    groups: int,
    eps: float,
) -> Float[Array, "channels pixels"]:
    r"""Centre and scale scalar channels, group by group.

    $$y_c = w_c (x_c - \mu) / \sqrt{\sigma^2 + \epsilon} + b_c$$

    Here $\mu$ and $\sigma^2$ are the mean and the variance over the pixels and channels of a group.

    **Arguments:**

    - `x`: `(channels, pixels)`.
    - `weight`, `bias`: `(channels,)`.
    - `groups`: the number of groups; it must divide the number of channels.
    - `eps`: added to the variance.

    **Returns:** the same shape and dtype as `x`.
    """
    return _standardise(groups, eps)(x, weight, bias)


@functools.lru_cache(maxsize=64)
def _standardise(groups: int, eps: float) -> Callable[..., Array]:
    def forward(x: Array, weight: Array, bias: Array) -> tuple[Array, tuple[Array, ...]]:
        wide = _at_least_single(x)
        means = jnp.mean(wide, axis=1)
        spreads = jnp.mean(jnp.square(wide - means[:, None]), axis=1)
        mean = _group_mean(means, groups)
        variance = _group_mean(spreads + (means - mean) ** 2, groups)
        rate = jax.lax.rsqrt(variance + eps)
        y = (rate * weight)[:, None] * (wide - mean[:, None]) + bias[:, None]
        return y.astype(x.dtype), (mean, rate)

    def adjoint(arguments: Sequence[Array], kept: Sequence[Array], g: Array) -> tuple[Array, ...]:
        (x, weight, _), (mean, rate) = arguments, kept
        slope = _at_least_single(g)
        centred = _at_least_single(x) - mean[:, None]
        total, along = jnp.sum(slope, 1), jnp.sum(slope * centred, 1)
        pixels = x.shape[1]
        shift = rate * _group_mean(weight * total, groups) / pixels
        share = rate**3 * _group_mean(weight * along, groups) / pixels
        gx = (rate * weight)[:, None] * slope - shift[:, None] - share[:, None] * centred
        return gx, rate * along, total

    return with_adjoint(forward, adjoint)


def whiten(
    x: Float[AnyArray, "dim channels pixels"],
    weight: Float[AnyArray, " channels"],
    bias: Float[AnyArray, " channels"],
    groups: int,
    eps: float,
) -> Float[Array, "dim channels pixels"]:
    r"""Centre, whiten and scale vector channels, group by group, and add a multiple of each channel's mean.

    $$y_c = w_c (\Sigma + \epsilon)^{-1/2} (x_c - \mu) + b_c \bar x_c$$

    Here $\mu$ is the mean vector and $\Sigma$ the $D \times D$ covariance over the pixels and channels of a group, and
    $\bar x_c$ is the mean vector of channel $c$. A component that is zero everywhere stays exactly zero.

    **Arguments:**

    - `x`: `(D, channels, pixels)`.
    - `weight`, `bias`: `(channels,)`.
    - `groups`: the number of groups; it must divide the number of channels.
    - `eps`: added to the eigenvalues of the covariance.

    **Returns:** the same shape and dtype as `x`.
    """
    return _whiten(groups, eps)(x, weight, bias)


@functools.lru_cache(maxsize=64)
def _whiten(groups: int, eps: float) -> Callable[..., Array]:
    exact = jax.lax.Precision.HIGHEST  # the root magnifies rounding errors by up to 1/sqrt(eps)

    def forward(x: Array, weight: Array, bias: Array) -> tuple[Array, tuple[Array, ...]]:
        _, channels, pixels = x.shape
        wide = _at_least_single(x)
        means = jnp.mean(wide, axis=2)
        mean = _group_mean(means, groups)
        centred = wide - mean[..., None]
        products = jnp.sum(centred[:, None] * centred, -1)
        grouped = products.reshape(*products.shape[:2], groups, -1).sum(-1)
        covariance = jnp.moveaxis(grouped, -1, 0) / (pixels * (channels // groups))
        root, spectrum = inverse_sqrt_and_spectrum(covariance, eps)
        y = _turned(_by_channel(root, weight), centred) + (bias * means)[..., None]
        return y.astype(x.dtype), (means, covariance, root, *spectrum)

    def adjoint(arguments: Sequence[Array], kept: Sequence[Array], g: Array) -> tuple[Array, ...]:
        (x, weight, bias), (means, covariance, root, *spectrum) = arguments, kept
        D, channels, pixels = x.shape
        slope = _at_least_single(g)
        centred = _at_least_single(x) - _group_mean(means, groups)[..., None]
        total = jnp.sum(slope, 2)
        # Sums of products of components, channel by channel: (channels, D, D).
        along = jnp.moveaxis(jnp.sum(slope[:, None] * centred, -1), -1, 0)
        roots = jnp.repeat(root, channels // groups, 0)
        by_root = (weight[:, None, None] * along).reshape(groups, -1, D, D).sum(1)
        # The mean's own part in the covariance vanishes, since deviations sum to zero.
        by_covariance = inverse_sqrt_change(
            covariance, eps, root, (spectrum[0], spectrum[1]), by_root.astype(root.dtype)
        )
        spread = 2 * by_covariance * groups / (pixels * channels)
        turned = jnp.einsum("cab,bc->ac", roots, weight * total, precision=exact)
        shift = bias * total / pixels - _group_mean(turned, groups) / pixels
        gx = (
            _turned(_by_channel(root, weight), slope)
            + _turned(jnp.repeat(spread, channels // groups, 0), centred)
            + shift[..., None]
        )
        return gx, jnp.sum(roots * along, (1, 2)), jnp.sum(means * total, 0)

    return with_adjoint(forward, adjoint)


def _group_mean(x: Array, groups: int) -> Array:
    """For each channel the mean over its group; `(..., channels)`."""
    grouped = x.reshape(*x.shape[:-1], groups, -1)
    return jnp.broadcast_to(jnp.mean(grouped, -1, keepdims=True), grouped.shape).reshape(x.shape)


def _by_channel(matrices: Array, weight: Array) -> Array:
    """A matrix for each group and a factor for each channel as a matrix for each channel, `(channels, D, D)`."""
    return jnp.repeat(matrices, len(weight) // len(matrices), 0) * weight[:, None, None]


def _turned(matrices: Array, x: Array) -> Array:
    """Compute `sum_b A[c, a, b] x[b, c]` for `x` of shape `(D, channels, pixels)`."""
    # There are few components. A sum over them fuses with the operations around it and needs no transposes.
    columns = jnp.moveaxis(matrices, 0, -1)[..., None]
    return functools.reduce(lax.add, [columns[:, b] * x[b] for b in range(len(x))])


def _at_least_single(x: Array) -> Array:
    """Convert to float32 or a wider type, in which statistics are computed."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


class GroupNorm(eqx.Module):
    r"""Equivariant group normalisation.

    Even scalars are normalised and get a scale and an additive bias per channel, as usual. Vectors of either parity are
    whitened and scaled, and a multiple of the mean of each channel is added:

    $$y_c = s_c \, \mathrm{whiten}(x)_c + b_c \, \bar x_c$$

    where $\bar x_c$ is the mean over the pixels of channel $c$ of the input. Odd scalars are normalised and scaled only,
    because an added constant would not change sign with them.

    Parameters, all of shape `(channels,)`, with initial values in brackets: `vanilla_norm[key].weight` (1) and `.bias` (0)
    for even scalars; `scale[key]` (1) for all other fields; `bias[key]` (0) for vectors.

    **Arguments:**

    - `input_keys`: the signature.
    - `D`: the dimension.
    - `groups`: the number of groups of channels; the channels of a group share their statistics.
    - `eps`: added to the variances.

    **Raises:** `ArgumentError` if `groups` does not divide the channels of a key; `UnsupportedError` for tensors of order 2
    and more.
    """

    input_keys: Signature = eqx.field(static=True)
    D: int = eqx.field(static=True)
    groups: int = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    scale: dict[Key, Float[Array, " _channels"]]
    bias: dict[Key, Float[Array, " _channels"]]
    vanilla_norm: dict[Key, eqx.nn.GroupNorm]

    def __init__(self, input_keys: SignatureLike, D: int, groups: int, eps: float = 1e-5):
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

    def _normalise(self, key: Key, block: AnyArray) -> Array:
        flat = block.reshape(*block.shape[:2], -1)
        if key[0]:
            y = whiten(flat, self.scale[key], self.bias[key], self.groups, self.eps)
        elif key == _EVEN_SCALAR:
            weight, bias = self.vanilla_norm[key].weight, self.vanilla_norm[key].bias
            if weight is None or bias is None:
                raise AssertionError("a norm without parameters")
            y = standardise(flat[0], weight, bias, self.groups, self.eps)
        else:
            scale = self.scale[key]
            y = standardise(flat[0], scale, jnp.zeros_like(scale), self.groups, self.eps)
        return y.reshape(block.shape)


class LayerNorm(GroupNorm):
    """Group normalisation with all channels of a key in one group; arguments and errors as in `GroupNorm`."""

    def __init__(self, input_keys: SignatureLike, D: int, eps: float = 1e-5):
        super().__init__(input_keys, D, 1, eps)
