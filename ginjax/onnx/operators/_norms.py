"""Norms: the mean and variance of a field that repeats one slice are those of the slice."""

from __future__ import annotations

from .._layout import is_new_axis, merged_axes, new_index, new_place
from .._walk import Node, Walk
from ._registry import operator


@operator("BatchNormalization")
def batch_norm(walk: Walk, node: Node) -> None:
    """With running statistics, for each channel."""
    if int(node.get("training_mode", 0)) or any(node.outputs[1:]):
        raise node.refusal("a norm in training mode", "a graph in evaluation mode")
    _channels_stay(walk, node)
    _as_it_is(walk, node)


@operator("InstanceNormalization", "GroupNormalization")
def norm_over_space(walk: Walk, node: Node) -> None:
    """With statistics over all positions, including the new ones."""
    _channels_stay(walk, node)
    walk.blind = False
    _as_it_is(walk, node)


@operator("LRN")
def response_norm(walk: Walk, node: Node) -> None:
    """Over neighbouring channels, for each slice separately."""
    from ._folded import slice_by_slice

    slice_by_slice(
        walk, node, lambda field: walk.graph.copy(node.proto, [field], [f"{node.outputs[0]}.flat"])
    )
    x = node.value(0)
    walk.declare(node.outputs[0], x.axes, unit=x.unit, stride=x.stride)


@operator("LayerNormalization", "RMSNormalization")
def norm_over_last(walk: Walk, node: Node) -> None:
    """Over the axes from one to the last."""
    if any(node.outputs[1:]):
        raise node.refusal("the statistics of a norm", "the values alone")
    x = node.value(0)
    axis = node.axis(node.get("axis", -1), x.rank)
    if any(m >= axis for m in merged_axes(x.known)):
        raise node.refusal(
            "weights for each position of a field whose space was flattened", "weights by channel"
        )
    place, start = new_place(x.known), new_index(x.known, axis)
    names = walk.names(node)
    if x.alone and place is not None and place > start:
        # The statistics of a slice are those of the field: the new axis is moved out of the way.
        order = [place, *(i for i in range(len(x.known)) if i != place)]
        moved = walk.graph.transpose(names[0], order, node.label)
        made = walk.graph.name(f"{node.outputs[0]}.moved")
        walk.graph.copy(node.proto, [moved, *names[1:]], [made], axis=axis + 1)
        back = [order.index(i) for i in range(len(order))]
        walk.graph.add("Transpose", [made], node.label, outputs=node.outputs[:1], perm=back)
    else:
        walk.graph.copy(node.proto, names, node.outputs, axis=start - len(x.known))
    walk.declare(node.outputs[0], x.axes, unit=x.unit, stride=x.stride)


@operator("MeanVarianceNormalization")
def mean_variance(walk: Walk, node: Node) -> None:
    """Over given axes, and over the new one if they contain all of space."""
    from ._reductions import axes_to_reduce

    x = node.value(0)
    axes = [node.axis(each, x.rank) for each in node.get("axes") or [0, 2, 3]]
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axes=axes_to_reduce(walk, x, axes))
    walk.declare(node.outputs[0], x.axes, unit=x.unit, stride=x.stride)


@operator("LpNormalization")
def unit_length(walk: Walk, node: Node) -> None:
    """Along one axis that is not spatial."""
    x = node.value(0)
    axis = node.axis(node.get("axis", -1), x.rank)
    if axis in merged_axes(x.known):
        raise node.refusal("a norm over positions, which grows with the depth", "one over channels")
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=new_index(x.known, axis))
    walk.declare(node.outputs[0], x.axes, unit=x.unit, stride=x.stride)


def _channels_stay(walk: Walk, node: Node) -> None:
    x = node.value(0)
    place = new_place(x.known)
    if place is not None and place < 2:
        raise node.refusal(
            "a new axis that is not among those of space", "fields as (batch, channels, space)"
        )


def _as_it_is(walk: Walk, node: Node) -> None:
    x = node.value(0)
    walk.graph.copy(node.proto, walk.names(node), node.outputs)
    walk.declare(node.outputs[0], x.axes, unit=x.unit and any(map(is_new_axis, x.known)), stride=x.stride)
