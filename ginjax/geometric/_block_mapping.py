"""A container of arrays by field key: the base class of `MultiImage`."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Protocol, Self

import jax.numpy as jnp
import numpy as np
from jax.tree_util import DictKey
from jax.typing import ArrayLike
from jaxtyping import Shaped

from ..errors import ArgumentError
from ._arrays import AnyArray
from ._constants import TINY
from ._keys import Key, KeyLike, canonical_key, key_order


class Blocks(Protocol):
    """The type of blocks by key: a dictionary, or another image."""

    def items(self) -> Iterable[tuple[KeyLike, Shaped[AnyArray, "..."]]]:
        """Return the keys and blocks."""
        ...


class BlockMapping:
    """An abstract mapping from canonical key to block on one grid, with the arithmetic of a vector space.

    Subclasses set `D`, `is_torus` and `_blocks`, and are registered as pytrees.
    """

    D: int
    is_torus: tuple[bool, ...]
    _blocks: dict[Key, AnyArray]

    # --- pytree -----------------------------------------------------------------------------------------------------

    def tree_flatten_with_keys(self):
        """Return the blocks by key and the static values, for JAX."""
        children = tuple((DictKey(key), block) for key, block in self._blocks.items())
        return children, (tuple(self._blocks), self.D, self.is_torus)

    def tree_flatten(self):
        """Return the blocks and the static values, for JAX."""
        return tuple(self._blocks.values()), (tuple(self._blocks), self.D, self.is_torus)

    @classmethod
    def tree_unflatten(
        cls, aux: tuple[tuple[Key, ...], int, tuple[bool, ...]], children: Iterable[Any]
    ) -> Self:
        """Rebuild the mapping, for JAX."""
        # JAX may put anything into the leaves (None, axis numbers, shape structs), so nothing is checked here.
        self = object.__new__(cls)
        keys, self.D, self.is_torus = aux
        self._blocks = dict(zip(keys, children, strict=True))
        return self

    def _with(self, blocks: Blocks, is_torus: tuple[bool, ...] | None = None) -> Self:
        """Return an image of the same kind with other blocks."""
        image = object.__new__(type(self))
        image.D = self.D
        image.is_torus = self.is_torus if is_torus is None else is_torus
        image._blocks = {}
        for key, block in blocks.items():
            image[key] = block
        return image

    # --- mapping ----------------------------------------------------------------------------------------------------

    def keys(self) -> KeysView[Key]:
        """Return the keys in canonical order."""
        return self._blocks.keys()

    def values(self) -> ValuesView[AnyArray]:
        """Return the blocks in the order of the keys."""
        return self._blocks.values()

    def items(self) -> ItemsView[Key, AnyArray]:
        """Return the keys and blocks in the order of the keys."""
        return self._blocks.items()

    def __iter__(self) -> Iterator[Key]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    def __contains__(self, key: KeyLike) -> bool:
        return canonical_key(key) in self._blocks

    def __getitem__(self, key: KeyLike) -> Any:
        return self._blocks[canonical_key(key)]

    def __setitem__(self, key: KeyLike, block: AnyArray) -> None:
        key = canonical_key(key)
        others = {other: known for other, known in self._blocks.items() if other != key}
        self._check_fits(key, block, others)
        # Canonical order is an invariant: flattening and `to_vector` rely on it.
        self._blocks = {k: (others | {key: block})[k] for k in sorted({*others, key}, key=key_order)}

    def _check_fits(self, key: Key, block: AnyArray, others: Mapping[Key, AnyArray]) -> None:
        shape, order = tuple(jnp.shape(block)), len(key[0])
        first_tensor = len(shape) - order
        if first_tensor < self.D or any(length != self.D for length in shape[first_tensor:]):
            raise ArgumentError(
                f"block {key} has the wrong shape",
                got=shape,
                expected=f"(channels, {self.D} spatial axes, {order} tensor axes of length {self.D})",
            )
        if not others:
            return
        known_key, known = next(iter(others.items()))
        n_leading, known_leading = first_tensor - self.D, jnp.ndim(known) - self.D - len(known_key[0])
        spatial = shape[n_leading:first_tensor]
        known_spatial = jnp.shape(known)[known_leading : known_leading + self.D]
        if (n_leading, spatial) != (known_leading, known_spatial):
            raise ArgumentError(
                f"block {key} does not lie on the grid of block {known_key}",
                got=f"{n_leading} leading axes, grid {spatial}",
                expected=f"{known_leading} leading axes, grid {known_spatial}",
            )

    def append(self, k: int | tuple[bool, ...], p: int, block: AnyArray, axis: int = 0) -> Self:
        """Add a block in place and return the image; join it along `axis` if the key exists already."""
        key = canonical_key((k, p))
        self[key] = jnp.concatenate([self._blocks[key], block], axis=axis) if key in self._blocks else block
        return self

    def empty(self) -> Self:
        """Return an image without blocks, with the same `D` and `is_torus`."""
        return self._with({})

    def copy(self) -> Self:
        """Return an independent image that shares the (immutable) blocks."""
        return self._with(self._blocks)

    def concat(self, other: "BlockMapping", axis: int = 0) -> Self:
        """Return the union of two images; if both have a key, their blocks are joined along `axis`."""
        self._check_same_space(other)
        result = self.copy()
        for (k, p), block in other.items():
            result.append(k, p, block, axis)
        return result

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def _check_same_space(self, other: "BlockMapping") -> None:
        if (self.D, self.is_torus) != (other.D, other.is_torus):
            raise ArgumentError(
                "the images live in different spaces",
                got=f"D={other.D}, is_torus={other.is_torus}",
                expected=f"D={self.D}, is_torus={self.is_torus}",
            )

    def _paired(self, other: "BlockMapping") -> Iterator[tuple[Key, AnyArray, AnyArray]]:
        self._check_same_space(other)
        if self.keys() != other.keys():
            raise ArgumentError("the images have different keys", got=list(other), expected=list(self))
        return ((key, block, other[key]) for key, block in self.items())

    def __add__(self, other: "BlockMapping") -> Self:
        if not isinstance(other, BlockMapping):
            return NotImplemented
        return self._with({key: a + b for key, a, b in self._paired(other)})

    def __sub__(self, other: "BlockMapping") -> Self:
        if not isinstance(other, BlockMapping):
            return NotImplemented
        return self._with({key: a - b for key, a, b in self._paired(other)})

    def __mul__(self, scalar: ArrayLike) -> Self:
        if isinstance(scalar, BlockMapping) or jnp.ndim(scalar):
            return NotImplemented
        return self._with({key: block * scalar for key, block in self.items()})

    __rmul__ = __mul__

    def __truediv__(self, scalar: ArrayLike) -> Self:
        if isinstance(scalar, BlockMapping) or jnp.ndim(scalar):
            return NotImplemented
        return self._with({key: block / scalar for key, block in self.items()})

    def __neg__(self) -> Self:
        return self._with({key: -block for key, block in self.items()})

    def __eq__(self, other: object, rtol: float = TINY, atol: float = TINY) -> bool:
        """Whether keys, `D`, `is_torus` and shapes are the same, and the values agree within `atol + rtol |other|`."""
        if not isinstance(other, BlockMapping):
            return NotImplemented
        if (self.D, self.is_torus, list(self)) != (other.D, other.is_torus, list(other)):
            return False
        return all(
            np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=rtol, atol=atol)
            for a, b in zip(self.values(), other.values(), strict=True)
        )

    # Equality is tolerant, so no hash can agree with it.
    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        blocks = ", ".join(f"{key}: {getattr(block, 'shape', block)}" for key, block in self.items())
        return f"{type(self).__name__}(D={self.D}, is_torus={self.is_torus}, {{{blocks}}})"
