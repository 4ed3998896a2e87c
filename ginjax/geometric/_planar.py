"""Fields with separate tensor components: the form in which layers compute."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Num

from ..errors import ArgumentError
from ._arrays import AnyArray
from ._block_mapping import BlockMapping, Blocks
from ._keys import Key, Signature
from ._multi_image import MultiImage


@jax.tree_util.register_pytree_with_keys_class
class PlanarImage(BlockMapping):
    """One sample of a field in which each tensor component is a plane of its own.

    A block is `(components, channels, *spatial)`, with the `D^k` components in row-major order. These are the blocks of a
    `MultiImage` with the tensor axes moved to the front. In this form every operation runs along whole rows of pixels, and
    a convolution need not move the components first. Networks convert once at their input and once at their output.
    """

    def __init__(self, data: Blocks, D: int, is_torus: tuple[bool, ...]):
        self.D = D
        self.is_torus = is_torus
        self._blocks = {}
        for key, block in data.items():
            self[key] = block

    @classmethod
    def of(cls, image: BlockMapping) -> "PlanarImage":
        """Convert a `MultiImage` of one sample, with blocks `(channels, *spatial, D, ..., D)`; keep a `PlanarImage` as it is."""
        if isinstance(image, PlanarImage):
            return image
        if not isinstance(image, MultiImage) or (len(image) and image.get_n_leading() != 1):
            raise ArgumentError(
                "input of a layer",
                got=image if not isinstance(image, MultiImage) else f"{image.get_n_leading()} leading axes",
                expected="a MultiImage with 1 leading axis",
                hint="Layers take one sample; use jax.vmap for a batch.",
            )
        D = image.D
        blocks = {}
        for (k, p), block in image.items():
            flat = jnp.reshape(block, (*jnp.shape(block)[: D + 1], D ** len(k)))
            blocks[k, p] = jnp.moveaxis(flat, -1, 0)
        return cls(blocks, D, image.is_torus)

    def to_image(self) -> MultiImage:
        """Undo `of`."""
        blocks = {}
        for (k, p), block in self.items():
            moved = jnp.moveaxis(block, 0, -1)
            blocks[k, p] = jnp.reshape(moved, (*moved.shape[:-1], *(self.D,) * len(k)))
        return MultiImage(blocks, self.D, self.is_torus)

    def get_signature(self) -> Signature:
        """Return the keys and their numbers of channels."""
        return Signature((key, jnp.shape(block)[1]) for key, block in self.items())

    def get_spatial_dims(self) -> tuple[int, ...]:
        """Return the number of pixels along each axis of the grid."""
        return tuple(jnp.shape(next(iter(self.values())))[2:])

    def concat(self, other: BlockMapping, axis: int = 1) -> "PlanarImage":
        """Return the union of two fields; if both have a key, their channels are joined."""
        return super().concat(other, axis)

    def packed(self) -> Num[Array, "packed *spatial"]:
        """Return all planes along one axis, `(packed, *spatial)`, ordered by key, then component, then channel."""
        parts = [block.reshape(-1, *block.shape[2:]) for block in self.values()]
        return jnp.concatenate(parts) if len(parts) > 1 else jnp.asarray(parts[0])

    @classmethod
    def unpacked(
        cls, x: Num[Array, "packed *spatial"], signature: Signature, D: int, is_torus: tuple[bool, ...]
    ) -> "PlanarImage":
        """Undo `packed`."""
        sizes = [D ** len(key[0]) * channels for key, channels in signature]
        # A split, because its transpose is one concatenation.
        parts = lax.split(x, sizes) if len(sizes) > 1 else [x]
        blocks = {
            key: part.reshape(-1, channels, *x.shape[1:])
            for (key, channels), part in zip(signature, parts, strict=True)
        }
        return cls(blocks, D, is_torus)

    def _check_fits(self, key: Key, block: AnyArray, others: Mapping[Key, AnyArray]) -> None:
        shape, planes = tuple(jnp.shape(block)), self.D ** len(key[0])
        if len(shape) != self.D + 2 or shape[0] != planes:
            raise ArgumentError(
                f"block {key} has the wrong shape",
                got=shape,
                expected=f"({planes} components, channels, {self.D} spatial axes)",
            )
        for other, known in others.items():
            if tuple(jnp.shape(known))[2:] != shape[2:]:
                raise ArgumentError(
                    f"block {key} does not lie on the grid of block {other}",
                    got=shape[2:],
                    expected=tuple(jnp.shape(known))[2:],
                )
