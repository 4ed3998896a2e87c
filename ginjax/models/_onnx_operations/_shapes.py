"""Operations that insert, remove, merge, split, repeat, move and concatenate axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import UnsupportedError
from .._onnx_program import Program
from ._registry import operation


@operation("reshape", "squeeze", "expand_dims")
def _reshape(program: Program, equation: Any, operands: list[str]) -> list[str]:
    if equation.params.get("dimensions") is not None and equation.primitive.name == "reshape":
        raise UnsupportedError("operation 'reshape' of the network", got="an order of axes", expected="none")
    shape = equation.outvars[0].aval.shape
    if shape == equation.invars[0].aval.shape:
        return operands
    if operands[0] in program.repeats:
        tensor, axis, times = program.repeats[operands[0]]
        before = equation.invars[0].aval.shape
        if axis and tuple(shape) == (*before[: axis - 1], before[axis - 1] * times, *before[axis + 1 :]):
            return [_points_repeated(program, tensor, len(shape), axis - 1, times)]
    return [program.reshape(operands[0], equation.invars[0].aval.shape, shape)]


def _points_repeated(program: Program, tensor: str, rank: int, axis: int, times: int) -> str:
    """Repeat every point of an axis."""
    scales = [1.0] * rank
    scales[axis] = float(times)
    return program.add(
        "Resize",
        [tensor, "", program.numbers(scales, np.float32)],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


@operation("broadcast_in_dim")
def _broadcast(program: Program, equation: Any, operands: list[str]) -> list[str]:
    shape, places = equation.params["shape"], equation.params["broadcast_dimensions"]
    before = equation.invars[0].aval.shape
    tensor, flat = operands[0], [1] * len(shape)
    for place, size in zip(places, before, strict=True):
        flat[place] = size
    if tuple(flat) != tuple(before):
        tensor = program.reshape(tensor, before, flat)
    if tuple(flat) == tuple(shape):
        return [tensor]
    # Lengths that stay are written as 1, so that free lengths need not be computed.
    grown = [1 if one == size else size for one, size in zip(flat, shape, strict=True)]
    made = program.add("Expand", [tensor, program.exact_shape(grown)])
    new = [i for i in range(len(shape)) if i not in places]
    alone = all(one == 1 for i, one in enumerate(grown) if i not in new)
    if len(new) == 1 and isinstance(shape[new[0]], int | np.integer) and alone:
        program.repeats[made] = (operands[0], new[0], int(shape[new[0]]))
    return [made]


@operation("transpose")
def _transpose(program: Program, equation: Any, operands: list[str]) -> list[str]:
    order = [int(each) for each in equation.params["permutation"]]
    return [program.graph.transpose(operands[0], order, "program")]


@operation("concatenate")
def _concatenate(program: Program, equation: Any, operands: list[str]) -> list[str]:
    if len(operands) == 1:
        return operands
    return [program.add("Concat", operands, axis=int(equation.params["dimension"]))]


@operation("stack")
def _stack(program: Program, equation: Any, operands: list[str]) -> list[str]:
    axis = int(equation.params["axis"])
    raised = [program.graph.unsqueeze(each, [axis], "program") for each in operands]
    return [program.add("Concat", raised, axis=axis)]
