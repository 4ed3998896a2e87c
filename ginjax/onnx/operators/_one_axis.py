"""Operators along one axis that is not of space."""

from __future__ import annotations

from .._layout import NEW, Axes, Axis, axis_of, has_new, is_new_axis, new_index, new_place
from .._sizes import ONE, Size
from .._values import Value
from .._walk import Node, Walk
from ._registry import operator
from ._windows import space_of


@operator("ArgMax", "ArgMin")
def place_of_extreme(walk: Walk, node: Node) -> None:
    """The channel of the largest or smallest value."""
    x = node.value(0)
    axis = _axis(node, x, 0)
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
    if indices.spatial or not x.alone:
        raise node.refusal("places that are a field, or of positions in one row", "numbers of channels")
    axis = _axis(node, x, 0)
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=new_index(x.known, axis))
    walk.declare(node.outputs[0], _changed(x, axis, list(indices.known)), unit=x.unit, stride=x.stride)


def _axis(node: Node, x: Value, default: int, given: int | None = None) -> int:
    """The axis that is meant, which must not be one of space.

    **Raises:** `UnsupportedError` for one that is.
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
    """The layout with other axes in place of one."""
    old, place = _old(x), new_place(x.known)
    made = [*old[:axis], *instead, *old[axis + 1 :]]
    if not x.alone or place is None:
        return tuple(made)
    at = place if place <= axis else place + len(instead) - 1
    return (*made[:at], (NEW,), *made[at:])
