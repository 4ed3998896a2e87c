"""Translation of a JAX program to an ONNX graph: its values, its lengths, and the programs within it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from .._jax_internals import closed_jaxpr_in, function_of, is_literal
from ..errors import UnsupportedError
from ..onnx import Graph

OPSET = 17
Operation = Callable[["Program", Any, list[str]], list[str]]
"""`(program, equation, names of its operands) -> names of its results`"""


class Program:
    """A graph while it is being written.

    **Arguments:**

    - `lengths`: for each symbol in the shapes `(input, axis, divisor)`: the symbol is the length of that axis over the divisor.
    - `operations`: a function for each operation that writes it.
    """

    def __init__(self, lengths: dict[str, tuple[str, int, int]], operations: dict[str, Operation]):
        self.graph = Graph([name for name, _, _ in lengths.values()], OPSET)
        self._lengths = lengths
        self._operations = operations
        self.repeats: dict[str, tuple[str, int, int]] = {}
        """Tensors that repeat another tensor along a new axis: `(other, axis, times)`."""
        self._written: dict[str, str] = {}
        self._constants: dict[int, tuple[Any, str]] = {}

    def run(self, jaxpr: Any, operands: Sequence[str]) -> list[str]:
        """Write a program.

        **Arguments:**

        - `jaxpr`: the `ClosedJaxpr`.
        - `operands`: the names of its inputs in the graph.

        **Returns:** the names of its outputs.

        **Raises:** `UnsupportedError` that names an operation without a translation.
        """
        names: dict[Any, str] = dict(zip(jaxpr.jaxpr.invars, operands, strict=True))
        for variable, value in zip(jaxpr.jaxpr.constvars, jaxpr.consts, strict=True):
            names[variable] = self.constant(value)

        def name_of(operand: Any) -> str:
            return self.literal(operand) if is_literal(operand) else names[operand]

        for equation in jaxpr.jaxpr.eqns:
            made = self._equation(equation, [name_of(each) for each in equation.invars])
            names.update(zip(equation.outvars, made, strict=True))
        return [name_of(each) for each in jaxpr.jaxpr.outvars]

    def _equation(self, equation: Any, operands: list[str]) -> list[str]:
        inner = closed_jaxpr_in(equation.params)
        kind = equation.primitive.name
        if inner is not None and kind not in ("while", "scan", "cond"):
            return self.run(inner, operands)
        own = function_of(equation.primitive)
        if own is not None:
            shapes = [jax.ShapeDtypeStruct(each.aval.shape, each.aval.dtype) for each in equation.invars]
            return self.run(jax.make_jaxpr(partial(own, **equation.params))(*shapes), operands)
        if kind not in self._operations:
            raise UnsupportedError(
                f"operation {kind!r} of the network", expected="operations that this version writes as ONNX"
            )
        return self._operations[kind](self, equation, operands)

    def add(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        return self.graph.add(kind, inputs, "program", **attributes)

    def constant(self, value: Any, name: str = "constant") -> str:
        """Add an array as a constant, once for each array."""
        if id(value) not in self._constants:
            self._constants[id(value)] = (value, self.graph.constant(np.asarray(value), name))
        return self._constants[id(value)][1]

    def literal(self, operand: Any) -> str:
        """Add a literal number of a program."""
        return self.numbers(operand.val, operand.aval.dtype)

    def numbers(self, values: Any, dtype: Any = np.int64) -> str:
        """Add a small constant."""
        return self.graph.numbers(values, np.dtype(dtype))

    def length(self, size: Any) -> str | int:
        """Return a length: a number, or the name of a tensor with one integer if the length is free."""
        if isinstance(size, int | np.integer):
            return int(size)
        text = str(size)
        if text not in self._written:
            found = self._evaluated(ast.parse(text.replace("^", "**"), mode="eval").body)
            self._written[text] = found if isinstance(found, str) else self.numbers([found])
        return self._written[text]

    def exact_shape(self, sizes: Sequence[Any]) -> str:
        """Return a shape as a tensor, with every length given."""
        return self.graph.vector([self.length(each) for each in sizes])

    def reshape(self, tensor: str, before: Sequence[Any], after: Sequence[Any]) -> str:
        """Reshape a tensor with as little arithmetic of lengths as possible.

        Axes of length 1 are added and removed by `Unsqueeze` and `Squeeze`. For any other change the unchanged first axes are
        copied, and one free length is left for `Reshape` to infer.
        """
        ones = _ones(before, after)
        if ones is not None:
            gone, put = ones
            tensor = self.graph.squeeze(tensor, gone, "program") if gone else tensor
            return self.graph.unsqueeze(tensor, put, "program") if put else tensor
        kept = 0
        while kept < min(len(before), len(after)) and _is_same(before[kept], after[kept]):
            kept += 1
        parts: list[str | int] = [0] * kept
        rest = [each if isinstance(each, int | np.integer) else None for each in after[kept:]]
        for size, number in zip(after[kept:], rest, strict=True):
            parts.append(-1 if number is None and rest.count(None) == 1 else self.length(size))
        return self.add("Reshape", [tensor, self.graph.vector(parts)])

    def _evaluated(self, node: ast.expr) -> str | int:
        """Evaluate a formula of lengths in the notation of JAX."""
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.Name(id=symbol) if symbol in self._lengths:
                length, divisor = self._axis(symbol)
                return length if divisor == 1 else self.add("Div", [length, self.numbers([divisor])])
            case ast.BinOp(op=ast.Mult(), left=ast.Constant(value=factor), right=ast.Name(id=symbol)) if (
                symbol in self._lengths and self._lengths[symbol][2] == factor
            ):
                return self._axis(symbol)[0]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combined("Sub", 0, self._evaluated(operand))
            case ast.BinOp(op=ast.Pow(), left=left, right=ast.Constant(value=int(power))) if 1 <= power <= 8:
                found = base = self._evaluated(left)
                for _ in range(power - 1):
                    found = self._combined("Mul", found, base)
                return found
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _KINDS:
                return self._combined(_KINDS[type(op)], self._evaluated(left), self._evaluated(right))
            case ast.Call(func=ast.Name(id=name), args=[left, right]) if name in _FUNCTIONS:
                return self._combined(_FUNCTIONS[name], self._evaluated(left), self._evaluated(right))
        raise UnsupportedError(
            f"length {ast.unparse(node)!r} of the network", expected="sums, products and quotients"
        )

    def _axis(self, symbol: str) -> tuple[str, int]:
        """Return the length of the axis that a symbol stands for, and its divisor."""
        tensor, axis, divisor = self._lengths[symbol]
        shape = self.add("Shape", [tensor])
        return self.add("Gather", [shape, self.numbers([axis])], axis=0), divisor

    def _combined(self, kind: str, left: str | int, right: str | int) -> str:
        names = [each if isinstance(each, str) else self.numbers([each]) for each in (left, right)]
        return self.add(kind, names)


_KINDS: dict[type, str] = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}
_FUNCTIONS = {"floordiv": "Div", "mod": "Mod", "max": "Max", "min": "Min"}


def _is_same(one: Any, other: Any) -> bool:
    return isinstance(one, int | np.integer) == isinstance(other, int | np.integer) and bool(one == other)


def _ones(before: Sequence[Any], after: Sequence[Any]) -> tuple[list[int], list[int]] | None:
    """Return the axes of length 1 that `before` loses and that `after` gains; None if anything else changes."""
    gone, put, i, j = [], [], 0, 0
    while i < len(before) or j < len(after):
        if i < len(before) and j < len(after) and _is_same(before[i], after[j]):
            i, j = i + 1, j + 1
        elif i < len(before) and _is_same(before[i], 1):
            gone.append(i)
            i += 1
        elif j < len(after) and _is_same(after[j], 1):
            put.append(j)
            j += 1
        else:
            return None
    return gone, put
