"""Padding by a separate node: along the new axis, the next reader of the field applies it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from .._graph import END
from .._layout import NEW, Axes, Axis, axis_of, has_new, new_place, old_size, place_of_new, without_new
from .._sizes import Size
from .._values import PadMode, PendingPadding
from .._walk import Node, Walk
from ._registry import operator
from ._windows import space_of


@operator("Pad", without_space=True)
def pad(walk: Walk, node: Node) -> None:
    """The new axis is padded like its neighbour.

    A convolution or a pooling that comes next applies it as its own padding. Before any other operator, a constant would be
    read as a part of the field, so the last value is repeated instead.
    """
    x = node.value(0)
    mode = str(node.get("mode", "constant"))
    if mode not in ("constant", "edge", "reflect", "wrap"):
        raise node.refusal(f"mode {mode!r}", "constant, edge, reflect or wrap")
    before, after = _asked(walk, node)
    old = without_new(x.known)
    axes: list[Axis] = []
    for i, axis in enumerate(axis for axis in x.known if axis != (NEW,)):
        if before[i] == after[i] == Size.of(0):
            axes.append(axis)
            continue
        if has_new(axis):
            raise node.refusal("positions in one row, which are others on another grid", "axes of space")
        size = old_size(axis) + before[i] + after[i]
        axes.append(axis_of(walk.length(node.outputs[0], i, size), space_of(axis)))
    anchor, place = walk.side.anchor_axis(x.known), new_place(x.known)
    if not x.alone or place is None:
        walk.graph.copy(node.proto, walk.names(node), node.outputs)
        walk.declare(node.outputs[0], tuple(axes), unit=x.unit, stride=x.stride)
        return
    parts = [walk.lengths.part(each) for each in before], [walk.lengths.part(each) for each in after]
    for each in parts:
        each.insert(place, 0)
    tensor = walk.tensor(x)
    value = node.maybe(2)
    inputs = [tensor, walk.graph.vector([*parts[0], *parts[1]])]
    if mode == "constant" and value is not None:
        inputs.append(walk.tensor(value))
    made: Axes = (*axes[:place], (NEW,), *axes[place:])
    ends = None if anchor is None or len(old) <= anchor else (before[anchor], after[anchor])
    idle = ends is None or ends == (Size.of(0), Size.of(0)) or x.unit
    numbers = None if ends is None else [each.number for each in ends]
    lazy = not idle and numbers is not None and all(n is not None and n >= 0 for n in numbers)
    output = node.outputs[0]
    if idle or lazy or ends is None:
        walk.graph.copy(node.proto, inputs, [output])
        done = walk.declare(output, made, unit=x.unit, stride=x.stride)
        if lazy and numbers is not None:
            zero = value is None or (value.constant is not None and not value.constant.any())
            width = [int(n or 0) for n in numbers]
            padding = PendingPadding(width[0], width[1], cast(PadMode, mode), zero)
            walk.values[done.name] = replace(done, padding=padding)
        return
    planes = walk.graph.name(f"{output}.planes")
    walk.graph.copy(node.proto, inputs, [planes])
    _at_once(walk, node, planes, made, ends, "edge" if mode == "constant" else mode)
    walk.declare(output, made, unit=x.unit, stride=x.stride)


def _at_once(walk: Walk, node: Node, planes: str, axes: Axes, ends: tuple[Size, Size], mode: str) -> None:
    """Padding whose width is computed, or negative (a crop)."""
    place = place_of_new(axes)
    rank = len(axes)
    cut = [-int(each.number) if each.number is not None and each.number < 0 else 0 for each in ends]
    if any(cut):
        planes = walk.graph.slice(planes, place, cut[0], -cut[1] if cut[1] else END)
    parts: list[str | int] = [0] * (2 * rank)
    for end, offset in zip(ends, (0, rank), strict=True):
        negative = end.number is not None and end.number < 0
        parts[offset + place] = 0 if negative else walk.lengths.part(end, twin=True)
    walk.graph.add("Pad", [planes, walk.graph.vector(parts)], node.label, outputs=node.outputs[:1], mode=mode)


def _asked(walk: Walk, node: Node) -> tuple[list[Size], list[Size]]:
    """The widths before and after each old axis."""
    x = node.value(0)
    listed = node.integers(3, "axes") if node.maybe(3) is not None else None
    axes = list(range(x.rank)) if listed is None else [node.axis(each, x.rank) for each in listed]
    entries = node.entries(1)
    if entries is None and isinstance(node.get("pads"), list):
        entries = [Size.of(int(each)) for each in node.get("pads")]
    if entries is None:
        raise node.refusal("pads that are not computed of lengths", "numbers, or what is computed of lengths")
    if len(entries) != 2 * len(axes):
        raise node.refusal(f"{len(entries)} pads for {len(axes)} axes", "two for each")
    before, after = [Size.of(0)] * x.rank, [Size.of(0)] * x.rank
    for i, axis in enumerate(axes):
        before[axis], after[axis] = entries[i], entries[len(axes) + i]
    return before, after
