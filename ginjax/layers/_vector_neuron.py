"""Nonlinearities for vectors and tensors."""

import functools
import math
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PRNGKeyArray

from ..errors import ArgumentError
from ..geometric import (
    AnyArray,
    Key,
    PlanarImage,
    Signature,
    SignatureLike,
    inner,
    mix_channels,
    scale,
    with_adjoint,
)
from ._check import Image, check_channels, in_form_of
from ._draw import draw_uniform
from ._functions_by_name import FunctionsByName

_EVEN_SCALAR: Key = ((), 0)


def vector_neuron(
    x: Float[AnyArray, "components channels *spatial"],
    weights: Float[AnyArray, "channels channels"],
    scalar_activation: Callable[[Array], Array],
    eps: float,
) -> Float[Array, "components channels *spatial"]:
    r"""Apply an activation along a learned direction.

    $$u = \frac{W x}{|W x| + \epsilon}, \quad a = \langle x, u \rangle, \quad
      y = x - a u + \frac{\sigma(a)}{|a| + \epsilon} a u$$

    This is done at every pixel and for every output channel; the matrix $W$ mixes channels.

    **Arguments:**

    - `x`: `(components, channels, *spatial)`, of any tensor order including 0.
    - `weights`: $W$, `(channels, channels)`.
    - `scalar_activation`: $\sigma$, an elementwise function.
    - `eps`: keeps the quotients finite.

    **Returns:** the same shape as `x`. Derivatives are finite everywhere, also for zero fields.
    """
    shape = x.shape
    # Flat, because operations are fused only if they have the same axes.
    x = jnp.asarray(x).reshape(*shape[:2], -1)
    mixed = mix_channels(x, weights)
    if _is_pure(scalar_activation):
        return _along_direction(scalar_activation, float(eps))(x, mixed).reshape(shape)
    return _bent(scalar_activation, eps, x, mixed).reshape(shape)


def activate(
    x: Float[AnyArray, "components channels *spatial"], activation: Callable[[Array], Array]
) -> Float[Array, "components channels *spatial"]:
    """Apply an elementwise function to `(components, channels, *spatial)`; the backward pass keeps only `x`."""
    flat = jnp.asarray(x).reshape(*x.shape[:2], -1)
    return (_frugal(activation)(flat) if _is_pure(activation) else activation(flat)).reshape(x.shape)


def _is_pure(activation: Callable[[Array], Array]) -> bool:
    """Whether a function depends on its argument alone, so that the compiled derivative can be cached.

    JAX differentiates all others: activations with parameters of their own, or that close over arrays.
    """
    try:
        hash(activation)
        return not jax.make_jaxpr(activation)(jax.ShapeDtypeStruct((1, 1, 1), jnp.float32)).consts
    except TypeError:
        return False


@functools.lru_cache(maxsize=256)
def _frugal(activation: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return with_adjoint(
        lambda x: (activation(x), ()),
        lambda arguments, _, g: jax.vjp(activation, *arguments)[1](g),
    )


def _bent(activation: Callable[[Array], Array], eps: float, x: Array, m: Array) -> Array:
    """Compute `x + k m`; the number `k` of each pixel and channel depends only on the products `m.m` and `x.m`."""
    return x + scale(_factor(activation, eps, inner(m, m), inner(x, m)), m)


def _factor(activation: Callable[[Array], Array], eps: float, squared: Array, product: Array) -> Array:
    # The inner `where` keeps the derivative of the root at 0, which is infinite, out of the backward pass.
    length = jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1)), 0) + eps
    along = product / length
    gain = activation(along) / (jnp.abs(along) + eps)
    # A quotient: compilers compute it once for all components, but would repeat a product for each of them.
    return (gain - 1) * along / length


