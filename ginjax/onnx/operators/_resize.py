"""Resizing: the new axis is resized by the factor of its neighbour."""

from __future__ import annotations

import numpy as np

from .._layout import NEW, Axes, axis_of, new_place, old_size, place_of_new, without_new
from .._sizes import Size
from .._values import Value
from .._walk import Node, Walk
from ._registry import operator
from ._windows import space_of


@operator("Resize", "Upsample")
def resize(walk: Walk, node: Node) -> None:
    """Nearest, linear or cubic; cubic along the old axes is linear along the new one."""
    x = node.value(0)
    place, anchor = new_place(x.known), walk.side.anchor_axis(x.known)
    if not x.alone or place is None or anchor is None:
        raise node.refusal("a field whose space was flattened", "one with axes of space")
    mode = str(node.get("coordinate_transformation_mode", "half_pixel"))
    if mode == "tf_crop_and_resize" or node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise node.refusal(f"{mode}, {node.get('keep_aspect_ratio_policy')}", "factors or sizes by axis")
    listed = [node.axis(each, x.rank) for each in node.get("axes") or range(x.rank)]
    scales, sizes = _asked(node, x, listed)
    axes: list = list(without_new(x.known))
    for i, (scale, size) in enumerate(zip(scales, sizes, strict=True)):
        n = old_size(axes[i])
        wanted = size if size is not None else (n * scale).rounded("floor")
        if not wanted.same(n):
            axes[i] = axis_of(walk.length(node.outputs[0], i, wanted), space_of(axes[i]))
    by_scale = all(
        size is None and scale.number is not None for scale, size in zip(scales, sizes, strict=True)
    )
    if by_scale:
        factors = [float(scale.number or 0) for scale in scales]
        along = walk.graph.numbers([factors[anchor]], np.float32)
        plan = (factors, along)
    else:
        parts = [
            walk.lengths.part(size if size is not None else (old_size(axis) * scale).rounded("floor"))
            for axis, scale, size in zip(without_new(x.known), scales, sizes, strict=True)
        ]
        plan = (parts, walk.graph.vector([_twin(walk, x, anchor, axes[anchor])]))
    made: Axes = (*axes[:place], (NEW,), *axes[place:])
    if str(node.get("mode", "nearest")) == "cubic":
        _cubic(walk, node, x, by_scale, plan)
    else:
        walk.graph.copy(
            node.proto,
            [walk.tensor(x), *_arguments(walk, node, by_scale, _inserted(plan[0], place, plan[1]))],
            node.outputs,
            axes=None,
        )
    walk.blind = walk.blind and axes[anchor] == without_new(x.known)[anchor]
    factor = scales[anchor].number
    walk.declare(
        node.outputs[0],
        made,
        unit=x.unit and axes[anchor] == without_new(x.known)[anchor],
        stride=x.stride / float(factor) if factor else x.stride,
    )


def _asked(node: Node, x: Value, listed: list[int]) -> tuple[list[Size], list[Size | None]]:
    """The factor of each old axis, and its new size if the node states sizes."""
    scales: list[Size] = [Size.of(1)] * x.rank
    sizes: list[Size | None] = [None] * x.rank
    places = (1, 9) if node.kind == "Upsample" else (2, 3)
    found = node.entries(places[0])
    wanted = node.entries(places[1])
    given = found or wanted
    if not given:
        raise node.refusal("sizes that are not computed of lengths", "factors, or sizes computed of lengths")
    if len(given) != len(listed):
        raise node.refusal(f"{len(given)} numbers for {len(listed)} axes", "one for each")
    for axis, entry in zip(listed, given, strict=True):
        n = x.sizes[axis]
        if found:
            if entry.number is not None and entry.number <= 0:
                raise node.refusal(f"a factor {entry.number}", "more than 0")
            scales[axis] = entry
            if entry.number is None:
                sizes[axis] = (n * entry).rounded("floor")
            continue
        if entry.same(n):
            continue
        ratio = entry.over(n)
        if ratio is not None and ratio.number is not None:
            scales[axis], sizes[axis] = ratio, entry
        else:
            sizes[axis] = entry
            if entry.value is not None and n.value:
                scales[axis] = Size.of(entry.value / n.value)
    return scales, sizes


def _twin(walk: Walk, x: Value, anchor: int, axis: tuple) -> str | int:
    """The size of the new axis: by the formula of its neighbour or, if the old sizes are stated, by the same factor."""
    wanted, n = old_size(axis), x.sizes[anchor]
    if wanted.same(n):
        return walk.depth(x)
    if wanted.number is not None and n.value:  # for a stated grid, a number gives the factor
        wanted = (n * Size.of(wanted.number / n.value)).rounded("floor")
    return walk.lengths.formula(wanted, twin=True)


def _inserted(values: list, place: int, new: str) -> list:
    return [*values[:place], new, *values[place:]]


def _arguments(walk: Walk, node: Node, by_scale: bool, values: list) -> list[str]:
    """The inputs after the field."""
    if by_scale:
        numbers = [each for each in values if not isinstance(each, str)]
        if len(numbers) == len(values):
            joined = walk.graph.numbers(numbers, np.float32)
        else:
            names = [e if isinstance(e, str) else walk.graph.numbers([e], np.float32) for e in values]
            joined = walk.graph.add("Concat", names, node.label, axis=0)
        return [joined] if node.kind == "Upsample" else [_empty(walk), joined]
    return [_empty(walk), _empty(walk), walk.graph.vector(values)]


def _empty(walk: Walk) -> str:
    return walk.graph.numbers([], np.float32) if walk.opset < 13 else ""


def _cubic(walk: Walk, node: Node, x: Value, by_scale: bool, plan: tuple) -> None:
    """Resize each slice separately, then interpolate linearly between the slices."""
    from ._folded import slice_by_slice

    def planes(field: str) -> None:
        values = list(plan[0])
        values[0] = 1.0 if by_scale else walk.lengths.of_axis(field, 0)
        walk.graph.copy(
            node.proto,
            [field, *_arguments(walk, node, by_scale, values)],
            [f"{node.outputs[0]}.flat"],
            axes=None,
        )

    before = f"{node.outputs[0]}.planes"
    slice_by_slice(walk, node, planes, output=before)
    place = place_of_new(x.known)
    rank = len(x.known)
    if by_scale:
        values: list = [1.0] * rank
    else:
        values = [walk.lengths.of_axis(before, i) for i in range(rank)]
    values[place] = plan[1]
    walk.graph.copy(
        node.proto,
        [before, *_arguments(walk, node, by_scale, values)],
        node.outputs,
        axes=None,
        mode="linear",
        antialias=None,
        cubic_coeff_a=None,
        exclude_outside=None,
    )
