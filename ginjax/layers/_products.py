"""Pointwise products of fields as a nonlinearity."""

from collections.abc import Callable
from typing import Literal, get_args

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
"""What the length of a factor stays below, so that products of products stay finite."""

ProductForm = Literal["wide", "narrow"]
"""What becomes of products: further channels, or a part of the channels that are there."""

_SCALAR: Key = ((), 0)
_VECTOR: Key = ((False,), 0)
_TENSOR: Key = ((False, False), 0)


def bounded(
    x: Float[AnyArray, "components channels *spatial"],
) -> Float[Array, "components channels *spatial"]:
    r"""$x / \sqrt{1 + |x|^2 / 9}$ at every pixel and channel: the direction of `x`, and a length below 3."""
    return scale(jax.lax.rsqrt(1 + inner(x, x) / LARGEST**2), x)


class ProductNonlinear(FunctionsByName):
    r"""Scalars pass through an activation; every field is multiplied by others, pixel by pixel.

    With $\hat x = x / \sqrt{1 + |x|^2 / 9}$, learned mixtures $P$, $G$ and $M$ of channels, $s$ the even scalars, and $x$
    the fields of any other order and parity:

    $$s \to \sigma(s) + \sum_x M_x\, q^x, \qquad q^x_c = \langle \hat x_c, (P_x \hat x)_c \rangle, \qquad
      x \to x + \tanh(G_x s)\, \hat x, \qquad T_c = \hat v_c \otimes (P_v \hat v)_c$$

    with $v$ the even vectors. That is the form `"narrow"`, which leaves the channels as many as they were, so that the
    convolution after it costs what it costs after any nonlinearity. In the form `"wide"` the products are channels of
    their own, $s \to (\sigma(s), q^x)$ and $x \to (x, \tanh(G_x s)\, \hat x)$: twice as many. Without even scalars the
    $q^x$ become them, and $x$ stays as it is, in both forms.
    A convolution of the 2-tensors $T$ to vectors is the derivative of a product, such as the
    advection $\nabla \cdot (u \otimes u)$, which no nonlinearity along one field can form.

    Products commute with rotations and reflections, and with the embedding of fields in a higher dimension: components
    that are zero stay zero or add nothing. Factors are bounded, so that roll-outs stay finite.

    **Arguments:**

    - `input_keys`: the signature.
    - `D`: the dimension.
    - `scalar_activation`: $\sigma$, an elementwise function.
    - `key`: a JAX random key; needed unless all fields are even scalars.
    - `form`: `"wide"` or `"narrow"`.

    Parameters: `partners[key]` ($P$), `(channels, channels)`, `gates[key]` ($G$), `(channels, scalar channels)`, and, if
    narrow, `sums[key]` ($M$), `(scalar channels, channels)`, for every key but the even scalars, drawn uniformly from
    $\pm 1/\sqrt{n}$ with $n$ the number of their columns.

    **Raises:** `ArgumentError` if a key is needed and missing, or for a form that is none.
    """

    input_keys: Signature = eqx.field(static=True)
    D: int = eqx.field(static=True)
    scalar_activation: Callable[[Array], Array]
    partners: dict[Key, Float[Array, "_channels _channels"]]
    gates: dict[Key, Float[Array, "_channels _scalars"]]
    sums: dict[Key, Float[Array, "_scalars _channels"]]
    form: ProductForm = eqx.field(static=True)

    def __init__(
        self,
        input_keys: SignatureLike,
        D: int,
        scalar_activation: Callable[[Array], Array],
        key: Array | None = None,
        form: ProductForm = "wide",
    ):
        if form not in get_args(ProductForm):
            raise ArgumentError("form", got=repr(form), expected=" or ".join(get_args(ProductForm)))
        self.input_keys = Signature(input_keys)
        self.D = D
        self.form = form
        self.scalar_activation = scalar_activation
        scalars = dict(self.input_keys).get(_SCALAR, 0)
        learned = [(field, channels) for field, channels in self.input_keys if field != _SCALAR]
        if learned and key is None:
            raise ArgumentError(
                "no random key for the weights of ProductNonlinear", expected="key=jax.random.key(seed)"
            )
        self.partners, self.gates, self.sums = {}, {}, {}
        matrices = 3 if form == "narrow" else 2
        subkeys = jax.random.split(key, matrices * len(learned)) if learned and key is not None else ()
        for i, (field, channels) in enumerate(learned):
            own = subkeys[matrices * i : matrices * (i + 1)]
            self.partners[field] = draw_uniform(own[0], (channels, channels), channels**-0.5)
            if scalars:
                self.gates[field] = draw_uniform(own[1], (channels, scalars), scalars**-0.5)
            if scalars and form == "narrow":
                self.sums[field] = draw_uniform(own[2], (scalars, channels), channels**-0.5)

    @property
    def output_keys(self) -> Signature:
        """The signature of the first image of a result."""
        return product_keys(self.input_keys, self.form)

    @property
    def tensor_keys(self) -> Signature:
        """The signature of the second image of a result; empty if there is none."""
        return tensor_keys(self.input_keys)

    def __call__(self, x: Image) -> tuple[Image, Image | None]:
        """Apply to one sample.

        **Returns:** an image of `output_keys`, and the 2-tensors, of `tensor_keys`; None without even vectors.

        **Raises:** `ArgumentError` for an image of other keys.
        """
        planes = PlanarImage.of(x)
        check_channels("ProductNonlinear", planes, self.input_keys)
        shapes = {key: block.shape for key, block in planes.items()}
        # Flat: what is computed here joins other operations only where both see the same axes.
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
            product = inner(factor, partner)[None]
            found.append(mix_channels(product, self.sums[key]) if key in self.sums else product)
            parts = [block]
            if scalars is not None:
                gate = jnp.tanh(mix_channels(scalars, self.gates[key]))[0]
                parts.append(scale(gate, factor))
            blocks[key] = self._combined(parts)
            if key == _VECTOR:
                half = _tensor_channels(block.shape[1])
                outer = factor[:, None, :half] * partner[None, :, :half]
                tensors = outer.reshape(-1, half, *spatial)
        if found:
            blocks[_SCALAR] = jnp.concatenate(found, axis=1) if scalars is None else self._combined(found)
        shaped = {key: block.reshape(*block.shape[:2], *spatial) for key, block in blocks.items()}
        first = in_form_of(x, PlanarImage(shaped, x.D, x.is_torus))
        if tensors is None:
            return first, None
        return first, in_form_of(x, PlanarImage({_TENSOR: tensors}, x.D, x.is_torus))

    def _combined(self, parts: list[Array]) -> Array:
        """What is there and its products, as channels side by side or added."""
        return jnp.concatenate(parts, axis=1) if self.form == "wide" else sum(parts[1:], parts[0])


def product_keys(signature: SignatureLike, form: ProductForm = "wide") -> Signature:
    """What `ProductNonlinear` makes of a signature, its 2-tensors aside."""
    given = Signature(signature)
    scalars = dict(given).get(_SCALAR, 0)
    others = [(key, channels) for key, channels in given if key != _SCALAR]
    if form == "narrow" and scalars:
        return Signature([(_SCALAR, scalars), *others])
    blocks = [(key, channels * (2 if scalars else 1)) for key, channels in others]
    return Signature([(_SCALAR, scalars + sum(channels for _, channels in others)), *blocks])


def tensor_keys(signature: SignatureLike) -> Signature:
    """The 2-tensors that `ProductNonlinear` makes of a signature: half as many as there are even vectors."""
    vectors = dict(Signature(signature)).get(_VECTOR, 0)
    return Signature([(_TENSOR, _tensor_channels(vectors))] if vectors else [])


def _tensor_channels(vectors: int) -> int:
    return max(1, vectors // 2)
