"""Padding around fields and between their points."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._onnx_program import Program
from ._registry import operation


@operation("pad")
def _pad(program: Program, equation: Any, operands: list[str]) -> list[str]:
    tensor, value = operands
    config = equation.params["padding_config"]
    for axis, (_, _, inner) in enumerate(config):
        if inner:
            tensor = spread(program, tensor, equation.invars[0].aval.shape, axis, int(inner) + 1, value)
    return [around(program, tensor, [(low, high) for low, high, _ in config], value)]


def spread(program: Program, tensor: str, shape: Any, axis: int, factor: int, value: str | None) -> str:
    """Insert `factor - 1` points of one value between neighbours along an axis."""
    rank = len(shape)
    raised = program.graph.unsqueeze(tensor, [axis + 1], "program")
    pads = [0] * (2 * (rank + 1))
    pads[rank + 1 + axis + 1] = factor - 1
    inputs = [raised, program.numbers(pads), *([value] if value else [])]
    padded = program.add("Pad", inputs)
    # The other axes are copied, so that only the length of the growing axis is inferred.
    whole = [0] * rank
    whole[axis] = -1
    parts = [0] * axis + [-1] + [0] * (rank - axis - 1)
    if (
        axis < rank - 1
    ):  # a copied axis is the one in the same place, which is one further on behind the spread one
        lengths = [program.graph.vector([program.length(size)]) for size in shape]
        flat = [*lengths[:axis], program.numbers([-1]), *lengths[axis + 1 :]]
        joined = program.add("Reshape", [padded, program.add("Concat", flat, axis=0)])
    else:
        joined = program.add("Reshape", [padded, program.numbers(parts)])
    return program.graph.slice(joined, axis, 0, -(factor - 1)) if factor > 1 else joined


def around(program: Program, tensor: str, widths: list[tuple[Any, Any]], value: str | None) -> str:
    """Pad a tensor at its ends, or cut it where a width is negative."""
    for axis, (low, high) in enumerate(widths):
        cut = [int(-each) if isinstance(each, int | np.integer) and each < 0 else 0 for each in (low, high)]
        if any(cut):
            tensor = program.graph.slice(tensor, axis, cut[0], -cut[1] if cut[1] else 2**62)
    ends = [
        max(each, 0) if isinstance(each, int | np.integer) else each
        for pair in zip(*widths, strict=True)
        for each in pair
    ]
    if all(is_zero(each) for each in ends):
        return tensor
    pads = program.exact_shape(ends)
    return program.add("Pad", [tensor, pads, *([value] if value else [])])


def is_zero(size: Any) -> bool:
    """Whether a size is known to be 0."""
    return isinstance(size, int | np.integer) and size == 0
