"""Lengths in the new graph: formulas of old lengths, written as nodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ginjax.errors import ArgumentError

from ._graph import Graph
from ._layout import new_index, old_axes_of_space, place_of_new
from ._library import onnx_library
from ._sizes import Length, Quotient, Size
from ._values import Value

INT64, FLOAT = 7, 1


class Lengths:
    """Writes formulas of lengths, each only once.

    **Arguments:**

    - `graph`: the new graph.
    - `source`: function from a tensor of the old graph to its value and its tensor in the new graph.
    """

    def __init__(self, graph: Graph, source: Callable[[str], tuple[Value, str]]):
        self._graph = graph
        self._source = source
        self._of_formulas: dict[tuple[Size, bool], str] = {}
        self._of_axes: dict[tuple[str, int], str] = {}

    def formula(self, size: Size, *, twin: bool = False) -> str:
        """Write a length as a tensor with one integer.

        **Arguments:**

        - `size`: a formula of the old lengths.
        - `twin`: whether the length of the new axis is wanted: then every length of a spatial axis is replaced by that of the
          new one.
        """
        number = size.number
        if number is None and size.value is not None and not twin:
            number = size.value
        if number is not None:
            if number.denominator != 1:
                raise ArgumentError("length of an axis", got=number, expected="a whole number")
            return self._graph.numbers([int(number)])
        if (size, twin) not in self._of_formulas:
            self._of_formulas[size, twin] = self._written(size if size.whole else size.rounded("floor"), twin)
        return self._of_formulas[size, twin]

    def _written(self, size: Size, twin: bool) -> str:
        total: str | None = None
        for factors, coefficient in size.terms:
            parts = [self._symbol(each, twin) for each in factors]
            if coefficient != 1 or not parts:
                parts.append(self._graph.numbers([int(coefficient)]))
            term = parts[0]
            for each in parts[1:]:
                term = self._graph.add("Mul", [term, each], "length")
            total = term if total is None else self._graph.add("Add", [total, term], "length")
        return self._graph.numbers([0]) if total is None else total

    def _symbol(self, symbol: Length | Quotient, twin: bool) -> str:
        if isinstance(symbol, Quotient):
            if symbol.kind == "exact":
                raise ArgumentError("length of an axis", got="a quotient that need not be whole")
            under = self.formula(symbol.under, twin=twin)
            over = symbol.over if symbol.kind == "floor" else symbol.over + symbol.under - Size.of(1)
            return self._graph.add("Div", [self.formula(over, twin=twin), under], "length")
        value, tensor = self._source(symbol.tensor)
        axis = new_index(value.known, symbol.axis)
        if twin and value.alone and symbol.axis in old_axes_of_space(value.known):
            axis = place_of_new(value.known)
        return self.of_axis(tensor, axis)

    def of_axis(self, tensor: str, axis: int) -> str:
        """Write the length of an axis of a tensor of the new graph, as a tensor with one integer."""
        if (tensor, axis) not in self._of_axes:
            shape = self._graph.add("Shape", [tensor], tensor)
            made = self._graph.add("Gather", [shape, self._graph.numbers([axis])], tensor, axis=0)
            self._of_axes[tensor, axis] = made
        return self._of_axes[tensor, axis]

    def part(self, size: Size, *, twin: bool = False) -> str | int:
        """A length for `vector`: a number if it is known, otherwise a tensor."""
        number = size.number if twin else (size.value if size.value is not None else size.number)
        if number is not None and number.denominator == 1:
            return int(number)
        return self.formula(size, twin=twin)

    def content(self, value: Value, content: np.ndarray) -> str:
        """Write the result of shape arithmetic for a node that reads it as a tensor, with the old lengths.

        **Arguments:**

        - `value`: the tensor.
        - `content`: its entries, as sizes or booleans.
        """
        flat = content.reshape(-1).tolist()
        near = f"{value.name}.value"
        numbers = [
            (each if isinstance(each, bool) else each.number if each.number is not None else each.value)
            for each in flat
        ]
        dtype = onnx_library("helper").tensor_dtype_to_np_dtype(value.dtype or INT64)
        if all(each is not None for each in numbers):
            plain = [each if isinstance(each, bool) else float(each) if dtype.kind == "f" else int(each) for each in numbers]  # fmt: skip
            return self._graph.constant(np.asarray(plain, dtype).reshape(content.shape), near)
        if any(isinstance(each, bool) for each in flat):
            raise ArgumentError("shape arithmetic", got="truth values beside lengths")
        if dtype.kind == "f":
            parts = [self._as_float(each) for each in flat]
        else:
            parts = [self.formula(each) for each in flat]
        joined = self._graph.add("Concat", parts, near, axis=0)
        kind = value.dtype or INT64
        if kind != (FLOAT if dtype.kind == "f" else INT64):
            joined = self._graph.add("Cast", [joined], near, to=kind)
        shape = self._graph.numbers(list(content.shape))
        return self._graph.add("Reshape", [joined, shape], near)

    def _as_float(self, size: Size) -> str:
        """Write a length that need not be an integer, in single precision."""
        if size.whole:
            return self._graph.add("Cast", [self.formula(size)], "length", to=FLOAT)
        if len(size.terms) == 1:
            factors, coefficient = size.terms[0]
            made = self._graph.numbers([float(coefficient)], np.float32)
            for each in factors:
                if isinstance(each, Quotient) and each.kind == "exact":
                    part = self._graph.add(
                        "Div", [self._as_float(each.over), self._as_float(each.under)], "length"
                    )
                else:
                    part = self._as_float(Size.symbol(each))
                made = self._graph.add("Mul", [made, part], "length")
            return made
        parts = [self._as_float(Size((term,))) for term in size.terms]
        total = parts[0]
        for each in parts[1:]:
            total = self._graph.add("Add", [total, each], "length")
        return total
