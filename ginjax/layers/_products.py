"""Pointwise products of fields as a nonlinearity."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..errors import ArgumentError
from ..geometric import AnyArray, Key, PlanarImage, Signature, SignatureLike, inner, mix_channels, scale
from ._check import Image, check_channels, in_form_of
from ._draw import draw_uniform
from ._functions_by_name import FunctionsByName
from ._vector_neuron import activate

LARGEST = 3.0
"""The bound on the length of a factor, so that products of products grow no faster than the fields."""

_SCALAR: Key = ((), 0)
_VECTOR: Key = ((False,), 0)
_TENSOR: Key = ((False, False), 0)


def bounded(
    x: Float[AnyArray, "components channels *spatial"],
) -> Float[Array, "components channels *spatial"]:
    r"""Compute $x / \sqrt{1 + |x|^2 / 9}$ at every pixel and channel, which keeps the direction and bounds the length by 3."""
    return scale(jax.lax.rsqrt(1 + inner(x, x) / LARGEST**2), x)


class ProductNonlinear(FunctionsByName):
    r"""Apply an activation to even scalars, and multiply fields with each other at every pixel.

    Let $s$ be the even scalars, $x$ the fields of any other order and parity, $v$ the even vectors among them,
    $\hat x = x / \sqrt{1 + |x|^2 / 9}$, and $P$ and $G$ learned matrices that mix channels. Then

    $$s \to \left(\sigma(s),\; \langle \hat x_c, (P \hat x)_c \rangle\right), \qquad
      x \to \left(x,\; \tanh(G s)\, \hat x\right), \qquad
      T_c = \hat v_c \otimes (P \hat v)_c$$

    A convolution from the 2-tensors $T$ to vectors is the derivative of a product, such as the advection
    $\nabla \cdot (u \otimes u)$. A nonlinearity along one field cannot form such a derivative.

    Products commute with rotations and reflections, and with the embedding of fields in a higher dimension: components that
    are zero stay zero or add nothing. The factors are bounded, so the result grows no faster than the fields; a rollout can
    still grow from step to step.

    **Arguments:**

    - `input_keys`: the signature.
    - `D`: the dimension.
    - `scalar_activation`: $\sigma$, an elementwise function.
    - `key`: a JAX random key; needed unless all fields are even scalars.

    Parameters for every key except that of the even scalars: `partners[key]` ($P$), `(channels, channels)`, and, if there are
    even scalars, `gates[key]` ($G$), `(channels, scalar channels)`. The initial values of a matrix with $n$ columns are
    uniform between $\pm 1/\sqrt{n}$.

    **Raises:** `ArgumentError` if the random key is needed but missing.
    """

    input_keys: Signature = eqx.field(static=True)
    D: int = eqx.field(static=True)
    scalar_activation: Callable[[Array], Array]
    partners: dict[Key, Float[Array, "_channels _channels"]]
    gates: dict[Key, Float[Array, "_channels _scalars"]]

    def __init__(
        self,
        input_keys: SignatureLike,
        D: int,
        scalar_activation: Callable[[Array], Array],
        key: Array | None = None,
    ):
        self.input_keys = Signature(input_keys)
        self.D = D
        self.scalar_activation = scalar_activation
        scalars = dict(self.input_keys).get(_SCALAR, 0)
        learned = [(field, channels) for field, channels in self.input_keys if field != _SCALAR]
        if learned and key is None:
            raise ArgumentError(
                "no random key for the weights of ProductNonlinear", expected="key=jax.random.key(seed)"
            )
        self.partners, self.gates = {}, {}
        subkeys = jax.random.split(key, 2 * len(learned)) if learned and key is not None else ()
        for i, (field, channels) in enumerate(learned):
            self.partners[field] = draw_uniform(subkeys[2 * i], (channels, channels), channels**-0.5)
            if scalars:
                self.gates[field] = draw_uniform(
                    subkeys[2 * i + 1], (channels, scalars), 1 / math.sqrt(scalars)
                )

    @property
    def output_keys(self) -> Signature:
        """The signature of the first image of the result."""
        return product_keys(self.input_keys)

    @property
    def tensor_keys(self) -> Signature:
        """The signature of the second image of the result; empty if there is none."""
        return tensor_keys(self.input_keys)

    def __call__(self, x: Image) -> tuple[Image, Image | None]:
        """Apply to one sample.

        **Returns:** an image with the signature `output_keys`, and the 2-tensors with the signature `tensor_keys` (None
        without even vectors).

        **Raises:** `ArgumentError` for an image of other keys.
        """
        planes = PlanarImage.of(x)
        check_channels("ProductNonlinear", planes, self.input_keys)
        shapes = {key: block.shape for key, block in planes.items()}
        # Flat, because operations are fused only if they have the same axes.
        flat = {key: block.reshape(*block.shape[:2], -1) for key, block in planes.items()}
        spatial = next(iter(shapes.values()))[2:]
        scalars = flat.get(_SCALAR)
        found: list[Array] = [] if scalars is None else [activate(scalars, self.scalar_activation)]
        blocks: dict[Key, Array] = {}
        tensors = None
        for key, block in flat.items():
            if key == _SCALAR:
                continue
            factor = bounded(block)
            partner = mix_channels(factor, self.partners[key])
            found.append(inner(factor, partner)[None])
            parts = [block]
            if scalars is not None:
                gate = jnp.tanh(mix_channels(scalars, self.gates[key]))[0]
                parts.append(scale(gate, factor))
            blocks[key] = jnp.concatenate(parts, axis=1)
            if key == _VECTOR:
                half = _tensor_channels(block.shape[1])
                outer = factor[:, None, :half] * partner[None, :, :half]
                tensors = outer.reshape(-1, half, *spatial)
        if found:
            blocks[_SCALAR] = jnp.concatenate(found, axis=1)
        shaped = {key: block.reshape(*block.shape[:2], *spatial) for key, block in blocks.items()}
        first = in_form_of(x, PlanarImage(shaped, x.D, x.is_torus))
        if tensors is None:
            return first, None
        return first, in_form_of(x, PlanarImage({_TENSOR: tensors}, x.D, x.is_torus))


def product_keys(signature: SignatureLike) -> Signature:
    """Return the signature of the first result of `ProductNonlinear`, without the 2-tensors."""
    given = Signature(signature)
    scalars = dict(given).get(_SCALAR, 0)
    others = [(key, channels) for key, channels in given if key != _SCALAR]
    blocks = [(key, channels * (2 if scalars else 1)) for key, channels in others]
    return Signature([(_SCALAR, scalars + sum(channels for _, channels in others)), *blocks])


def tensor_keys(signature: SignatureLike) -> Signature:
    """Return the signature of the 2-tensors of `ProductNonlinear`: half as many as even vectors, and at least one."""
    vectors = dict(Signature(signature)).get(_VECTOR, 0)
    return Signature([(_TENSOR, _tensor_channels(vectors))] if vectors else [])


def _tensor_channels(vectors: int) -> int:
    return max(1, vectors // 2)
