"""Lengths and ranges of indices as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._onnx_program import Program
from ._registry import operation, type_of


@operation("dim_as_value")
def _length(program: Program, equation: Any, operands: list[str]) -> list[str]:
    length = program.length(equation.params["dim"])
    name = length if isinstance(length, str) else program.numbers([length])
    scalar = program.add("Reshape", [name, program.numbers([])])
    return [program.add("Cast", [scalar], to=type_of(equation.outvars[0].aval.dtype))]


@operation("iota")
def _count(program: Program, equation: Any, operands: list[str]) -> list[str]:
    shape, axis = equation.params["shape"], int(equation.params["dimension"])
    dtype = np.dtype(equation.params["dtype"])
    if all(isinstance(each, int | np.integer) for each in shape):
        ones = [1] * len(shape)
        ones[axis] = shape[axis]
        return [
            program.constant(
                np.broadcast_to(np.arange(shape[axis], dtype=dtype).reshape(ones), shape), "count"
            )
        ]
    end = program.length(shape[axis])
    name = end if isinstance(end, str) else program.numbers([end])
    last = program.add("Reshape", [name, program.numbers([])])
    row = program.add("Range", [program.numbers(0), last, program.numbers(1)])
    flat = [1] * len(shape)
    flat[axis] = -1
    row = program.add("Reshape", [program.add("Cast", [row], to=type_of(dtype)), program.numbers(flat)])
    return [program.add("Expand", [row, program.exact_shape(shape)])]
