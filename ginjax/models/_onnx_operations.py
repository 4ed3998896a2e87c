"""The operations of JAX that occur in networks, written as operators of ONNX."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..onnx import onnx_library
from ._onnx_program import Operation, Program

OPERATIONS: dict[str, Operation] = {}


def _operation(*names: str) -> Callable[[Operation], Operation]:
    def register(function: Operation) -> Operation:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


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


@_operation("copy", "copy_p", "stop_gradient", "reduce_precision", "optimization_barrier", "pvary")
def _as_it_is(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return operands


@_operation("ne")
def _differs(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return [program.add("Not", [program.add("Equal", operands)])]


@_operation("rsqrt")
def _inverse_root(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return [program.add("Reciprocal", [program.add("Sqrt", operands)])]


@_operation("square")
def _square(program: Program, equation: Any, operands: list[str]) -> list[str]:
    return [program.add("Mul", [operands[0], operands[0]])]


@_operation("log1p")
def _log_of_one_and(program: Program, equation: Any, operands: list[str]) -> list[str]:
    one = program.numbers(1, equation.invars[0].aval.dtype)
    return [program.add("Log", [program.add("Add", [operands[0], one])])]


@_operation("expm1")
def _exp_less_one(program: Program, equation: Any, operands: list[str]) -> list[str]:
    one = program.numbers(1, equation.invars[0].aval.dtype)
    return [program.add("Sub", [program.add("Exp", operands), one])]


@_operation("integer_pow")
def _power(program: Program, equation: Any, operands: list[str]) -> list[str]:
    power = int(equation.params["y"])
    if power == 2:
        return [program.add("Mul", [operands[0], operands[0]])]
    if power == -1:
        return [program.add("Reciprocal", operands)]
    return [program.add("Pow", [operands[0], program.numbers(power, equation.invars[0].aval.dtype)])]


@_operation("clamp")
def _clamp(program: Program, equation: Any, operands: list[str]) -> list[str]:
    low, x, high = operands
    return [program.add("Min", [program.add("Max", [x, low]), high])]


@_operation("select_n")
def _select(program: Program, equation: Any, operands: list[str]) -> list[str]:
    which, *cases = operands
    if len(cases) != 2 or equation.invars[0].aval.dtype != bool:
        raise UnsupportedError(
            "operation 'select_n' of the network", got=f"{len(cases)} cases", expected="two"
        )
    return [program.add("Where", [which, cases[1], cases[0]])]


@_operation("convert_element_type")
def _cast(program: Program, equation: Any, operands: list[str]) -> list[str]:
    wanted = np.dtype(equation.params["new_dtype"])
    if equation.invars[0].aval.dtype == wanted:
        return operands
    return [program.add("Cast", operands, to=_type_of(wanted))]


@_operation("dim_as_value")
def _length(program: Program, equation: Any, operands: list[str]) -> list[str]:
    length = program.length(equation.params["dim"])
    name = length if isinstance(length, str) else program.numbers([length])
    scalar = program.add("Reshape", [name, program.numbers([])])
    return [program.add("Cast", [scalar], to=_type_of(equation.outvars[0].aval.dtype))]


@_operation("iota")
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
    row = program.add("Reshape", [program.add("Cast", [row], to=_type_of(dtype)), program.numbers(flat)])
    return [program.add("Expand", [row, program.exact_shape(shape)])]


# --- shapes -----------------------------------------------------------------------------------------------------------


@_operation("reshape", "squeeze", "expand_dims")
def _reshape(program: Program, equation: Any, operands: list[str]) -> list[str]:
    if equation.params.get("dimensions") is not None and equation.primitive.name == "reshape":
        raise UnsupportedError("operation 'reshape' of the network", got="an order of axes", expected="none")
    shape = equation.outvars[0].aval.shape
    if shape == equation.invars[0].aval.shape:
        return operands
    return [program.reshape(operands[0], equation.invars[0].aval.shape, shape)]


@_operation("broadcast_in_dim")
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
    # Lengths that stay are said as 1, so that one that is free need not be computed.
    grown = [1 if one == size else size for one, size in zip(flat, shape, strict=True)]
    return [program.add("Expand", [tensor, program.exact_shape(grown)])]


@_operation("transpose")
def _transpose(program: Program, equation: Any, operands: list[str]) -> list[str]:
    order = [int(each) for each in equation.params["permutation"]]
    return [program.graph.transpose(operands[0], order, "program")]


@_operation("concatenate")
def _concatenate(program: Program, equation: Any, operands: list[str]) -> list[str]:
    if len(operands) == 1:
        return operands
    return [program.add("Concat", operands, axis=int(equation.params["dimension"]))]


@_operation("stack")
def _stack(program: Program, equation: Any, operands: list[str]) -> list[str]:
    axis = int(equation.params["axis"])
    raised = [program.graph.unsqueeze(each, [axis], "program") for each in operands]
    return [program.add("Concat", raised, axis=axis)]


@_operation("split")
def _split(program: Program, equation: Any, operands: list[str]) -> list[str]:
    axis, start, made = int(equation.params["axis"]), 0, []
    for size in equation.params["sizes"]:
        made.append(program.graph.slice(operands[0], axis, start, start + int(size)))
        start += int(size)
    return made


@_operation("slice")
def _slice(program: Program, equation: Any, operands: list[str]) -> list[str]:
    given = equation.params
    shape = equation.invars[0].aval.shape
    steps = given["strides"] or (1,) * len(shape)
    tensor = operands[0]
    for axis, (start, end, step) in enumerate(
        zip(given["start_indices"], given["limit_indices"], steps, strict=True)
    ):
        if not (_is_zero(start) and end == shape[axis] and step == 1):
            tensor = program.graph.slice(tensor, axis, program.length(start), program.length(end), int(step))
    return [tensor]


@_operation("dynamic_slice")
def _slice_from(program: Program, equation: Any, operands: list[str]) -> list[str]:
    tensor, *starts = operands
    sizes, shape = equation.params["slice_sizes"], equation.invars[0].aval.shape
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        if size == shape[axis]:
            continue
        first = program.add(
            "Reshape", [program.add("Cast", [start], to=_type_of(np.int64)), program.numbers([1])]
        )
        last = program.add("Add", [first, program.numbers([int(size)])])
        tensor = program.graph.slice(tensor, axis, first, last)
    return [tensor]


@_operation("rev")
def _reverse(program: Program, equation: Any, operands: list[str]) -> list[str]:
    tensor = operands[0]
    for axis in equation.params["dimensions"]:
        tensor = _backwards(program, tensor, int(axis))
    return [tensor]


def _backwards(program: Program, tensor: str, axis: int) -> str:
    return program.graph.slice(tensor, axis, -1, -(2**62), -1)


@_operation("pad")
def _pad(program: Program, equation: Any, operands: list[str]) -> list[str]:
    tensor, value = operands
    config = equation.params["padding_config"]
    for axis, (_, _, inner) in enumerate(config):
        if inner:
            tensor = spread(program, tensor, equation.invars[0].aval.shape, axis, int(inner) + 1, value)
    return [_around(program, tensor, [(low, high) for low, high, _ in config], value)]


def spread(program: Program, tensor: str, shape: Any, axis: int, factor: int, value: str | None) -> str:
    """A tensor with `factor - 1` points of one value between neighbours along an axis."""
    rank = len(shape)
    raised = program.graph.unsqueeze(tensor, [axis + 1], "program")
    pads = [0] * (2 * (rank + 1))
    pads[rank + 1 + axis + 1] = factor - 1
    inputs = [raised, program.numbers(pads), *([value] if value else [])]
    padded = program.add("Pad", inputs)
    # The other axes are copied, so that only the one that grows is to be found.
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


def _around(program: Program, tensor: str, widths: list[tuple[Any, Any]], value: str | None) -> str:
    """A tensor padded at its ends, or cut where a width is negative."""
    for axis, (low, high) in enumerate(widths):
        cut = [int(-each) if isinstance(each, int | np.integer) and each < 0 else 0 for each in (low, high)]
        if any(cut):
            tensor = program.graph.slice(tensor, axis, cut[0], -cut[1] if cut[1] else 2**62)
    ends = [
        max(each, 0) if isinstance(each, int | np.integer) else each
        for pair in zip(*widths, strict=True)
        for each in pair
    ]
    if all(_is_zero(each) for each in ends):
        return tensor
    pads = program.exact_shape(ends)
    return program.add("Pad", [tensor, pads, *([value] if value else [])])


def _is_zero(size: Any) -> bool:
    return isinstance(size, int | np.integer) and size == 0


# --- sums -------------------------------------------------------------------------------------------------------------

_REDUCTIONS = {"reduce_sum": "ReduceSum", "reduce_max": "ReduceMax", "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd"}  # fmt: skip


@_operation(*_REDUCTIONS)
def _reduce(program: Program, equation: Any, operands: list[str]) -> list[str]:
    axes = [int(each) for each in equation.params["axes"]]
    kind = _REDUCTIONS[equation.primitive.name]
    return [program.graph.reduce(kind, operands[0], axes, "program", keep=False)] if axes else operands


@_operation("argmax", "argmin")
def _place_of_extreme(program: Program, equation: Any, operands: list[str]) -> list[str]:
    kind = "ArgMax" if equation.primitive.name == "argmax" else "ArgMin"
    found = program.add(kind, operands, axis=int(equation.params["axes"][0]), keepdims=0)
    return [program.add("Cast", [found], to=_type_of(equation.params["index_dtype"]))]


@_operation("dot_general")
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


@_operation("conv_general_dilated")
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
    x = _around(program, x, [(0, 0), (0, 0), *given["padding"]], None)
    y = program.add(
        "Conv",
        [x, kernel],
        strides=[int(each) for each in given["window_strides"]],
        dilations=[int(each) for each in given["rhs_dilation"]],
        group=int(given["feature_group_count"]),
    )
    return [program.graph.transpose(y, back, "program")]


def _is_transposed(given: Any) -> bool:
    """Whether a convolution of spread points is what other libraries call a transposed one."""
    plain = given["feature_group_count"] == 1 and set(given["window_strides"]) == {1}
    return plain and any(factor > 1 for factor in given["lhs_dilation"])


def _convolve_transposed(program: Program, given: Any, x: str, kernel: str, sides: list[int]) -> str:
    """The convolution of points that are spread, with the kernel `(out, in, *sides)`, as a transposed one of the points."""
    dims = len(sides)
    kernel = program.graph.transpose(kernel, [1, 0, *range(2, 2 + dims)], "program")
    for axis, side in enumerate(sides):
        kernel = _backwards(program, kernel, axis + 2) if side > 1 else kernel
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
    return _around(program, made, [(0, 0), (0, 0), *beyond], None)


@_operation("gather")
def _gather(program: Program, equation: Any, operands: list[str]) -> list[str]:
    """One index or one part along one axis, or an index for each entry of the axes before it."""
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
            start = program.add("Cast", [operands[1]], to=_type_of(np.int64))
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


def _type_of(dtype: Any) -> int:
    return int(onnx_library("helper").np_dtype_to_tensor_dtype(np.dtype(dtype)))
