"""Convolutions, with transposed ones for inputs with zeros between the points."""

from __future__ import annotations

from typing import Any

from ...errors import UnsupportedError
from .._onnx_program import Program
from ._padding import around, spread
from ._parts import backwards
from ._registry import operation


@operation("conv_general_dilated")
def _convolve(program: Program, equation: Any, operands: list[str]) -> list[str]:
    given, (x, kernel) = equation.params, operands
    if given["batch_group_count"] != 1:
        raise UnsupportedError("convolution of the network", got="groups of the batch", expected="none")
    numbers = given["dimension_numbers"]
    shape = [equation.invars[0].aval.shape[i] for i in numbers.lhs_spec]
    x = program.graph.transpose(x, [int(i) for i in numbers.lhs_spec], "program")
    kernel = program.graph.transpose(kernel, [int(i) for i in numbers.rhs_spec], "program")
    back = [list(numbers.out_spec).index(i) for i in range(len(numbers.out_spec))]
    if _is_transposed(given):
        sides = [int(equation.invars[1].aval.shape[i]) for i in numbers.rhs_spec[2:]]
        return [
            program.graph.transpose(_convolve_transposed(program, given, x, kernel, sides), back, "program")
        ]
    for axis, factor in enumerate(given["lhs_dilation"]):
        if factor > 1:
            x = spread(program, x, shape, axis + 2, int(factor), None)
            shape[axis + 2] = (shape[axis + 2] - 1) * factor + 1
    x = around(program, x, [(0, 0), (0, 0), *given["padding"]], None)
    y = program.add(
        "Conv",
        [x, kernel],
        strides=[int(each) for each in given["window_strides"]],
        dilations=[int(each) for each in given["rhs_dilation"]],
        group=int(given["feature_group_count"]),
    )
    return [program.graph.transpose(y, back, "program")]


def _is_transposed(given: Any) -> bool:
    """Whether a convolution with zeros between the points is a transposed one."""
    plain = given["feature_group_count"] == 1 and set(given["window_strides"]) == {1}
    return plain and any(factor > 1 for factor in given["lhs_dilation"])


def _convolve_transposed(program: Program, given: Any, x: str, kernel: str, sides: list[int]) -> str:
    """Write a convolution with zeros between the points and the kernel `(out, in, *sides)` as a transposed one."""
    dims = len(sides)
    kernel = program.graph.transpose(kernel, [1, 0, *range(2, 2 + dims)], "program")
    for axis, side in enumerate(sides):
        kernel = backwards(program, kernel, axis + 2) if side > 1 else kernel
    reach = [int(e) * (side - 1) for e, side in zip(given["rhs_dilation"], sides, strict=True)]
    cut = [(r - low, r - high) for r, (low, high) in zip(reach, given["padding"], strict=True)]
    made = program.add(
        "ConvTranspose",
        [x, kernel],
        strides=[int(each) for each in given["lhs_dilation"]],
        dilations=[int(each) for each in given["rhs_dilation"]],
        pads=[max(int(each), 0) for ends in zip(*cut, strict=True) for each in ends],
    )
    beyond = [(max(-int(low), 0), max(-int(high), 0)) for low, high in cut]
    return around(program, made, [(0, 0), (0, 0), *beyond], None)
