"""Single geometric images and filters."""

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
    """A tensor of order `k` at every pixel of a grid, as one array `(*spatial, D, ..., D)` with `k` tensor axes.

    The class is a pytree whose only leaf is `data`.

    **Arguments:**

    - `data`: `(*spatial, D, ..., D)`.
    - `parity`: 0, or 1 for a field with an additional sign change under reflections (such as a pseudoscalar); taken modulo 2.
    - `D`: the dimension.
    - `is_torus`: whether the grid is periodic: one bool, or one per axis.
    - `covariant_axes`: one bool for all tensor axes, or one per axis. A label that changes no values.

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
        """Return the array and the static values, for JAX."""
        return (self.data,), (self.parity, self.D, self.is_torus, self.covariant_axes)

    @classmethod
    def tree_unflatten(
        cls, aux: tuple[int, int, tuple[bool, ...], tuple[bool, ...]], children: Iterable[Any]
    ) -> Self:
        """Rebuild the image, for JAX."""
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
        """Make the zero field of order `k` on a grid with `N` pixels along each axis (a tuple has one number per axis)."""
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
        """Make the constant field with the value `fill`, a number or a `(D, ..., D)` tensor, at every pixel."""
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
        """The number of pixels along each axis of the grid."""
        return self.data.shape[: self.D]

    def _with(
        self,
        data: AnyArray,
        parity: int | None = None,
        covariant_axes: Iterable[bool] | None = None,
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
        """Multiply by a number, or form the pixelwise tensor product with an image (parities add)."""
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
        """Whether key, grid and periodicity are the same, and the values agree within `atol + rtol |other|`."""
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
        """Return the tensor norm at every pixel, as an even scalar image."""
        return GeometricImage(norm(self.D, self.data), 0, self.D, self.is_torus)

    def normalize(self) -> Self:
        """Divide by the largest tensor norm of all pixels, unless that norm is at most `TINY`."""
        largest = jnp.max(norm(self.D, self.data))
        return self._with(self.data / jnp.where(largest > TINY, largest, 1))

    def contract(self, i: int, j: int) -> Self:
        """Contract tensor axes `i` and `j` (the trace over both), which lowers the order by 2.

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

        **Raises:** `ArgumentError` if `axes` is not a permutation of the tensor axes.
        """
        axes = tuple(axes)
        if sorted(axes) != list(range(self.k)):
            raise ArgumentError(
                "not a permutation of the tensor axes", got=axes, expected=tuple(range(self.k))
            )
        data = self.data.transpose(*range(self.D), *(self.D + axis for axis in axes))
        return self._with(data, covariant_axes=tuple(self.covariant_axes[axis] for axis in axes))

    def times_group_element(self, g: GroupElement, precision: object = None) -> Self:
        """Apply a symmetry of the grid, see `times_group_element`; `is_torus` is permuted with the axes."""
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
        """Draw the image: a line in 1D, colours in 2D, the middle plane in 3D.

        Vectors are drawn as arrows over the colours of their norm. For tensors of higher order only the norm is drawn.

        **Arguments:**

        - `ax`: the panel to draw into; None makes a new figure.
        - `title`: the text above the panel.
        - `vmin`, `vmax`: the limits of the colours; None takes them from the data.
        - `colorbar`: whether to draw the colour scale.
        - `cmap`: a matplotlib colour map.

        **Returns:** the matplotlib figure. A notebook shows it; its method `savefig` saves it.
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
        """Convolve with a filter, see `convolve`; orders and parities add, and the image's tensor axes come first."""
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
    """A filter to convolve with: a geometric image on a grid with equal sides; arguments as in `GeometricImage`.

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
        """The side of the filter in pixels."""
        return self.spatial_dims[0]


def _sides(N: int | tuple[int, ...], D: int) -> tuple[int, ...]:
    sides = N if isinstance(N, tuple) else (N,) * D
    if len(sides) != D:
        raise ArgumentError("the grid has the wrong number of sides", got=sides, expected=f"{D} sides")
    return sides
