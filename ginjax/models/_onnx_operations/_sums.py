"""Reductions and tensor products."""

from __future__ import annotations

import string
from typing import Any

from .._onnx_program import Program
from ._registry import operation, type_of

_REDUCTIONS = {"reduce_sum": "ReduceSum", "reduce_max": "ReduceMax", "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd"}  # fmt: skip


@operation(*_REDUCTIONS)
def _reduce(program: Program, equation: Any, operands: list[str]) -> list[str]:
    axes = [int(each) for each in equation.params["axes"]]
    kind = _REDUCTIONS[equation.primitive.name]
    return [program.graph.reduce(kind, operands[0], axes, "program", keep=False)] if axes else operands


@operation("argmax", "argmin")
def _place_of_extreme(program: Program, equation: Any, operands: list[str]) -> list[str]:
    kind = "ArgMax" if equation.primitive.name == "argmax" else "ArgMin"
    found = program.add(kind, operands, axis=int(equation.params["axes"][0]), keepdims=0)
    return [program.add("Cast", [found], to=type_of(equation.params["index_dtype"]))]


@operation("dot_general")
def _contract(program: Program, equation: Any, operands: list[str]) -> list[str]:
    (left, right), (left_batch, right_batch) = equation.params["dimension_numbers"]
    letters = iter(string.ascii_letters)
    one = [next(letters) for _ in equation.invars[0].aval.shape]
    two = [next(letters) for _ in equation.invars[1].aval.shape]
    for a, b in (*zip(left, right, strict=True), *zip(left_batch, right_batch, strict=True)):
        two[b] = one[a]
    rest = [letter for i, letter in enumerate(one) if i not in left and i not in left_batch]
    rest += [letter for i, letter in enumerate(two) if i not in right and i not in right_batch]
    made = "".join([*(one[i] for i in left_batch), *rest])
    return [program.add("Einsum", operands, equation=f"{''.join(one)},{''.join(two)}->{made}")]
