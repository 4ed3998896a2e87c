"""Matrix products and softmax: features of a position, and attention between positions."""

from __future__ import annotations

from .._layout import NEW, Axis, axis_of, has_new, is_new_axis, merged_axes, new_index, new_place, old_size
from .._sizes import ONE, Size
from .._values import Value
from .._walk import Node, Walk
from ._registry import operator

_FLAT = "features made of positions, whose number is another on another grid"
_HINT = "Pool over space before the head (a global average) in place of flattening it."


@operator("MatMul", without_space=True)
def matrix_product(walk: Walk, node: Node) -> None:
    """$c_{ij} = \\sum_k a_{ik} b_{kj}$; if $k$ runs over space, the sum runs over the old axes, with a mean along the new one."""
    a, b = node.value(0), node.value(1)
    if min(a.rank, b.rank) < 2:
        if a.spatial or b.spatial:
            raise node.refusal("a product with a vector", "matrices")
        walk.copied(node)
        return
    old_a, old_b = _old(a), _old(b)
    inner = old_a[-1], old_b[-2]
    over_space = has_new(inner[0]) or has_new(inner[1])
    if over_space and not (has_new(inner[0]) and has_new(inner[1])):
        raise node.refusal(_FLAT, "features of channels", _HINT)
    if (a.diluted or b.diluted) and not over_space and a.diluted and b.diluted:
        raise node.refusal("a product of weights of positions", "one of them with values")
    if a.alone and not b.spatial and b.rank == 2 and not is_new_axis(a.known[-1]):
        walk.graph.copy(node.proto, walk.names(node), node.outputs)
        made = (*a.known[:-1], old_b[-1])
        walk.declare(node.outputs[0], made, unit=a.unit, diluted=a.diluted, stride=a.stride)
        return
    spatial = [each for each in (a, b) if each.alone]
    names = walk.names(node)
    rank = max(a.rank, b.rank)
    axes = [*_batch(node, rank, old_a[:-2], old_b[:-2]), old_a[-2], old_b[-1]]
    if spatial:
        if any(merged_axes(each.known) for each in (a, b)):
            raise node.refusal("fields whose new axes do not stand in the same place", "fields of one layout")
        axes.insert(rank - 2, (NEW,))
        names = [_in_front(walk, each, name) for each, name in zip((a, b), names, strict=True)]
    diluted = a.diluted or b.diluted
    if not over_space:
        walk.graph.copy(node.proto, names, node.outputs)
    else:
        walk.blind = False
        if diluted:
            walk.graph.copy(node.proto, names, node.outputs)
            diluted = a.diluted and b.diluted
        else:
            made = walk.graph.add("MatMul", names, node.label)
            _divided_by_depth(walk, node, made, a)
    walk.declare(
        node.outputs[0],
        tuple(axes),
        unit=bool(spatial) and all(each.unit for each in spatial),
        diluted=diluted,
        stride=max(a.stride, b.stride),
    )


def _in_front(walk: Walk, value: Value, name: str) -> str:
    """A tensor with the new axis, or an axis of length 1 instead, just before the two axes of its matrices."""
    at = value.rank - 2
    if value.alone:
        place = new_place(value.known)
        order = [i for i in range(len(value.known)) if i != place]
        return walk.graph.transpose(name, [*order[:at], place or 0, *order[at:]], value.name)
    return walk.graph.unsqueeze(name, [at], value.name) if at else name


def _divided_by_depth(walk: Walk, node: Node, product: str, a: Value) -> None:
    """Turn a sum over all positions into one over the old axes, with a mean along the new one: divide by the length of that."""
    axis = a.known[-1]
    plane = old_size(axis)
    total = walk.lengths.of_axis(walk.tensor(a), len(a.known) - 1)
    depth = walk.graph.add("Div", [total, walk.lengths.formula(plane)], node.label)
    if walk.opset < 15:
        raise node.refusal("a sum over positions before version 15 of the operators", "version 15 or later")
    wide = walk.graph.add("CastLike", [depth, product], node.label)
    walk.graph.add("Div", [product, wide], node.label, outputs=node.outputs[:1])


def _old(value: Value) -> list[Axis]:
    return [axis for axis in value.known if not is_new_axis(axis)]


def _batch(node: Node, rank: int, one: list[Axis], two: list[Axis]) -> list[Axis]:
    result = []
    for i in range(rank - 2):
        options = [each[i - (rank - 2) + len(each)] for each in (one, two) if i - (rank - 2) + len(each) >= 0]
        flat = [has_new(option) for option in options]
        if any(flat) and not all(f or old_size(o).same(ONE) for f, o in zip(flat, options, strict=True)):
            raise node.refusal(
                "a table with an entry for each position", "numbers that are the same everywhere"
            )
        large = [o for o in options if has_new(o) or not old_size(o).same(ONE)] or options
        result.append(large[0])
    return result


@operator("Gemm", without_space=True)
def general_product(walk: Walk, node: Node) -> None:
    """A linear layer on features of channels."""
    a, b = node.value(0), node.value(1)
    if a.alone or b.spatial:
        raise node.refusal("a field with the new axis as its own", "features of channels", _HINT)
    old = [a.known[i] for i in ((1, 0) if int(node.get("transA", 0)) else (0, 1))] if a.rank == 2 else None
    if old is None:
        raise node.refusal(f"{a.rank} axes", "2")
    if has_new(old[1]):
        raise node.refusal(_FLAT, "features of channels", _HINT)
    bias = node.maybe(2)
    if bias is not None and has_new(old[0]) and bias.rank == 2 and not bias.sizes[0].same(ONE):
        raise node.refusal("a table with an entry for each position", "numbers that are the same everywhere")
    if a.diluted:
        raise node.refusal("weights of positions, which become smaller as there are more of them", "values")
    walk.graph.copy(node.proto, walk.names(node), node.outputs)
    features = b.sizes[0 if int(node.get("transB", 0)) else 1] if b.rank == 2 else Size.of(1)
    walk.declare(node.outputs[0], (old[0], axis_of(features)), stride=a.stride)


@operator("Softmax", "LogSoftmax", "Hardmax", without_space=True)
def softmax(walk: Walk, node: Node) -> None:
    """Along one axis; over all positions, the weights become smaller as there are more of them."""
    x = node.value(0)
    axis = node.axis(node.get("axis", -1 if walk.opset >= 13 else 1), x.rank)
    index = new_index(x.known, axis)
    if walk.opset < 13 and x.spatial and index != len(x.known) - 1:
        raise node.refusal(
            "an operator that flattens all axes from one on (before version 13)", "version 13 or later"
        )
    over_space = has_new(_old(x)[axis])
    if x.diluted or (over_space and node.kind != "Softmax"):
        raise node.refusal(f"{node.kind} of weights of positions, or over them", "Softmax of values")
    walk.graph.copy(node.proto, walk.names(node), node.outputs, axis=index if x.spatial else axis)
    if over_space:
        walk.blind = False
    walk.declare(node.outputs[0], x.axes, unit=x.unit, diluted=over_space, stride=x.stride)
