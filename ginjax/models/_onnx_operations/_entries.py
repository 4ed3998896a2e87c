"""Elementwise operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import UnsupportedError
from .._onnx_program import Program
from ._registry import OPERATIONS, operation, type_of

_SAME = {
    "add": "Add", "add_any": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "max": "Max", "min": "Min", "pow": "Pow", "neg": "Neg",
    "abs": "Abs", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "tanh": "Tanh", "logistic": "Sigmoid", "erf": "Erf", "sin": "Sin",
    "cos": "Cos", "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "gt": "Greater", "ge": "GreaterOrEqual", "lt": "Less",
    "le": "LessOrEqual", "eq": "Equal", "and": "And", "or": "Or", "xor": "Xor", "not": "Not",
}  # fmt: skip


def _entry_by_entry(program: Program, equation: Any, operands: list[str]) -> list[str]:
    name = equation.primitive.name
    if name in ("and", "or", "xor", "not") and equation.invars[0].aval.dtype != bool:
        raise UnsupportedError(f"operation {name!r} of bits", expected="truth values")
    return [program.add(_SAME[name], operands)]


OPERATIONS.update(dict.fromkeys(_SAME, _entry_by_entry))


@operation("copy", "copy_p", "stop_gradient", "reduce_precision", "optimization_barrier", "pvary")
def _as_it_is(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return operands


@operation("ne")
def _differs(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return [program.add("Not", [program.add("Equal", operands)])]


@operation("rsqrt")
def _inverse_root(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return [program.add("Reciprocal", [program.add("Sqrt", operands)])]


@operation("square")
def _square(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return [program.add("Mul", [operands[0], operands[0]])]


@operation("log1p")
def _log_of_one_and(program: Program, equation: Any, operands: list[str]) -> list[str]:
    one = program.numbers(1, equation.invars[0].aval.dtype)
    return [program.add("Log", [program.add("Add", [operands[0], one])])]


@operation("expm1")
def _exp_less_one(program: Program, equation: Any, operands: list[str]) -> list[str]:
    one = program.numbers(1, equation.invars[0].aval.dtype)
    return [program.add("Sub", [program.add("Exp", operands), one])]


@operation("integer_pow")
def _power(program: Program, equation: Any, operands: list[str]) -> list[str]:
    power = int(equation.params["y"])
    if power == 2:
        return [program.add("Mul", [operands[0], operands[0]])]
    if power == -1:
        return [program.add("Reciprocal", operands)]
    return [program.add("Pow", [operands[0], program.numbers(power, equation.invars[0].aval.dtype)])]


@operation("clamp")
def _clamp(program: Program, equation: Any, operands: list[str]) -> list[str]:
    low, x, high = operands
    return [program.add("Min", [program.add("Max", [x, low]), high])]


@operation("select_n")
def _select(program: Program, equation: Any, operands: list[str]) -> list[str]:
    which, *cases = operands
    if len(cases) != 2 or equation.invars[0].aval.dtype != bool:
        raise UnsupportedError(
            "operation 'select_n' of the network", got=f"{len(cases)} cases", expected="two"
        )
    return [program.add("Where", [which, cases[1], cases[0]])]


@operation("convert_element_type")
def _cast(program: Program, equation: Any, operands: list[str]) -> list[str]:
    wanted = np.dtype(equation.params["new_dtype"])
    if equation.invars[0].aval.dtype == wanted:
        return operands
    return [program.add("Cast", operands, to=type_of(wanted))]
