"""Operators along one axis that is not spatial."""

from __future__ import annotations

from .._layout import NEW, Axes, Axis, axis_of, has_new, is_new_axis, new_index, new_place, old_size
from .._sizes import ONE, Size
from .._values import Value
from .._walk import Node, Walk
from ._patches import is_patch, patch_length, taken_together
from ._registry import operator
from ._windows import space_of


@operator("ArgMax", "ArgMin")
def place_of_extreme(walk: Walk, node: Node) -> None:
    """The channel of the largest or smallest value, or the point within a patch, slice by slice."""
    x = node.value(0)
    asked = node.axis(node.get("axis", 0), x.rank)
    axis = asked if is_patch(x, asked) else _axis(node, x, 0)
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=new_index(x.known, axis))
    keep = bool(int(node.get("keepdims", 1)))
    walk.declare(
        node.outputs[0], _changed(x, axis, [axis_of(ONE)] if keep else []), unit=x.unit, stride=x.stride
    )


@operator("CumSum")
def running_sum(walk: Walk, node: Node) -> None:
    """Along channels."""
    x = node.value(0)
    found = node.integers(1, "axis")
    axis = _axis(node, x, 0, None if not found else found[0])
    names = walk.names(node)
    walk.graph.copy(node.proto, [names[0], walk.graph.numbers(new_index(x.known, axis))], node.outputs)
    walk.declare(node.outputs[0], x.axes, unit=x.unit, stride=x.stride)


@operator("TopK")
def largest(walk: Walk, node: Node) -> None:
    """The largest values among channels."""
    x = node.value(0)
    axis = _axis(node, x, -1)
    found = node.entries(1)
    size = found[0] if found else Size.of(1)
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=new_index(x.known, axis))
    for name in node.outputs:
        walk.declare(name, _changed(x, axis, [axis_of(size)]), unit=x.unit, stride=x.stride)


@operator("Gather", without_space=True)
def gather(walk: Walk, node: Node) -> None:
    """Some of the channels."""
    x, indices = node.value(0), node.value(1)
    if not (x.spatial or indices.spatial):
        walk.copied(node)
        axis = node.axis(node.get("axis", 0), x.rank)
        walk.declare(node.outputs[0], _changed(x, axis, list(indices.known)))
        return
    if indices.spatial:
        raise node.refusal("places that are a field", "numbers of channels")
    axis = _axis(node, x, 0)
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=new_index(x.known, axis))
    walk.declare(node.outputs[0], _changed(x, axis, list(indices.known)), unit=x.unit, stride=x.stride)


@operator("GatherElements")
def one_of_each(walk: Walk, node: Node) -> None:
    """A channel for each point, or a point within each patch; in the latter case, the mean over as many slices is taken."""
    x, indices = node.value(0), node.value(1)
    asked = node.axis(node.get("axis", 0), x.rank)
    slices = patch_length(walk, x, [asked])
    axis = asked if is_patch(x, asked) else _axis(node, x, 0)
    if not (x.alone and indices.alone and new_place(x.known) == new_place(indices.known)):
        raise node.refusal("places that are not a field of the same layout", "one place for each point")
    made = _changed(x, axis, [_old(indices)[axis]])
    if slices == 1 or not old_size(_old(indices)[axis]).same(ONE):
        if slices > 1:
            raise node.refusal("several points of a patch", "one")
        walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=new_index(x.known, axis))
        walk.declare(node.outputs[0], made, unit=x.unit, stride=x.stride)
        return
    found = walk.graph.add("GatherElements", walk.names(node), node.label, axis=new_index(x.known, axis))
    found = taken_together(walk, node.label, found, made, slices)
    walk.graph.add("Identity", [found], node.label, outputs=node.outputs[:1])
    walk.declare(node.outputs[0], made, stride=x.stride * slices)


def _axis(node: Node, x: Value, default: int, given: int | None = None) -> int:
    """The axis of the node, which must not be spatial.

    **Raises:** `UnsupportedError` for a spatial axis.
    """
    axis = node.axis(node.get("axis", default) if given is None else given, x.rank)
    own = _old(x)[axis]
    if has_new(own) or (x.spatial and space_of(own) is not None):
        raise node.refusal("an axis of space", "one of channels")
    if x.diluted:
        raise node.refusal("weights of positions, which become smaller as there are more of them", "values")
    return axis


def _old(x: Value) -> list[Axis]:
    return [axis for axis in x.known if not is_new_axis(axis)]


def _changed(x: Value, axis: int, instead: list[Axis]) -> Axes:
    """The layout with other axes in the place of one."""
    old, place = _old(x), new_place(x.known)
    made = [*old[:axis], *instead, *old[axis + 1 :]]
    if not x.alone or place is None:
        return tuple(made)
    at = place if place <= axis else place + len(instead) - 1
    return (*made[:at], (NEW,), *made[at:])
