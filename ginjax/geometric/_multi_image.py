"""Fields of several orders and parities on one grid."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Int, Shaped

from .._jax_internals import is_traced
from .._not_carried import refuse_methods
from ..errors import ArgumentError, UnsupportedError
from ._arrays import AnyArray
from ._block_mapping import BlockMapping, Blocks
from ._components import from_scalar_channels, to_scalar_channels
from ._group import GroupElement, signed_permutation, times_group_element
from ._image import GeometricImage
from ._keys import Key, Signature, SignatureLike, key_name, parse_torus
from ._ops import average_pool, norm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SCALAR: Key = ((), 0)


@refuse_methods
@jax.tree_util.register_pytree_with_keys_class
class MultiImage(BlockMapping):
    """Blocks of geometric images on one grid, one block for each key `(k, p)`.

    A block is an array `(channels, *spatial, D, ..., D)` with `k` tensor axes at the end. Further axes, such as a batch axis,
    may come first. The class is a pytree whose leaves are the blocks in canonical key order; `D` and `is_torus` are static.
    Keys may have any form that `canonical_key` accepts.

    **Arguments:**

    - `data`: the blocks, by key.
    - `D`: the dimension.
    - `is_torus`: whether the grid is periodic: one bool, or one per axis.
    - `metric_tensor`: must be None; grids are flat.

    **Raises:** `ArgumentError` if two blocks differ in the grid or in the number of leading axes, or if a tensor axis is not
    `D` long; `UnsupportedError` for a metric.
    """

    def __init__(
        self,
        data: Blocks,
        D: int,
        is_torus: bool | Iterable[bool] = True,
        metric_tensor: None = None,
    ):
        if metric_tensor is not None:
            raise UnsupportedError(
                "metric tensors are not supported", expected="metric_tensor=None", hint="Grids are flat."
            )
        self.D = D
        self.is_torus = parse_torus(is_torus, D)
        self._blocks = {}
        for key, block in data.items():
            self[key] = block

    # --- shape ------------------------------------------------------------------------------------------------------

    def _first(self, question: str) -> tuple[Key, tuple[int, ...]]:
        if not self._blocks:
            raise ArgumentError(f"an image without blocks has no {question}", expected="at least one block")
        key, block = next(iter(self.items()))
        return key, tuple(jnp.shape(block))

    def get_n_leading(self) -> int:
        """Return the number of axes before the spatial axes (1 for a single sample); 0 for an image without blocks."""
        if not self._blocks:
            return 0
        (k, _), shape = self._first("leading axes")
        return len(shape) - self.D - len(k)

    def get_spatial_dims(self) -> tuple[int, ...]:
        """Return the number of pixels along each axis of the grid; `()` for an image without blocks."""
        if not self._blocks:
            return ()
        _, shape = self._first("grid")
        return shape[self.get_n_leading() :][: self.D]

    def get_L(self) -> int:
        """Return the length of the first axis (the batch, if there is one) of the first block; 0 without blocks."""
        return self._first("first axis")[1][0] if self._blocks else 0

    def get_signature(self) -> Signature:
        """Return the keys and their numbers of channels; the last leading axis of a block is that of the channels."""
        axis = self._channel_axis() if self._blocks else 0
        return Signature((key, jnp.shape(block)[axis]) for key, block in self.items())

    def get_signature_dict(self) -> dict[Key, int]:
        """Return the signature as a dictionary from key to number of channels."""
        return dict(self.get_signature())

    def size(self) -> int:
        """Return the number of values in all blocks together."""
        return sum(int(np.prod(jnp.shape(block))) for block in self.values())

    def _channel_axis(self) -> int:
        n_leading = self.get_n_leading()
        if n_leading == 0:
            raise ArgumentError(
                "the blocks have no channel axis", got=self, expected="(channels, *spatial, ...)"
            )
        return n_leading - 1

    # --- conversion -------------------------------------------------------------------------------------------------

    def to_vector(self) -> Shaped[Array, " values"]:
        """Return all values as one vector, block after block in canonical order."""
        if not self._blocks:
            return jnp.zeros(0)
        return jnp.concatenate([jnp.ravel(block) for block in self.values()])

    @classmethod
    def from_vector(cls, v: Shaped[AnyArray, " values"], like: "MultiImage") -> Self:
        """Undo `to_vector`; keys, shapes, `D` and `is_torus` are those of `like`."""
        if jnp.shape(v) != (like.size(),):
            raise ArgumentError("the vector has the wrong length", got=jnp.shape(v), expected=(like.size(),))
        blocks, start = {}, 0
        for key, block in like.items():
            stop = start + int(np.prod(jnp.shape(block)))
            blocks[key] = v[start:stop].reshape(jnp.shape(block))
            start = stop
        return cls(blocks, like.D, like.is_torus)

    def to_scalar_multi_image(self) -> Self:
        """Turn all components into scalar channels: keys in canonical order, channel-major, components row-major."""
        if not self._blocks:
            return self.empty()
        axis = self._channel_axis()
        parts = [to_scalar_channels(self.D, block, axis + 1) for block in self.values()]
        return self._with({_SCALAR: jnp.concatenate(parts, axis=axis)})

    def from_scalar_multi_image(self, signature: SignatureLike) -> Self:
        """Undo `to_scalar_multi_image`: read the scalar channels as fields of the given signature.

        **Raises:** `ArgumentError` unless the image has only even scalars, exactly as many as `signature` has components.
        """
        signature = Signature(signature)
        counts = [channels * self.D ** len(k) for (k, _), channels in signature]
        if sum(counts) == 0 and not self._blocks:
            return self.empty()
        if list(self) != [_SCALAR] or self.get_signature_dict()[_SCALAR] != sum(counts):
            raise ArgumentError(
                "the channels do not match the signature",
                got=self.get_signature(),
                expected=f"{sum(counts)} even scalar channels for {signature}",
            )
        axis = self._channel_axis()
        parts = jnp.split(self[_SCALAR], np.cumsum(counts)[:-1], axis=axis)
        return self._with(
            {
                key: from_scalar_channels(self.D, part, axis + 1, len(key[0]))
                for (key, _), part in zip(signature, parts, strict=True)
            }
        )

    def get_component(self, component: int | slice, future_steps: int = 1) -> Self:
        """Pick components as scalar channels, each with all its time steps.

        **Arguments:**

        - `component`: an index or a slice. With one time step, index `i` is channel `i` of `to_scalar_multi_image`.
        - `future_steps`: the number of time steps that the channels of a field hold, time varying fastest.

        **Raises:** `ArgumentError` for an index out of range, or channels that `future_steps` does not divide.
        """
        axis = self._channel_axis()
        parts = [self._by_step(key, block, axis, future_steps) for key, block in self.items()]
        components = jnp.concatenate(parts, axis=axis)
        count = components.shape[axis]
        if isinstance(component, slice):
            chosen = range(count)[component]
        else:
            _check_index(component, count, "component")
            chosen = [component % count]
        taken = jnp.take(components, jnp.asarray(chosen, int), axis=axis)
        shape = taken.shape
        merged = (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
        return self._with({_SCALAR: taken.reshape(merged)})

    def _by_step(self, key: Key, block: AnyArray, axis: int, steps: int) -> Shaped[Array, "*leading_field"]:
        """Reshape a block `(..., fields * steps, *spatial, D, ..., D)` to `(..., fields * D^k, steps, *spatial)`."""
        shape, components = jnp.shape(block), self.D ** len(key[0])
        if steps < 1 or shape[axis] % steps:
            raise ArgumentError(
                "future_steps", got=steps, expected=f"a divisor of the {shape[axis]} channels of block {key}"
            )
        spatial = shape[axis + 1 : axis + 1 + self.D]
        apart = jnp.reshape(block, (*shape[:axis], shape[axis] // steps, steps, *spatial, components))
        moved = jnp.moveaxis(apart, -1, axis + 1)
        return moved.reshape(*shape[:axis], shape[axis] // steps * components, steps, *spatial)

    def to_images(self) -> list[GeometricImage]:
        """Return a list of all single images (of all channels, and of all samples of a batch), key by key."""
        n_leading = self.get_n_leading()
        return [
            GeometricImage(image, key[1], self.D, self.is_torus, covariant_axes=key[0])
            for key, block in self.items()
            for image in jnp.reshape(block, (-1, *jnp.shape(block)[n_leading:]))
        ]

    @classmethod
    def from_images(cls, images: Iterable[GeometricImage]) -> Self:
        """Collect single images as channels; all must have the same `D`, `is_torus` and grid."""
        images = list(images)
        if not images:
            raise ArgumentError("no images were given", expected="at least one GeometricImage")
        result = cls({}, images[0].D, images[0].is_torus)
        for image in images:
            result = result.concat(cls({image.key: image.data[None]}, image.D, image.is_torus))
        return result

    # --- axes -------------------------------------------------------------------------------------------------------

    def expand(self, axis: int, size: int) -> Self:
        """Split leading axis `axis`, of length `n`, into two axes `(n / size, size)`; the second varies fastest."""
        self._check_leading([axis])
        for key, block in self.items():
            if size < 1 or jnp.shape(block)[axis] % size:
                raise ArgumentError(
                    f"axis {axis} of block {key} cannot be split",
                    got=f"length {jnp.shape(block)[axis]}, size {size}",
                    expected="a size that divides the length",
                )
        return self._reshape_leading(
            lambda shape: (*shape[:axis], shape[axis] // size, size, *shape[axis + 1 :])
        )

    def combine_axes(self, axes: Iterable[int]) -> Self:
        """Merge neighbouring leading axes into one; the last of them varies fastest."""
        axes = sorted(axes)
        self._check_leading(axes)
        if not axes or axes != list(range(axes[0], axes[-1] + 1)):
            raise ArgumentError("the axes are no neighbours", got=axes, expected="consecutive axes")
        first, stop = axes[0], axes[-1] + 1
        return self._reshape_leading(
            lambda shape: (*shape[:first], int(np.prod(shape[first:stop])), *shape[stop:])
        )

    def merge_axes(self, axes: Iterable[int]) -> Self:
        """Call `combine_axes`; another name for it."""
        return self.combine_axes(axes)

    def _check_leading(self, axes: Iterable[int]) -> None:
        n_leading = self.get_n_leading()
        for axis in axes:
            if not 0 <= axis < n_leading:
                raise ArgumentError("no such leading axis", got=axis, expected=f"0 <= axis < {n_leading}")

    def _reshape_leading(self, new_shape: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Self:
        return self._with(
            {key: jnp.reshape(block, new_shape(jnp.shape(block))) for key, block in self.items()}
        )

    def get_subset(self, idxs: Int[ArrayLike, "..."] | Sequence[int]) -> Self:
        """Return the given entries of the first axis, in the given order."""
        if not is_traced(idxs):
            for index in np.ravel(np.asarray(idxs)).tolist():
                for block in self.values():
                    _check_index(index, jnp.shape(block)[0], "entry")
        idxs = jnp.atleast_1d(jnp.asarray(idxs, dtype=int))
        return self._with({key: jnp.asarray(block)[idxs] for key, block in self.items()})

    def get_one(self, i: int = 0, keepdims: bool = True) -> Self:
        """Return entry `i` of the first axis. That axis keeps length 1, or is removed without `keepdims`."""
        subset = self.get_subset(i)
        return subset if keepdims else self._with({key: block[0] for key, block in subset.items()})

    # --- fields -----------------------------------------------------------------------------------------------------

    def times_group_element(self, g: GroupElement, precision: object = None) -> Self:
        """Apply a symmetry of the grid to every block, see `times_group_element`; `is_torus` is permuted with the axes."""
        source, _ = signed_permutation(g, self.D)
        blocks = {
            key: times_group_element(self.D, block, key[1], g, key[0], precision)
            for key, block in self.items()
        }
        return self._with(blocks, tuple(self.is_torus[axis] for axis in source))

    def norm(self) -> Self:
        """Return the pixelwise tensor norm of every channel, as scalar channels in canonical key order."""
        if not self._blocks:
            return self.empty()
        axis = self._channel_axis()
        parts = [norm(axis + 1 + self.D, block) for block in self.values()]
        return self._with({_SCALAR: jnp.concatenate(parts, axis=axis)})

    def plot(
        self, row_titles: Sequence[str] = (), col_titles: Sequence[str] = (), colorbar: bool = False
    ) -> "Figure":
        """Draw every channel of every sample: a row for each sample, a column for each channel of each key.

        **Arguments:**

        - `row_titles`: used instead of the numbers of the samples.
        - `col_titles`: used instead of the keys and the numbers of the channels.
        - `colorbar`: whether to draw colour scales.

        **Returns:** the matplotlib figure. A notebook shows it; its method `savefig` saves it.

        **Raises:** `ArgumentError` unless the image has one or two leading axes (channels, or samples and channels).
        """
        from ._plot import draw_image, new_figure, titled

        leading = self.get_n_leading()
        if leading not in (1, 2):
            raise ArgumentError(
                "axes before the grid", got=leading, expected="channels, or samples and channels"
            )
        columns = [
            (key, channel, name)
            for key, block in self.items()
            for channel in range(jnp.shape(block)[leading - 1])
            for name in [f"{key_name(key)} {channel}"]
        ]
        samples = self if leading == 2 else self._reshape_leading(lambda shape: (1, *shape))
        rows = samples.get_L()
        figure, panels = new_figure(max(rows, 1), max(len(columns), 1))
        for column, (key, channel, name) in enumerate(columns):
            block = np.asarray(samples[key])
            for row in range(rows):
                title = titled(col_titles, column, name) if row == 0 else ""
                ax = panels[row, column]
                draw_image(ax, block[row, channel], self.D, title, colorbar=colorbar)
                if column == 0 and rows > 1:
                    ax.set_ylabel(titled(row_titles, row, f"sample {row}"))
        return figure

    def average_pool(self, n: int) -> Self:
        """Average over patches of `n^D` pixels."""
        n_leading = self.get_n_leading()
        return self._with(
            {key: average_pool(self.D, block, n, n_leading=n_leading) for key, block in self.items()}
        )


def _check_index(index: int, length: int, what: str) -> None:
    # JAX clamps a static index that is out of range instead of refusing it.
    if not -length <= index < length:
        raise ArgumentError(f"no such {what}", got=index, expected=f"-{length} <= index < {length}")
