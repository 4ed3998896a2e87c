"""One geometric image, and one filter."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Shaped

from .._not_carried import refuse_methods
from ..errors import ArgumentError
from ._arrays import AnyArray
from ._constants import TINY
from ._group import GroupElement, signed_permutation, times_group_element
from ._keys import Key, parse_shape, parse_torus
from ._ops import norm
from .conv._geometry import Padding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@refuse_methods
@jax.tree_util.register_pytree_node_class
class GeometricImage:
    """A tensor at every pixel of a grid: data `(*spatial, D, ..., D)` of order `k` (the number of tensor axes).

    It is a pytree whose only leaf is `data`.

    **Arguments:**

    - `data`: `(*spatial, D, ..., D)`.
    - `parity`: 0, or 1 if the field changes sign under reflections beyond what its tensor axes say; counts modulo 2.
    - `D`: the dimension.
    - `is_torus`: whether the grid is periodic: one bool, or one per axis.
    - `covariant_axes`: one bool for all tensor axes, or one per axis; carried along by name only.

    **Raises:** `ArgumentError` if the shape is not that of a field.
    """

    data: Shaped[Array, "*field"]
    parity: int
    D: int
    is_torus: tuple[bool, ...]
    covariant_axes: tuple[bool, ...]

    def __init__(
        self,
        data: Shaped[ArrayLike, "*field"],
        parity: int,
        D: int,
        is_torus: bool | Iterable[bool] = True,
        covariant_axes: bool | Iterable[bool] = False,
    ):
        self.data = jnp.asarray(data)
        self.parity = int(parity) % 2
        self.D = D
        self.is_torus = parse_torus(is_torus, D)
        _, order = parse_shape(self.data.shape, D)
        if isinstance(covariant_axes, bool | np.bool_) or covariant_axes is None:
            covariant_axes = (bool(covariant_axes),) * order
        self.covariant_axes = tuple(covariant_axes)
        if len(self.covariant_axes) != order:
            raise ArgumentError(
                "covariant_axes does not fit the tensor order",
                got=self.covariant_axes,
                expected=f"{order} bools",
            )

    def tree_flatten(self):
        """For JAX: the array, and what is static."""
        return (self.data,), (self.parity, self.D, self.is_torus, self.covariant_axes)

    @classmethod
    def tree_unflatten(
        cls, aux: tuple[int, int, tuple[bool, ...], tuple[bool, ...]], children: Iterable[Any]
    ) -> Self:
        """For JAX: the image again."""
        self = object.__new__(cls)
        self.parity, self.D, self.is_torus, self.covariant_axes = aux
        (self.data,) = children
        return self

    @classmethod
    def zeros(
        cls,
        N: int | tuple[int, ...],
        k: int,
        parity: int,
        D: int,
        is_torus: bool | Iterable[bool] = True,
        covariant_axes: bool | Iterable[bool] = False,
    ) -> Self:
        """The zero field of order `k` on a grid of side `N` (or of the given sides)."""
        return cls(jnp.zeros(_sides(N, D) + (D,) * k), parity, D, is_torus, covariant_axes)

    @classmethod
    def fill(
        cls,
        N: int | tuple[int, ...],
        parity: int,
        D: int,
        fill: npt.ArrayLike,
        is_torus: bool | Iterable[bool] = True,
        covariant_axes: bool | Iterable[bool] = False,
    ) -> Self:
        """The constant field whose value at every pixel is `fill`, a number or a `(D, ..., D)` tensor."""
        tensor = jnp.asarray(fill)
        data = jnp.broadcast_to(tensor, _sides(N, D) + tensor.shape)
        return cls(data, parity, D, is_torus, covariant_axes)

    @property
    def k(self) -> int:
        """The tensor order."""
        return self.data.ndim - self.D

    @property
    def key(self) -> Key:
        """The key `(k, p)` of this image in a `MultiImage`."""
        return self.covariant_axes, self.parity

    @property
    def spatial_dims(self) -> tuple[int, ...]:
        """The sides of the grid."""
        return self.data.shape[: self.D]

    def _with(
        self,
        data: AnyArray,
        parity: int | None = None,
        covariant_axes: bool | Iterable[bool] = False,
        is_torus: tuple[bool, ...] | None = None,
    ) -> Self:
        return type(self)(
            data,
            self.parity if parity is None else parity,
            self.D,
            self.is_torus if is_torus is None else is_torus,
            self.covariant_axes if covariant_axes is None else covariant_axes,
        )

    def _check_matches(self, other: "GeometricImage", *, same_kind: bool) -> None:
        def describe(image: GeometricImage) -> str:
            text = f"D={image.D}, grid {image.spatial_dims}, is_torus={image.is_torus}"
            return f"{text}, key {image.key}" if same_kind else text

        if describe(self) != describe(other):
            raise ArgumentError("the images do not match", got=describe(other), expected=describe(self))

    def __add__(self, other: "GeometricImage") -> Self:
        if not isinstance(other, GeometricImage):
            return NotImplemented
        self._check_matches(other, same_kind=True)
        return self._with(self.data + other.data)

    def __sub__(self, other: "GeometricImage") -> Self:
        if not isinstance(other, GeometricImage):
            return NotImplemented
        self._check_matches(other, same_kind=True)
        return self._with(self.data - other.data)

    def __neg__(self) -> Self:
        return self._with(-self.data)

    def __mul__(self, other: "ArrayLike | GeometricImage") -> Self:
        """The product with a number, or the pixelwise tensor product with an image (parities add)."""
        if not isinstance(other, GeometricImage):
            if jnp.ndim(other):
                return NotImplemented
            return self._with(self.data * other)
        self._check_matches(other, same_kind=False)
        left = self.data.reshape(*self.data.shape, *(1,) * other.k)
        right = other.data.reshape(*other.spatial_dims, *(1,) * self.k, *other.data.shape[self.D :])
        return self._with(
            left * right, self.parity + other.parity, self.covariant_axes + other.covariant_axes
        )

    __rmul__ = __mul__

    def __eq__(self, other: object, rtol: float = TINY, atol: float = TINY) -> bool:
        """Same kind and grid, and values equal within `atol + rtol |other|`."""
        if not isinstance(other, GeometricImage):
            return NotImplemented
        same = (self.key, self.D, self.is_torus) == (other.key, other.D, other.is_torus)
        return (
            same
            and self.data.shape == other.data.shape
            and np.allclose(self.data, other.data, rtol=rtol, atol=atol)
        )

    # Equality is tolerant, so no hash can agree with it.
    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        shape = getattr(self.data, "shape", self.data)
        return f"{type(self).__name__}({shape}, parity={self.parity}, D={self.D}, is_torus={self.is_torus})"

    def norm(self) -> "GeometricImage":
        """The tensor norm at every pixel, an even scalar image."""
        return GeometricImage(norm(self.D, self.data), 0, self.D, self.is_torus)

    def normalize(self) -> Self:
        """Divide by the largest tensor norm of any pixel; a zero image is returned unchanged."""
        largest = jnp.max(norm(self.D, self.data))
        return self._with(self.data / jnp.where(largest > TINY, largest, 1))

    def contract(self, i: int, j: int) -> Self:
        """Sum over equal values of tensor axes `i` and `j`, which lowers the order by 2.

        **Raises:** `ArgumentError` unless `i` and `j` are two different tensor axes.
        """
        if i == j or not (0 <= i < self.k and 0 <= j < self.k):
            raise ArgumentError(
                "cannot contract these axes",
                got=(i, j),
                expected=f"two different axes from 0 to {self.k - 1}",
            )
        kept = tuple(axis for n, axis in enumerate(self.covariant_axes) if n not in (i, j))
        return self._with(jnp.trace(self.data, axis1=self.D + i, axis2=self.D + j), covariant_axes=kept)

    def transpose(self, axes: Iterable[int]) -> Self:
        """Permute the tensor axes: axis `n` of the result is axis `axes[n]` of this image.

        **Raises:** `ArgumentError` if `axes` is no permutation of the tensor axes.
        """
        axes = tuple(axes)
        if sorted(axes) != list(range(self.k)):
            raise ArgumentError(
                "not a permutation of the tensor axes", got=axes, expected=tuple(range(self.k))
            )
        data = self.data.transpose(*range(self.D), *(self.D + axis for axis in axes))
        return self._with(data, covariant_axes=tuple(self.covariant_axes[axis] for axis in axes))

    def times_group_element(self, g: GroupElement, precision: object = None) -> Self:
        """Act with a symmetry of the grid; see `times_group_element`. Periodicity moves along."""
        source, _ = signed_permutation(g, self.D)
        data = times_group_element(self.D, self.data, self.parity, g, self.covariant_axes, precision)
        return self._with(data, is_torus=tuple(self.is_torus[axis] for axis in source))

    def plot(
        self,
        ax: "Axes | None" = None,
        title: str = "",
        *,
        vmin: float | None = None,
        vmax: float | None = None,
        colorbar: bool = False,
        cmap: Any = None,
    ) -> "Figure":
        """Draw the image: a line in 1D, colours in 2D, the middle plane in 3D; arrows for vectors, norms for tensors.

        **Arguments:**

        - `ax`: the panel to draw into; None for a figure of its own.
        - `title`: above it.
        - `vmin`, `vmax`: of the colours; None for those of the data.
        - `colorbar`, `cmap`: whether to draw their scale, and a matplotlib colour map.

        **Returns:** the matplotlib figure, shown by a notebook or saved with its `savefig`.
        """
        from ._plot import draw_image, new_figure

        panel: Axes = new_figure(1, 1)[1][0, 0] if ax is None else ax
        draw_image(panel, np.asarray(self.data), self.D, title, (vmin, vmax), colorbar, cmap)
        return cast("Figure", panel.figure)

    def convolve_with(
        self,
        filter_image: "GeometricImage",
        stride: int | Sequence[int] = 1,
        padding: Padding = None,
        lhs_dilation: int | Sequence[int] | None = None,
        rhs_dilation: int | Sequence[int] = 1,
    ) -> "GeometricImage":
        """Convolve with a filter; orders and parities add, the image's tensor axes come first. See `convolve`."""
        from ._convolve import convolve

        if filter_image.D != self.D:
            raise ArgumentError(
                "image and filter have different dimensions", got=filter_image.D, expected=self.D
            )
        data = convolve(
            self.D,
            self.data[None, None],
            filter_image.data[None, None],
            self.is_torus,
            stride,
            padding,
            lhs_dilation,
            rhs_dilation,
        )
        return GeometricImage(
            data[0, 0],
            self.parity + filter_image.parity,
            self.D,
            self.is_torus,
            self.covariant_axes + filter_image.covariant_axes,
        )


@refuse_methods
@jax.tree_util.register_pytree_node_class
class GeometricFilter(GeometricImage):
    """A geometric image on a grid of equal sides, to convolve with; arguments as of `GeometricImage`.

    **Raises:** `ArgumentError` if the sides differ.
    """

    def __init__(
        self,
        data: Shaped[ArrayLike, "*field"],
        parity: int,
        D: int,
        is_torus: bool | Iterable[bool] = True,
        covariant_axes: bool | Iterable[bool] = False,
    ):
        super().__init__(data, parity, D, is_torus, covariant_axes)
        if len(set(self.spatial_dims)) > 1:
            raise ArgumentError(
                "a filter needs equal sides", got=self.spatial_dims, expected="a cube of pixels"
            )

    @property
    def M(self) -> int:
        """The side of the filter."""
        return self.spatial_dims[0]


def _sides(N: int | tuple[int, ...], D: int) -> tuple[int, ...]:
    sides = N if isinstance(N, tuple) else (N,) * D
    if len(sides) != D:
        raise ArgumentError("the grid has the wrong number of sides", got=sides, expected=f"{D} sides")
    return sides
