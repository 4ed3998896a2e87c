"""Operators that work entry by entry: tensors without the new axis are broadcast along it."""

from __future__ import annotations

from collections.abc import Sequence

from .._layout import Axes, has_new, is_new_axis, merged_axes, new_place, old_size, place_of_new, without_new
from .._sizes import ONE
from .._values import Value
from .._walk import Node, Walk
from ._new_axis import with_new
from ._registry import operator

_ONE_INPUT = (
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Cast", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp",
    "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal",
    "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh",
    "ThresholdedRelu",
)  # fmt: skip
_SEVERAL = (
    "Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "CastLike", "Clip", "Div", "Equal", "Greater", "GreaterOrEqual",
    "Less", "LessOrEqual", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub", "Sum", "Where", "Xor",
)  # fmt: skip
_SCALES = {"Mul", "Neg", "Identity", "Cast", "Relu", "Abs", "LeakyRelu", "Dropout", "PRelu"}
"""Operators through which a common factor of all entries of the first input passes."""


@operator(*_ONE_INPUT, *_SEVERAL, without_space=True)
def entry_by_entry(walk: Walk, node: Node) -> None:
    """$y = f(a, b, \\ldots)$, with the shapes broadcast."""
    there = [each for each in node.inputs if each is not None]
    spatial = [each for each in there if each.spatial]
    if node.kind in ("CastLike", "Clip"):  # inputs after the first are not fields
        there, spatial = there[:1], spatial[:1]
    axes = broadcast(node, there)
    names = walk.names(node)
    if spatial and any(each.alone for each in spatial):
        names = [
            name if value is None or value.spatial or value not in there else with_new(walk, value, axes)
            for name, value in zip(names, node.inputs, strict=True)
        ]
    walk.graph.copy(node.proto, names, node.outputs)
    walk.declare(
        node.outputs[0],
        axes,
        unit=bool(spatial) and all(each.unit for each in spatial),
        diluted=_diluted(node, there),
        stride=max((each.stride for each in spatial), default=1.0),
        dtype=int(node.get("to", 0)) if node.kind == "Cast" else 0,
    )


@operator("Dropout", without_space=True)
def dropout(walk: Walk, node: Node) -> None:
    """The input unchanged: a converted network is run, not trained."""
    if any(node.outputs[1:]):
        raise node.refusal("the mask of a Dropout", "a graph in evaluation mode")
    x = node.value(0)
    made = walk.graph.add("Identity", [walk.tensor(x)], node.label, outputs=node.outputs[:1])
    walk.declare(made, x.axes, unit=x.unit, diluted=x.diluted, stride=x.stride)


@operator("QuantizeLinear", "DequantizeLinear")
def quantized(walk: Walk, node: Node) -> None:
    """Rounding with one scale for all entries, or by channels."""
    x, scale = node.value(0), node.value(1)
    names, axis = walk.names(node), None
    if scale.rank:
        old = node.axis(node.get("axis", 1), x.rank)
        if has_new(without_new(x.known)[old]) or node.get("block_size"):
            raise node.refusal("scales along space", "one scale, or one a channel")
        place = place_of_new(x.known)
        axis = old if not x.alone or old < place else old + 1
    walk.graph.copy(node.proto, names, node.outputs, **({} if axis is None else {"axis": axis}))
    walk.declare(node.outputs[0], x.axes, unit=x.unit, stride=x.stride)


def broadcast(node: Node, values: Sequence[Value]) -> Axes:
    """The layout of the result for values of different shapes."""
    rank = max(each.rank for each in values)
    spatial = [each for each in values if each.spatial]
    alone = {place_of_new(each.known) + rank - each.rank for each in spatial if each.alone}
    merged = {m + rank - each.rank for each in spatial for m in merged_axes(each.known)}
    if len(alone) > 1 or (alone and merged) or len(merged) > 2:
        raise node.refusal("fields whose new axes do not stand in the same place", "fields of one layout")
    result = []
    for axis in range(rank):
        options = [
            _merged_or_old(each, axis - rank + each.rank) for each in values if axis - rank + each.rank >= 0
        ]
        if axis in merged:
            for option in options:
                if not has_new(option) and not old_size(option).same(ONE):
                    raise node.refusal(
                        "a table with an entry for each position of a field whose space was flattened",
                        "numbers that are the same at every position",
                        "A table of positions has no meaning on another grid; add it before space is flattened.",
                    )
            result.append(next(option for option in options if has_new(option)))
            continue
        large = [option for option in options if not old_size(option).same(ONE)] or options
        large.sort(key=lambda option: not any(f.space is not None for f in option))
        result.append(large[0])
    for place in alone:
        like = next(each for each in spatial if each.alone)
        result.insert(place, like.known[new_place(like.known) or 0])
    return tuple(result)


def _merged_or_old(value: Value, axis: int) -> tuple:
    """An axis counted as in the old graph, including the new axis if that was merged into it."""
    return [each for each in value.known if not is_new_axis(each)][axis]


def _diluted(node: Node, values: list[Value]) -> bool:
    diluted = [each for each in values if each.diluted]
    if not diluted:
        return False
    over = node.kind == "Div" and len(values) == 2 and values[0].diluted and not values[1].diluted
    if not over and (len(diluted) > 1 or node.kind not in _SCALES):
        raise node.refusal(
            "weights of positions, which become smaller as there are more of them",
            "operators through which a common factor goes",
        )
    return True
