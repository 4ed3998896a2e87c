"""Slices and reversals of axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._onnx_program import Program
from ._padding import is_zero
from ._registry import operation, type_of


@operation("split")
def _split(program: Program, equation: Any, operands: list[str]) -> list[str]:
    axis, start, made = int(equation.params["axis"]), 0, []
    for size in equation.params["sizes"]:
        made.append(program.graph.slice(operands[0], axis, start, start + int(size)))
        start += int(size)
    return made


@operation("slice")
def _slice(program: Program, equation: Any, operands: list[str]) -> list[str]:
    given = equation.params
    shape = equation.invars[0].aval.shape
    steps = given["strides"] or (1,) * len(shape)
    tensor = operands[0]
    for axis, (start, end, step) in enumerate(
        zip(given["start_indices"], given["limit_indices"], steps, strict=True)
    ):
        if not (is_zero(start) and end == shape[axis] and step == 1):
            tensor = program.graph.slice(tensor, axis, program.length(start), program.length(end), int(step))
    return [tensor]


@operation("dynamic_slice")
def _slice_from(program: Program, equation: Any, operands: list[str]) -> list[str]:
    tensor, *starts = operands
    sizes, shape = equation.params["slice_sizes"], equation.invars[0].aval.shape
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        if size == shape[axis]:
            continue
        first = program.add(
            "Reshape", [program.add("Cast", [start], to=type_of(np.int64)), program.numbers([1])]
        )
        last = program.add("Add", [first, program.numbers([int(size)])])
        tensor = program.graph.slice(tensor, axis, first, last)
    return [tensor]


@operation("rev")
def _reverse(program: Program, equation: Any, operands: list[str]) -> list[str]:
    tensor = operands[0]
    for axis in equation.params["dimensions"]:
        tensor = backwards(program, tensor, int(axis))
    return [tensor]


def backwards(program: Program, tensor: str, axis: int) -> str:
    """Reverse a tensor along an axis."""
    return program.graph.slice(tensor, axis, -1, -(2**62), -1)
