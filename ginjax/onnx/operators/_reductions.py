"""Reductions over axes: means and extremes include the new axis, sums take the mean over it, so repetition changes nothing."""

from __future__ import annotations

from .._layout import (
    NEW,
    Axes,
    axis_of,
    has_new,
    is_new_axis,
    new_index,
    new_place,
    old_axes_of_space,
    old_size,
    place_of_new,
)
from .._sizes import ONE
from .._values import Value
from .._walk import Node, Walk
from ._patches import patch_length, taken_together
from ._registry import operator

_SUMS = {"ReduceSum", "ReduceL1", "ReduceSumSquare"}


@operator(
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceSum",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    without_space=True,
)
def reduction(walk: Walk, node: Node) -> None:
    """Over axes of the old graph, and over the new one if no spatial axis is left."""
    x = node.value(0)
    found = node.integers(1, "axes")
    keep = bool(node.get("keepdims", 1))
    if not found:
        if int(node.get("noop_with_empty_axes", 0)):
            walk.graph.add("Identity", [walk.tensor(x)], node.label, outputs=node.outputs[:1])
            walk.declare(node.outputs[0], x.axes, unit=x.unit, diluted=x.diluted, stride=x.stride)
            return
        found = list(range(x.rank))
    axes = sorted({node.axis(each, x.rank) for each in found})
    kind, near, tensor = node.kind, node.label, walk.tensor(x)
    reduced = axes_to_reduce(walk, x, axes)
    place = new_place(x.known)
    over_new = place is not None and place in reduced
    diluted = x.diluted
    if x.diluted and not (over_new and kind == "ReduceSum") and kind not in ("ReduceMean", "ReduceSum"):
        raise node.refusal(
            "weights of positions, which become smaller as there are more of them", "their sum"
        )
    if over_new:
        walk.blind = False
    if over_new and x.diluted and kind == "ReduceSum":
        diluted = False
        made = walk.graph.reduce(kind, tensor, reduced, near, keep=keep)
    elif over_new and (kind in _SUMS or kind == "ReduceL2"):
        made = _sum_and_mean(walk, node, x, tensor, reduced, keep)
    else:
        made = walk.graph.reduce(kind, tensor, reduced, near, keep=keep)
    after = _after(walk, x, axes, keep=keep, over_new=over_new)
    slices = 1 if over_new else patch_length(walk, x, axes)
    if slices > 1:
        made = taken_together(walk, node.label, made, after, slices, node.kind)
    walk.graph.add("Identity", [made], near, outputs=node.outputs[:1])
    unit = x.alone and (x.unit or over_new) and any(map(is_new_axis, after))
    walk.declare(node.outputs[0], after, unit=unit, diluted=diluted, stride=x.stride * slices)


def axes_to_reduce(walk: Walk, x: Value, old: list[int]) -> list[int]:
    """Axes of the new graph for axes of the old one, including the new axis if they contain all that is left of space."""
    axes = [new_index(x.known, each) for each in old]
    left = set(old_axes_of_space(x.known, longer_than_one=True)) - set(old)
    some = set(old_axes_of_space(x.known)) & set(old)
    place = new_place(x.known)
    if x.alone and place is not None and some and not left:
        axes.append(place)
    return sorted(axes)


def _sum_and_mean(walk: Walk, node: Node, x: Value, tensor: str, axes: list[int], keep: bool) -> str:
    """Sums over the old axes, then the mean over the new one."""
    place, near = place_of_new(x.known), node.label
    kind = "ReduceSumSquare" if node.kind == "ReduceL2" else node.kind
    plane, gone = [each for each in axes if each != place], axes
    if not x.alone:  # flattened positions: those before the new axis, the new axis, those after it
        tensor = _apart(walk, x, tensor, near)
        plane = [each + 2 * (each > place) for each in (*plane, place)]
        plane, place, gone = [*plane, place + 2], place + 1, [place + 1, place + 2]
        gone = gone if keep else [*plane, place]
    summed = walk.graph.reduce(kind, tensor, sorted(plane), near)
    made = walk.graph.reduce("ReduceMean", summed, [place], near)
    if node.kind == "ReduceL2":
        made = walk.graph.add("Sqrt", [made], near)
    return made if keep and x.alone else walk.graph.squeeze(made, sorted(gone), near)


def _apart(walk: Walk, x: Value, tensor: str, near: str) -> str:
    """A tensor whose axis of flattened positions is split into three axes, of which the second is the new one."""
    place = place_of_new(x.known)
    axis = x.known[place]
    at = axis.index(NEW)
    before, behind = (walk.lengths.part(old_size(part)) for part in (axis[:at], axis[at + 1 :]))
    rest = [walk.lengths.part(size) for size in x.sizes[place + 1 :]]
    shape = walk.graph.vector([*[0] * place, before, -1, behind, *rest])
    return walk.graph.add("Reshape", [tensor, shape], near)


def _after(walk: Walk, x: Value, axes: list[int], *, keep: bool, over_new: bool) -> Axes:
    old = [axis for axis in x.known if not is_new_axis(axis)]
    result: list = []
    for i, axis in enumerate(old):
        if i not in axes:
            result.append(axis)
        elif keep:
            space = next((f.space for f in axis if f.space is not None), None)
            result.append(axis_of(ONE, None if has_new(axis) else space))
    if not x.alone or (over_new and not keep):
        return tuple(result)
    place = place_of_new(x.known)
    before = sum(1 for i in range(place) if keep or i not in axes)
    return (*result[:before], (NEW,), *result[before:])
