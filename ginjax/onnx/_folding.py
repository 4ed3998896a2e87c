"""Constants that the graph computes from constants, such as a kernel that is first transposed or scaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._library import onnx_library
from ._walk import Node

MAX_FOLDED = 2**28
"""Most entries of a folded constant."""


def folded(node: Node) -> np.ndarray | None:
    """The output of a node whose inputs are all constants; None if the node is left to the runtime."""
    rule = _RULES.get(node.kind)
    given = [None if each is None else each.constant for each in node.inputs]
    if rule is None or node.proto.domain not in ("", "ai.onnx") or not given:
        return None
    if any(each is not None and each.constant is None for each in node.inputs):
        return None
    try:
        shapes = [each.shape for each in given if each is not None]
        if node.kind in _BROADCAST and np.prod(np.broadcast_shapes(*shapes), dtype=float) > MAX_FOLDED:
            return None
        with np.errstate(all="ignore"):
            return np.asarray(rule(node, given))
    except (ValueError, IndexError, TypeError, OverflowError, np.exceptions.AxisError):
        return None


def _axes(node: Node, given: list[Any]) -> tuple[int, ...] | None:
    if "axes" in node.attributes:
        return tuple(int(each) for each in node.get("axes"))
    return None if len(given) < 2 or given[1] is None else tuple(given[1].reshape(-1).tolist())


def _reshape(node: Node, given: list[Any]) -> np.ndarray:
    shape = [
        given[0].shape[i] if each == 0 and not int(node.get("allowzero", 0)) else int(each)
        for i, each in enumerate(given[1].reshape(-1).tolist())
    ]
    return given[0].reshape(shape)


def _divide(node: Node, given: list[Any]) -> np.ndarray:
    a, b = given
    if a.dtype.kind in "iu":
        raise ValueError("whole numbers are divided as shape arithmetic")
    return a / b


def _cast(node: Node, given: list[Any]) -> np.ndarray:
    return given[0].astype(onnx_library("helper").tensor_dtype_to_np_dtype(int(node.get("to", 1))))


def _slice(node: Node, given: list[Any]) -> np.ndarray:
    array = given[0]
    starts, ends, *others = ([int(n) for n in each.reshape(-1)] for each in given[1:] if each is not None)
    axes = others[0] if len(given) > 3 and given[3] is not None else range(len(starts))
    steps = others[-1] if len(given) > 4 and given[4] is not None else [1] * len(starts)
    whole = [slice(None)] * array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # Counted from the end, there is no index before the first entry.
        whole[axis] = slice(start, None if step < 0 and end < -array.shape[axis] else end, step)
    return array[tuple(whole)]


_RULES: dict[str, Callable[[Node, list[Any]], np.ndarray]] = {
    "Identity": lambda node, given: given[0],
    "Cast": _cast,
    "Transpose": lambda node, given: np.transpose(given[0], node.get("perm")),
    "Reshape": _reshape,
    "Squeeze": lambda node, given: np.squeeze(given[0], _axes(node, given)),
    "Unsqueeze": lambda node, given: np.expand_dims(given[0], _axes(node, given) or ()),
    "Add": lambda node, given: given[0] + given[1],
    "Sub": lambda node, given: given[0] - given[1],
    "Mul": lambda node, given: given[0] * given[1],
    "Div": _divide,
    "Slice": _slice,
    "Sqrt": lambda node, given: np.sqrt(given[0]),
}
_BROADCAST = {"Add", "Sub", "Mul", "Div"}