def _factor_slopes(
    activation: Callable[[Array], Array], eps: float, squared: Array, product: Array, g: Array
) -> tuple[Array, Array, Array]:
    """Return `_factor`, `2 g` times its derivative by `squared`, and `g` times that by `product`; all are quotients."""
    root = jnp.sqrt(jnp.where(squared > 0, squared, 1))
    length = jnp.where(squared > 0, root, 0) + eps
    along = product / length
    value, back = jax.vjp(activation, along)
    (slope,) = back(jnp.ones_like(value))
    size = jnp.abs(along) + eps
    gain = value / size
    factor = (gain - 1) * along / length
    bend = along * (slope - jnp.where(along >= 0, gain, -gain)) / size + (gain - 1)
    by_product = g * bend / (length * length)
    by_squared = jnp.where(squared > 0, -(by_product * product + g * factor), 0) / (length * root)
    return factor, by_squared, by_product


@functools.lru_cache(maxsize=256)
def _along_direction(activation: Callable[[Array], Array], eps: float) -> Callable[..., Array]:
    """Return `_bent` with a derivative that keeps only `x` and `m`."""

    def forward(x: Array, m: Array) -> tuple[Array, tuple[()]]:
        return _bent(activation, eps, x, m), ()

    def adjoint(arguments: Sequence[Array], _: object, g: Array) -> tuple[Array, Array]:
        x, m = arguments
        products = inner(m, m), inner(x, m), inner(g, m)
        factor, by_squared, by_product = _factor_slopes(activation, eps, *products)
        gx = g + scale(by_product, m)
        return gx, scale(factor, g) + scale(by_squared, m) + scale(by_product, x)

    return with_adjoint(forward, adjoint)


class VectorNeuronNonlinear(FunctionsByName):
    r"""Apply an activation to even scalars, and the equivariant `vector_neuron` to all other fields.

    Odd scalars count as vectors with one component. Parameters: `weights[key]`, `(channels, channels)`, for every key except
    that of the even scalars; the initial values are uniform between $\pm 1/\sqrt{\text{channels}}$.

    ??? cite "Reference"

        Deng et al., *Vector Neurons: A General Framework for SO(3)-Equivariant Networks*, 2021, arXiv:2104.12229.

    **Arguments:**

    - `input_keys`: the signature.
    - `D`: the dimension.
    - `scalar_activation`: an elementwise function.
    - `eps`: keeps quotients finite at zero.
    - `key`: a JAX random key; needed unless all fields are even scalars.

    **Raises:** `ArgumentError` if the random key is needed but missing.
    """

    input_keys: Signature = eqx.field(static=True)
    D: int = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    scalar_activation: Callable[[Array], Array]
    weights: dict[Key, Float[Array, "_channels _channels"]]

    def __init__(
        self,
        input_keys: SignatureLike,
        D: int,
        scalar_activation: Callable[[Array], Array] = jax.nn.relu,
        eps: float = 1e-5,
        key: PRNGKeyArray | None = None,
    ):
        self.input_keys = Signature(input_keys)
        self.D = D
        self.eps = eps
        self.scalar_activation = scalar_activation
        learned = [(field, channels) for field, channels in self.input_keys if field != _EVEN_SCALAR]
        if learned and key is None:
            raise ArgumentError(
                "no random key for the weights of VectorNeuronNonlinear",
                expected="key=jax.random.key(seed)",
            )
        self.weights = {}
        subkeys = jax.random.split(key, len(learned)) if learned and key is not None else ()
        for subkey, (field, channels) in zip(subkeys, learned, strict=True):
            bound = 1 / math.sqrt(max(channels, 1))
            self.weights[field] = draw_uniform(subkey, (channels, channels), bound)

    def __call__(self, x: Image) -> Image:
        planes = PlanarImage.of(x)
        check_channels("VectorNeuronNonlinear", planes, self.input_keys)
        blocks = {
            key: activate(block, self.scalar_activation)
            if key == _EVEN_SCALAR
            else vector_neuron(block, self.weights[key], self.scalar_activation, self.eps)
            for key, block in planes.items()
        }
        return in_form_of(x, PlanarImage(blocks, x.D, x.is_torus))
