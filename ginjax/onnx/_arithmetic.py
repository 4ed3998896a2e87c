"""Shape arithmetic: the formulas, entry by entry, of what a graph computes from lengths."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ._library import onnx_library
from ._sizes import Length, Size, TooLong
from ._values import MAX_CONTENT, Value, as_content
from ._walk import Node

Content = np.ndarray
_INTEGERS = {2, 3, 4, 5, 6, 7, 12, 13}
"""Types of ONNX that hold integers, for which a division drops the remainder."""


def contents(node: Node) -> list[Content] | None:
    """The contents of the outputs of a shape arithmetic node; None for any other node, or if they are not known."""
    if node.kind in ("Shape", "Size"):
        x = node.maybe(0)
        return None if x is None or x.axes is None else [_shape(node, x)]
    rule = _RULES.get(node.kind)
    given = [each for each in node.inputs if each is not None]
    if rule is None or not given or any(each.content is None for each in given):
        return None
    try:
        made = rule(node, [None if each is None else each.content for each in node.inputs])
    except (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError, TooLong):
        return None
    if made is None:
        return None
    array = _row([made]).reshape(()) if not isinstance(made, np.ndarray) else made
    return None if array.size > MAX_CONTENT else [array]


def _shape(node: Node, x: Value) -> Content:
    sizes = x.sizes
    if node.kind == "Size":
        total = Size.of(1)
        for each in sizes:
            total = total * each
        return _row([total]).reshape(())
    start, end = int(node.get("start", 0)), node.get("end")
    return _row(sizes[start : None if end is None else int(end)])


def _row(entries: list[Any]) -> Content:
    made = np.empty(len(entries), object)
    for i, each in enumerate(entries):
        made[i] = each
    return made


def _each(function: Callable[..., Any]) -> Callable[[Node, list[Any]], Content | None]:
    def apply(node: Node, inputs: list[Any]) -> Content | None:
        arrays = np.broadcast_arrays(*[each for each in inputs if each is not None])
        if arrays[0].size > MAX_CONTENT:
            return None
        made = np.empty(arrays[0].shape, object)
        for index in np.ndindex(made.shape):
            entry = function(*(each[index] for each in arrays))
            if entry is None:
                return None
            made[index] = entry
        return made

    return apply


def _of_lengths(function: Callable[..., Any]) -> Callable[[Node, list[Any]], Content | None]:
    """As `_each`, for a function of lengths alone; the result is not known if an entry is a truth value."""

    def unless_truth(*entries: Any) -> Any:
        return function(*entries) if all(isinstance(each, Size) for each in entries) else None

    return _each(unless_truth)


def _divided(node: Node, inputs: list[Any]) -> Content | None:
    whole = node.value(0).dtype in _INTEGERS

    def divide(a: Size, b: Size) -> Size | None:
        if b.number == 0:
            return None
        return (a / b).rounded("floor") if whole else a / b

    return _of_lengths(divide)(node, inputs)


def _modulo(a: Size, b: Size) -> Size | None:
    return None if b.number == 0 else a - (a / b).rounded("floor") * b


def _compared(relation: Callable[[Any, Any], bool]) -> Callable[[Size, Size], bool | None]:
    def compare(a: Size, b: Size) -> bool | None:
        one, two = a.value, b.value
        if one is not None and two is not None:
            return relation(one, two)
        if a == b:
            return relation(0, 0)
        known, other = (one, b) if one is not None else (two, a)
        if known is not None and known <= 0 and _is_length(other):  # a length is 1 or more
            return relation(known, 1) if one is not None else relation(1, known)
        return None

    return compare


def _is_length(size: Size) -> bool:
    return (
        len(size.terms) == 1 and size.terms[0][1] > 0 and all(isinstance(e, Length) for e in size.terms[0][0])
    )


def _largest(a: Size, b: Size, sign: int) -> Size | None:
    if a == b:
        return a
    if a.value is not None and b.value is not None:
        return a if (a.value - b.value) * sign >= 0 else b
    return None


def _gather(node: Node, inputs: list[Any]) -> Content | None:
    if int(node.get("axis", 0)) != 0:
        return None
    return np.take(inputs[0], _numbers(inputs[1]), axis=0)


def _numbers(content: Content) -> np.ndarray:
    """Read integers; `ValueError` for anything else."""
    flat = content.reshape(-1).tolist()
    found = [each.number if isinstance(each, Size) else None for each in flat]
    if any(each is None or each.denominator != 1 for each in found):
        raise ValueError("not whole numbers")
    return np.array([int(each) for each in found if each is not None], np.int64).reshape(content.shape)


def _slice(node: Node, inputs: list[Any]) -> Content | None:
    rest = [None if each is None else _numbers(each).reshape(-1) for each in inputs[1:]]
    starts, ends = rest[0], rest[1]
    if starts is None or ends is None:
        return None
    axes = rest[2] if len(rest) > 2 and rest[2] is not None else np.arange(len(starts))
    steps = rest[3] if len(rest) > 3 and rest[3] is not None else np.ones(len(starts), int)
    index: list[Any] = [slice(None)] * inputs[0].ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        last = None if step < 0 and end < -inputs[0].shape[axis] else int(end)
        index[axis] = slice(int(start), last, int(step))
    return inputs[0][tuple(index)]


def _axes_of(node: Node, inputs: list[Any]) -> list[int] | None:
    if "axes" in node.attributes:
        return [int(each) for each in node.get("axes")]
    return None if len(inputs) < 2 or inputs[1] is None else _numbers(inputs[1]).reshape(-1).tolist()


def _squeeze(node: Node, inputs: list[Any]) -> Content:
    axes = _axes_of(node, inputs)
    return np.squeeze(inputs[0], None if axes is None else tuple(axes))


def _unsqueeze(node: Node, inputs: list[Any]) -> Content | None:
    axes = _axes_of(node, inputs)
    return None if not axes or len(axes) > 4 else np.expand_dims(inputs[0], tuple(axes))


def _concat(node: Node, inputs: list[Any]) -> Content:
    return np.concatenate(inputs, axis=int(node.get("axis", 0)))


def _reshape(node: Node, inputs: list[Any]) -> Content:
    return inputs[0].reshape(_numbers(inputs[1]).reshape(-1).tolist())


def _filled(node: Node, inputs: list[Any]) -> Content | None:
    shape = _numbers(inputs[0]).reshape(-1).tolist()
    if any(each < 0 for each in shape) or len(shape) > 4 or np.prod(shape, dtype=float) > MAX_CONTENT:
        return None
    given = node.get("value")
    array = np.zeros(1, np.float32) if given is None else onnx_library("numpy_helper").to_array(given)
    entry = as_content(array.reshape(-1)[:1])
    return None if entry is None else np.broadcast_to(entry[0], shape)


def _where(condition: bool, a: Any, b: Any) -> Any:
    if isinstance(condition, bool):
        return a if condition else b
    return a if a == b else None


def _cast(node: Node, inputs: list[Any]) -> Content | None:
    to = int(node.get("to", 7))
    if to in _INTEGERS:
        made = _each(lambda a: Size.of(int(a)) if isinstance(a, bool) else a.rounded("floor"))
        return made(node, inputs)
    if to == 9:
        return _each(lambda a: a if isinstance(a, bool) else None if a.value is None else a.value != 0)(
            node, inputs
        )
    return _each(lambda a: Size.of(int(a)) if isinstance(a, bool) else a)(node, inputs)


def _product(node: Node, inputs: list[Any]) -> Content | None:
    if inputs[0].ndim != 1:
        return None
    total = Size.of(1)
    for each in inputs[0]:
        if not isinstance(each, Size):
            return None
        total = total * each
    return _row([total]).reshape((1,) if int(node.get("keepdims", 1)) else ())


def _transposed(node: Node, inputs: list[Any]) -> Content:
    return np.transpose(inputs[0], node.get("perm"))


def _expand(node: Node, inputs: list[Any]) -> Content | None:
    shape = np.broadcast_shapes(inputs[0].shape, tuple(_numbers(inputs[1]).reshape(-1).tolist()))
    return None if np.prod(shape, dtype=float) > MAX_CONTENT else np.broadcast_to(inputs[0], shape)


_RULES: dict[str, Callable[[Node, list[Any]], Content | None]] = {
    "Add": _of_lengths(lambda a, b: a + b),
    "Sub": _of_lengths(lambda a, b: a - b),
    "Mul": _of_lengths(lambda a, b: a * b),
    "Div": _divided,
    "Mod": _of_lengths(_modulo),
    "Neg": _of_lengths(lambda a: -a),
    "Floor": _of_lengths(lambda a: a.rounded("floor")),
    "Ceil": _of_lengths(lambda a: a.rounded("ceil")),
    "Max": _of_lengths(lambda a, b=None: a if b is None else _largest(a, b, 1)),
    "Min": _of_lengths(lambda a, b=None: a if b is None else _largest(a, b, -1)),
    "Equal": _of_lengths(_compared(operator.eq)),
    "Greater": _of_lengths(_compared(operator.gt)),
    "GreaterOrEqual": _of_lengths(_compared(operator.ge)),
    "Less": _of_lengths(_compared(operator.lt)),
    "LessOrEqual": _of_lengths(_compared(operator.le)),
    "Not": _each(lambda a: not a if isinstance(a, bool) else None),
    "And": _each(lambda a, b: a and b if isinstance(a, bool) and isinstance(b, bool) else None),
    "Or": _each(lambda a, b: a or b if isinstance(a, bool) and isinstance(b, bool) else None),
    "Where": _each(_where),
    "Identity": _each(lambda a: a),
    "Cast": _cast,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Transpose": _transposed,
    "ConstantOfShape": _filled,
    "ReduceProd": _product,
    "Expand": _expand,
}
