"""Operators that run slice by slice: the new axis is moved into the batch around them."""

from __future__ import annotations

from collections.abc import Callable

from .._layout import NEW, Axis, axis_of, new_place, old_size, place_of_new, without_new
from .._sizes import Size
from .._walk import Node, Walk
from ._registry import operator
from ._windows import space_of


def slice_by_slice(walk: Walk, node: Node, run: Callable[[str], None], output: str | None = None) -> None:
    """Run nodes on the slices of the first input.

    **Arguments:**

    - `run`: writes nodes that read the tensor of slices `(batch * depth, ...)` and make one called `OUTPUT.flat`.
    - `output`: the result with the new axis back in its place; the first output by default.
    """
    x = node.value(0)
    place = new_place(x.known)
    if not x.alone or place is None or place == 0:
        raise node.refusal("a field whose space was flattened", "one with axes of space behind the batch")
    near, tensor = node.label, walk.tensor(x)
    ahead = [0, place, *(i for i in range(1, len(x.known)) if i != place)]
    moved = walk.graph.transpose(tensor, ahead, near)
    old = without_new(x.known)
    flat = walk.graph.vector([-1, *(walk.lengths.part(old_size(axis)) for axis in old[1:])])
    run(walk.graph.add("Reshape", [moved, flat], near))
    made = f"{node.outputs[0]}.flat"
    after = [walk.lengths.of_axis(made, i) for i in range(1, len(old))]
    back = walk.graph.vector([walk.lengths.formula(old_size(old[0])), walk.depth(x), *after])
    apart = walk.graph.add("Reshape", [made, back], near)
    order = [ahead.index(i) for i in range(len(ahead))]
    walk.graph.add("Transpose", [apart], near, outputs=[output or node.outputs[0]], perm=order)


@operator("DepthToSpace")
def depth_to_space(walk: Walk, node: Node) -> None:
    """Channels become pixels along the old axes; along the new one, every slice is repeated as often."""
    x, block = node.value(0), _block(node)
    planes = f"{node.outputs[0]}.planes"
    slice_by_slice(
        walk, node, lambda field: walk.graph.copy(node.proto, [field], [f"{node.outputs[0]}.flat"]), planes
    )
    place = place_of_new(x.known)
    scales = [1.0] * len(x.known)
    scales[place] = float(block)
    import numpy as np

    empty = walk.graph.numbers([], np.float32) if walk.opset < 13 else ""
    walk.graph.add(
        "Resize",
        [planes, empty, walk.graph.numbers(scales, np.float32)],
        node.label,
        outputs=node.outputs[:1],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    _declare(walk, node, Size.of(block), grows=True)


@operator("SpaceToDepth")
def space_to_depth(walk: Walk, node: Node) -> None:
    """Pixels along the old axes become channels; along the new one, neighbouring slices are averaged."""
    x, block = node.value(0), _block(node)
    planes = f"{node.outputs[0]}.planes"
    slice_by_slice(
        walk, node, lambda field: walk.graph.copy(node.proto, [field], [f"{node.outputs[0]}.flat"]), planes
    )
    place = place_of_new(x.known)
    sides = [1] * (len(x.known) - 2)
    sides[place - 2] = block
    walk.graph.add(
        "AveragePool", [planes], node.label, outputs=node.outputs[:1], kernel_shape=sides, strides=sides
    )
    walk.blind = False
    _declare(walk, node, Size.of(block), grows=False)


def _block(node: Node) -> int:
    found = int(node.get("blocksize", 0))
    if not 1 <= found <= 64:
        raise node.refusal(f"blocksize = {found}", "1 to 64")
    return found


def _declare(walk: Walk, node: Node, block: Size, *, grows: bool) -> None:
    x = node.value(0)
    place = new_place(x.known)
    if place is None or place < 2:
        raise node.refusal(
            "a new axis that is not among those of space", "fields as (batch, channels, space)"
        )
    old = without_new(x.known)
    factor = block if grows else Size.of(1) / block
    channels = Size.of(1) / factor
    for _ in old[3:]:
        channels = channels * (Size.of(1) / factor)
    axes: list[Axis] = [old[0], axis_of(old_size(old[1]) * channels)]
    axes += [axis_of(old_size(axis) * factor, space_of(axis)) for axis in old[2:]]
    number = float(factor.number or 1)
    walk.declare(node.outputs[0], (*axes[:place], (NEW,), *axes[place:]), stride=x.stride / number)
