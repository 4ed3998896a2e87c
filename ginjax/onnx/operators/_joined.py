"""Concatenation and splitting of fields."""

from __future__ import annotations

from dataclasses import replace

from .._layout import Axes, axis_of, has_new, is_new_axis, new_index, new_place, old_size
from .._sizes import Size
from .._values import PendingPadding, Value
from .._walk import Node, Walk
from ._new_axis import expanded
from ._registry import operator
from ._windows import space_of


@operator("Concat", without_space=True)
def concat(walk: Walk, node: Node) -> None:
    """Along an old axis; tensors without the new axis are repeated along it.

    A field between its own two ends is a periodic padding, so the new axis is padded periodically, too.
    """
    values = [node.value(i) for i in range(len(node.proto.input))]
    rank = values[0].rank
    if any(each.rank != rank for each in values):
        raise node.refusal("fields of different numbers of axes", "the same")
    if len({each.diluted for each in values}) > 1:
        raise node.refusal("weights of positions beside other numbers", "one of the two")
    axis = node.axis(node.get("axis", 0), rank)
    spatial = [each for each in values if each.spatial]
    deep = [each for each in spatial if not each.unit] or spatial
    names = walk.names(node)
    if spatial:
        like = deep[0]
        if any(
            each.alone != like.alone or new_place(each.known) != new_place(like.known) for each in spatial
        ):
            raise node.refusal("fields whose new axes do not stand in the same place", "fields of one layout")
        if not like.alone and (any(not each.spatial for each in values) or has_new(like.known[axis])):
            raise node.refusal("positions in one row put beside others", "fields with axes of space")
        names = [
            name if each.spatial and each.unit == like.unit else expanded(walk, each, like)
            for name, each in zip(names, values, strict=True)
        ]
    total, first = Size.of(0), values[0]
    for each in values:
        total = total + each.sizes[axis]
    pieces = [[a for a in each.known if not is_new_axis(a)][axis] for each in values]
    base = list((deep[0] if spatial else first).known)
    index = new_index(tuple(base), axis) if spatial else axis
    space = next((found for found in map(space_of, pieces) if found is not None), None)
    base[index] = axis_of(walk.length(node.outputs[0], axis, total), space)
    walk.graph.copy(node.proto, names, node.outputs, axis=index)
    made = walk.declare(
        node.outputs[0],
        tuple(base),
        unit=bool(spatial) and all(each.unit for each in spatial),
        diluted=first.diluted,
        stride=max((each.stride for each in deep), default=1.0),
    )
    wrapped = _wrapped(walk, values)
    if wrapped is not None and deep and walk.side.anchor_axis(deep[0].known) == axis:
        walk.values[made.name] = replace(made, padding=PendingPadding(*wrapped, "wrap"))


def _wrapped(walk: Walk, values: list[Value]) -> tuple[int, int] | None:
    """The widths before and after a field that stands between its own two ends; None for anything else."""
    if not 2 <= len(values) <= 3:
        return None
    for i, whole in enumerate(values):
        others = [(j, walk.pieces.get(each.name)) for j, each in enumerate(values) if j != i]
        ends = {(j < i): piece for j, piece in others}
        if len(ends) != len(others) or any(piece is None for piece in ends.values()):
            continue
        fits = all(
            piece is not None and piece[0] == whole.name and piece[1] == ("end" if ahead else "start")
            for ahead, piece in ends.items()
        )
        if fits:
            before, after = ends.get(True), ends.get(False)
            return (before[2] if before else 0), (after[2] if after else 0)
    return None


@operator("Split", without_space=True)
def split(walk: Walk, node: Node) -> None:
    """Along an axis that is not beside the new one."""
    x = node.value(0)
    axis = node.axis(node.get("axis", 0), x.rank)
    old: Axes = tuple(each for each in x.known if not is_new_axis(each))
    if has_new(old[axis]) or (x.alone and not x.unit and walk.side.anchor_axis(x.known) == axis):
        raise node.refusal("a field parted along space", "one parted along channels")
    listed = node.integers(1, "split")
    n, count = old_size(old[axis]), len(node.outputs)
    if listed is not None and len(listed) == count:
        sizes = [Size.of(each) for each in listed]
    else:
        even = (n / Size.of(count)).rounded("ceil")
        sizes = [even] * (count - 1) + [n - even * Size.of(count - 1)]
    index = new_index(x.known, axis)
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=index)
    for name, size in zip(node.outputs, sizes, strict=True):
        axes = list(x.known)
        axes[index] = axis_of(size, space_of(old[axis]))
        walk.declare(name, tuple(axes), unit=x.unit, diluted=x.diluted, stride=x.stride)
