"""Filters first, by one kernel for all of them, and one matrix product for each key: for GPUs of NVIDIA."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Float

from ._axes import ConvAxis, pad_axes
from ._basis_first import collect, image_count
from ._fused_plan import Group, make_groups
from ._mixing import Mixing, runs
from ._slabs import for_slabs, put_slab, slab_thickness, take_slab

Axes = Sequence[ConvAxis]
_Carry = TypeVar("_Carry")

ROOM = 160_000_000
"""Values of filtered images that are kept at a time: 0.6 GiB in float32, and up to twice that. Fewer would leave most of a GPU idle."""

_MOST = 2**30
"""Positions in fields and among images are numbers of 32 bits."""

_BLOCKS = 2**16 - 1
"""Channels and samples: a GPU counts no more blocks of threads along the second and third axis."""


def are_compiled_here() -> bool:
    """Whether XLA compiles such kernels for all GPUs of this machine, or there are none: from compute capability 8.0 on."""
    try:
        devices = jax.local_devices(backend="cuda")
    except RuntimeError:  # what is compiled without a GPU is for one that is said to be known
        return True
    return all(int(device.compute_capability.partition(".")[0]) >= 8 for device in devices)


def covers(mixing: Mixing, axes: Axes, x: Array) -> bool:
    """Whether the kernel makes the filtered images of this convolution and of its adjoint: of float32 or less, of grids of known size."""
    known = all(isinstance(n, int) for n in (*x.shape, *(axis.size for axis in axes)))
    if not known or not mixing.paths or mixing.side == 1 or x.size == 0:
        return False
    if x.dtype not in (jnp.float32, jnp.bfloat16, jnp.float16) or any(
        axis.output(mixing.side) < 1 for axis in axes
    ):
        return False
    adjoint = tuple(axis.adjoint(mixing.side) for axis in axes)
    return _is_counted(mixing, axes, x.shape[0]) and _is_counted(mixing.adjoint, adjoint, x.shape[0])


def _is_counted(mixing: Mixing, axes: Axes, batch: int) -> bool:
    """Whether numbers of 32 bits count what is read, spread and padded if need be, and two planes of images, see `slab_thickness`."""
    channels = sum(slot.channels for slot in mixing.inputs)
    field = batch * channels * math.prod(max(axis.size, axis.padded) for axis in axes)
    plane = batch * image_count(mixing) * math.prod(axis.output(mixing.side) for axis in axes[1:])
    return max(batch, channels) <= _BLOCKS and max(field, plane) < _MOST


def mix_fused(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> Float[Array, "batch packed_out *new_spatial"]:
    """`y = sum_l W_l (C_l * x)`; arguments and result as of `mix`.

    **Arguments:**

    - `interpret`: whether the kernel is run operation by operation, on any device, instead of being compiled.
    """
    matrices = _matrices(w, mixing)

    def body(start: Array | int, images: list[Array], y: Array) -> Array:
        parts = [_product(m, each, precision) for m, each in zip(matrices, images, strict=True)]
        return put_slab(y, _stack(parts, mixing), start)

    return _over_slabs(x, mixing, axes, interpret, body, _empty(x, mixing, axes))


def gradients_fused(
    x: Float[Array, "batch packed_in *spatial"],
    w: Float[Array, " weights"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> tuple[Float[Array, "batch packed_in *spatial"], Float[Array, " weights"]]:
    """Gradients of `<g, mix_fused(x, w)>` with respect to `x` and to `w`: both from the mirrored filters on `g`, made once."""
    back = mixing.adjoint
    matrices = _matrices(w, back)

    def body(start: Array | int, images: list[Array], carry: tuple[Array, list[Array]]):
        gx, sums = carry
        parts = [_product(m, each, precision) for m, each in zip(matrices, images, strict=True)]
        found = _add_overlaps(sums, images, x, start, back, precision)
        return put_slab(gx, _stack(parts, back), start), found

    adjoint = tuple(axis.adjoint(mixing.side) for axis in axes)
    nothing = _empty(g, back, adjoint), _no_overlaps(back)
    gx, sums = _over_slabs(g, back, adjoint, interpret, body, nothing)
    return gx, _collect(sums, back, x.dtype)


def weight_gradient_fused(
    x: Float[Array, "batch packed_in *spatial"],
    g: Float[Array, "batch packed_out *new_spatial"],
    mixing: Mixing,
    axes: Axes,
    precision: str | None,
    interpret: bool,
) -> Float[Array, " weights"]:
    """The gradient of `<g, mix_fused(x, w)>` with respect to `w`; the filters go to the side with fewer images."""
    if image_count(mixing) > image_count(mixing.adjoint):
        axes = tuple(axis.adjoint(mixing.side) for axis in axes)
        x, g, mixing = g, x, mixing.adjoint

    def body(start: Array | int, images: list[Array], sums: list[Array]) -> list[Array]:
        return _add_overlaps(sums, images, g, start, mixing, precision)

    sums = _over_slabs(x, mixing, axes, interpret, body, _no_overlaps(mixing))
    return _collect(sums, mixing, x.dtype)


def _over_slabs(
    x: Array,
    mixing: Mixing,
    axes: Axes,
    interpret: bool,
    body: Callable[[Array | int, list[Array], _Carry], _Carry],
    carry: _Carry,
) -> _Carry:
    """`body(start, images of some planes of the output, carry)` for all planes, so many at a time that images take little memory."""
    from ._fused_kernel import filtered_images

    if any(axis.spread != 1 for axis in axes):
        x = pad_axes(x, axes, 2)
        axes = [
            ConvAxis(size, stride=axis.stride, dilation=axis.dilation)
            for size, axis in zip(x.shape[2:], axes, strict=True)
        ]
    planes, *others = (axis.output(mixing.side) for axis in axes)
    thickness = slab_thickness(x.shape[0] * image_count(mixing) * math.prod(others), planes, ROOM)

    def slab(start: Array | int, count: int, carry: _Carry) -> _Carry:
        return body(start, filtered_images(x, mixing, tuple(axes), start, count, interpret), carry)

    return for_slabs(planes, thickness, slab, carry, x)


def _matrices(w: Array, mixing: Mixing) -> list[Float[Array, "out images"]]:
    """For each group the weights of its images."""
    own, found = mixing.scaled(w), []
    for group in make_groups(mixing):
        rows = [(feature.path, row) for feature in group.features for row in feature.rows]
        # Rows one after another as slices: gathering is a kernel of its own.
        parts = [own[path][a:b] for path, a, b in runs(rows)]
        flat = [part.reshape(-1, group.slots[0].channels) for part in parts]
        found.append((jnp.concatenate(flat) if len(flat) > 1 else flat[0]).T)
    return found


def _product(
    matrix: Float[Array, "out images"],
    images: Float[Array, "batch components images *spatial"],
    precision: str | None,
) -> Float[Array, "batch packed *spatial"]:
    """The images of a group mixed: all its components, one after another."""
    batch, components, width, *spatial = images.shape
    # A product for each sample and component, none of which has to be transposed.
    left = jnp.broadcast_to(matrix, (batch, components, *matrix.shape))
    rows = ((3,), (2,)), ((0, 1), (0, 1))
    flat = images.reshape(batch, components, width, math.prod(spatial))
    y = lax.dot_general(left, flat, rows, precision=precision, preferred_element_type=jnp.float32)
    return y.astype(images.dtype).reshape(batch, components * len(matrix), *spatial)


def _add_overlaps(
    sums: Sequence[Array],
    images: Sequence[Array],
    outer: Array,
    start: Array | int,
    mixing: Mixing,
    precision: str | None,
) -> list[Array]:
    """Sums over pixels of every image times every channel of its component of `outer`, added to those of other slabs."""
    found = []
    for group, each, total in zip(make_groups(mixing), images, sums, strict=True):
        batch, components, width, count, *others = each.shape
        own = lax.slice_in_dim(outer, group.slots[0].start, group.slots[0].start + _packed(group), axis=1)
        own = take_slab(own, start, count)
        pixels = count * math.prod(others)
        own = own.reshape(batch, components, group.slots[0].channels, pixels)
        both = ((3,), (3,)), ((0, 1), (0, 1))
        flat = each.reshape(batch, components, width, pixels)
        part = lax.dot_general(flat, own, both, precision=precision, preferred_element_type=jnp.float32)
        found.append(total + part.sum((0, 1)))
    return found


def _no_overlaps(mixing: Mixing) -> list[Array]:
    return [jnp.zeros((group.width, group.slots[0].channels), jnp.float32) for group in make_groups(mixing)]


def _collect(sums: Sequence[Array], mixing: Mixing, dtype: DTypeLike) -> Float[Array, " weights"]:
    return collect(sums, [group.features for group in make_groups(mixing)], mixing).astype(dtype)


def _packed(group: Group) -> int:
    """Rows of a packed field that a group fills."""
    return sum(slot.channels for slot in group.slots)


def _stack(parts: Sequence[Array], mixing: Mixing) -> Float[Array, "batch packed *spatial"]:
    """The groups as a packed field; components that no filter reaches are zero."""
    found, place = [], 0
    for group, part in zip(make_groups(mixing), parts, strict=True):
        found += [*_nothing(part, group.slots[0].start - place), part]
        place = group.slots[0].start + _packed(group)
    found += _nothing(parts[0], sum(slot.channels for slot in mixing.outputs) - place)
    return jnp.concatenate(found, axis=1) if len(found) > 1 else found[0]


def _nothing(like: Array, rows: int) -> list[Array]:
    return [jnp.zeros((like.shape[0], rows, *like.shape[2:]), like.dtype)] if rows else []


def _empty(x: Array, mixing: Mixing, axes: Axes) -> Array:
    """What all slabs are put into, whatever it holds."""
    channels = sum(slot.channels for slot in mixing.outputs)
    return lax.empty((x.shape[0], channels, *(axis.output(mixing.side) for axis in axes)), x.dtype)
