"""Selection of entries by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import UnsupportedError
from .._onnx_program import Program
from ._registry import operation, type_of


@operation("gather")
def _gather(program: Program, equation: Any, operands: list[str]) -> list[str]:
    """Write one index or slice along one axis, or an index for each entry of the axes before it."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    x, places = (each.aval for each in equation.invars)
    axis = numbers.start_index_map[0] if len(numbers.start_index_map) == 1 else None
    batch = tuple(numbers.operand_batching_dims)
    kept = not numbers.collapsed_slice_dims
    if axis is None or not (kept or (sizes[axis] == 1 and tuple(numbers.collapsed_slice_dims) == (axis,))):
        raise UnsupportedError("operation 'gather' of the network", expected="an index along one axis")
    axis = int(axis)
    if (
        not batch
        and len(places.shape) == 1
        and all(a == b for i, (a, b) in enumerate(zip(sizes, x.shape, strict=True)) if i != axis)
    ):
        if kept:
            start = program.add("Cast", [operands[1]], to=type_of(np.int64))
            end = program.add("Add", [start, program.numbers([int(sizes[axis])])])
            return [program.graph.slice(operands[0], axis, start, end)]
        index = program.add("Reshape", [operands[1], program.numbers([])])
        return [program.add("Gather", [operands[0], index], axis=axis)]
    straight = batch == tuple(range(axis)) and tuple(numbers.start_indices_batching_dims) == batch
    out = equation.outvars[0].aval.shape
    if (
        kept
        or not straight
        or len(places.shape) != axis + 2
        or tuple(out[axis + 1 :]) != tuple(x.shape[axis + 1 :])
    ):
        raise UnsupportedError(
            "operation 'gather' of the network", expected="an index for each entry of the axes before"
        )
    # (..., count, 1) -> (..., count, 1 of each axis behind) -> as many as the result has
    tail = [1] * (len(x.shape) - axis - 1)
    index = program.reshape(operands[1], places.shape, [*places.shape[:-1], *tail])
    if tail:
        index = program.add("Expand", [index, program.exact_shape([*[1] * (axis + 1), *out[axis + 1 :]])])
    return [program.add("GatherElements", [operands[0], index], axis=axis)]
