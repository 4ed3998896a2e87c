"""The conversion of a graph by one axis: its inputs, constants and outputs, and the walk through its nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ginjax.errors import UnsupportedError
from ginjax.transfer import PlainRule

from ._arithmetic import contents
from ._folding import folded
from ._graph import Graph
from ._layout import NEW, Axes, Side, axis_of, is_new_axis, new_place
from ._library import onnx_library
from ._read import OnnxNetwork
from ._sizes import Length, Size
from ._sound import check_node
from ._values import Value, constant_value
from ._walk import Boundary, Row, Walk
from .operators import OPERATORS

OLDEST_OPSET = 11
_NAMES = {2: "height", 3: "depth"}


class Step:
    """A conversion by one axis.

    **Arguments:** as in `convert_onnx`, for a graph of `side.dim` dimensions.
    """

    def __init__(
        self, network: OnnxNetwork, side: Side, rule: PlainRule, boundary: Boundary, channels_last: bool
    ):
        self._model = network.model
        self._opset = network.opset
        self._side = side
        self._channels_last = channels_last
        self._names: dict[Size, str] = {}
        self._check()
        graph = self._model.graph
        names = {name for node in graph.node for name in (*node.input, *node.output)}
        names |= {each.name for each in (*graph.input, *graph.output, *graph.initializer)}
        self._walk = Walk(
            opset=self._opset,
            side=side,
            rule=rule,
            boundary=boundary,
            graph=Graph(names, self._opset),
            operators=OPERATORS,
            arithmetic=contents,
            folding=folded,
        )

    def _check(self) -> None:
        newest = onnx_library("defs").onnx_opset_version()
        if not OLDEST_OPSET <= self._opset <= newest:
            raise UnsupportedError(
                "operators of ONNX",
                got=f"version {self._opset}",
                expected=f"{OLDEST_OPSET} to {newest}",
                hint=f"onnx.version_converter.convert_version(model, {max(OLDEST_OPSET, 17)}) writes a graph in another version."
                if self._opset < OLDEST_OPSET
                else "Install a newer onnx, or export the network with an older version.",
            )
        if self._model.functions:
            raise UnsupportedError(
                "graph",
                got=f"functions of its own, such as {self._model.functions[0].name!r}",
                expected="operators alone",
                hint="onnx.inliner.inline_local_functions(model) puts them in place.",
            )
        if self._model.graph.sparse_initializer:
            raise UnsupportedError("graph", got="sparse weights", expected="dense ones")

    def run(self) -> Walk:
        """Convert every node, and return the walk with the new graph."""
        graph, walk = self._model.graph, self._walk
        for node in graph.node:
            walk.uses.update(name for name in node.input if name)
            for name in set(node.input):
                walk.readers.setdefault(name, []).append(node)
        walk.outputs = {each.name for each in graph.output}
        constants = {tensor.name for tensor in graph.initializer}
        for tensor in graph.initializer:
            self._take(tensor, tensor.name)
        inputs = [self._input(info) for info in graph.input if info.name not in constants]
        if not any(value.spatial for value, _ in inputs):
            raise UnsupportedError(
                "graph",
                got=f"inputs of {', '.join(str(len(dims_of(i))) for i in graph.input) or 'no'} axes",
                expected=f"a field of {self._side.dim + 2}: batch, channels and {self._side.dim} of space",
                hint="`from_dim` says the dimension of the network where it is another than that of its kernels.",
            )
        for node in graph.node:
            if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
                self._constant(node)
            else:
                walk.step(node)
        outputs = [self._output(info) for info in graph.output]
        walk.places = [_place_in(walk.values[info.name]) for info in graph.output]
        walk.graph.pruned([info.name for info in outputs])
        walk.model = self._assembled([info for _, info in inputs], outputs)
        return walk

    def _take(self, tensor: Any, name: str) -> None:
        numpy_helper = onnx_library("numpy_helper")
        walk = self._walk
        if name in walk.values:
            raise UnsupportedError("graph", got=f"two tensors {name!r}", expected="a sound graph")
        try:
            array = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, OverflowError, KeyError, MemoryError) as problem:
            raise UnsupportedError(
                f"tensor {name!r}", got=f"{str(problem)[:80]}", expected="as many bytes as its shape says"
            ) from problem
        walk.tensors[name] = tensor
        if array.dtype.kind == "O":  # texts
            walk.values[name] = Value(name, tuple(axis_of(Size.of(n)) for n in array.shape))
            return
        walk.values[name] = constant_value(name, array, tensor.data_type)

    def _constant(self, node: Any) -> None:
        helper, numpy_helper = onnx_library("helper"), onnx_library("numpy_helper")
        check_node(node, self._opset)
        if len(node.attribute) != 1 or len(node.output) != 1:
            raise UnsupportedError(f"node {node.name or 'Constant'!r} (Constant)", expected="one value")
        given = node.attribute[0]
        value = helper.get_attribute_value(given)
        if given.name == "value":
            tensor = value
        elif given.name in ("value_float", "value_floats"):
            tensor = numpy_helper.from_array(np.asarray(value, np.float32), node.output[0])
        elif given.name in ("value_int", "value_ints"):
            tensor = numpy_helper.from_array(np.asarray(value, np.int64), node.output[0])
        else:
            raise UnsupportedError(
                f"node {node.name or node.output[0]!r} (Constant)", got=given.name, expected="numbers"
            )
        self._take(tensor, node.output[0])
        self._walk.rows.append(Row(node.name or node.output[0], "Constant", (), "as it is"))

    def _input(self, info: Any) -> tuple[Value, Any]:
        """An input of the graph: a field if it has the number of axes of one, otherwise unchanged."""
        walk, dim = self._walk, self._side.dim
        if info.name in walk.values:
            raise UnsupportedError("graph", got=f"two tensors {info.name!r}", expected="a sound graph")
        check_input(info)
        dims = dims_of(info)
        if len(dims) > dim + 2 or (2 < len(dims) < dim + 2):
            raise UnsupportedError(
                f"input {info.name!r}",
                got=f"{len(dims)} axes",
                expected=f"{dim + 2} of a field in {dim}D (batch, channels and space), or at most 2 of an input that is no field",
                hint="Components of vectors and tensors are channels in such a field.",
            )
        field = len(dims) == dim + 2
        first = 1 if self._channels_last else 2
        axes: list = []
        for i, each in enumerate(dims):
            space = i - first if field and first <= i < first + dim else None
            stated = each.dim_value if each.HasField("dim_value") and each.dim_value > 0 else None
            free = space is not None or stated is None
            size = Size.symbol(Length(info.name, i, stated)) if free else Size.of(stated or 1)
            axes.append(axis_of(size, space))
        made: Axes = tuple(axes)
        renewed = type(info)()
        renewed.CopyFrom(info)
        if field:
            made = self._side.with_new(made)
            name = self._free_name()
            self._names[axes[first + self._side.anchor][0].size] = name
            _put_axis(renewed, made.index((NEW,)), name)
        value = Value(info.name, made, info.type.tensor_type.elem_type, emitted=info.name)
        walk.values[info.name] = value
        return value, renewed

    def _free_name(self) -> str:
        """A name for the new axis that no other length has."""
        taken = {each.dim_param for info in self._model.graph.input for each in dims_of(info)}
        name = stem = _NAMES.get(self._side.dim + 1, "new")
        number = 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        return name

    def _output(self, info: Any) -> Any:
        """An output of the graph, with its new axis if it has one."""
        walk = self._walk
        value = walk.values.get(info.name)
        if value is None:
            raise UnsupportedError("graph", got=f"no output {info.name!r}", expected="a node that makes it")
        if value.diluted:
            raise UnsupportedError(
                f"output {info.name!r}",
                got="weights of positions, which become smaller as there are more of them",
            )
        value = walk.settled(value)
        name = walk.tensor(value)
        if name != info.name:
            walk.graph.add("Identity", [name], info.name, outputs=[info.name])
        renewed = type(info)()
        renewed.CopyFrom(info)
        tensor = renewed.type.tensor_type
        if value.spatial:
            if not value.alone or not tensor.HasField("shape") or len(tensor.shape.dim) != value.rank:
                tensor.ClearField("shape")
                for _ in value.known:
                    tensor.shape.dim.add()
            else:
                place = next(i for i, axis in enumerate(value.known) if is_new_axis(axis))
                anchor = self._side.anchor_axis(value.known)
                size = None if anchor is None or value.unit else value.sizes[anchor]
                _put_axis(renewed, place, self._names.get(size) if size is not None else None)
                if value.unit:
                    tensor.shape.dim[place].dim_value = 1
        if not info.type.tensor_type.elem_type and not info.type.HasField("sequence_type"):
            renewed.ClearField(
                "type"
            )  # a type that is not stated is inferred, and one without its entries is none
        return renewed

    def _assembled(self, inputs: list[Any], outputs: list[Any]) -> Any:
        """Build the new model around the new graph."""
        model = type(self._model)()
        model.CopyFrom(self._model)
        graph = model.graph
        for each in (graph.node, graph.initializer, graph.input, graph.output, graph.value_info):
            del each[:]
        del graph.quantization_annotation[:]
        graph.node.extend(self._walk.graph.nodes)
        graph.initializer.extend(self._walk.graph.constants[name] for name in self._walk.graph.constants)
        graph.input.extend(inputs)
        graph.output.extend(outputs)
        return model


def _place_in(value: Value) -> int | None:
    """The place of the new axis in an output; None if it has no separate one."""
    return new_place(value.known) if value.alone else None


def _put_axis(info: Any, place: int, name: str | None) -> None:
    """Add an axis to the shape of an input or output, of length 1 or of free length."""
    shape = info.type.tensor_type.shape
    dims = list(shape.dim)
    made = type(shape)()
    for i in range(len(dims) + 1):
        each = made.dim.add()
        if i != place:
            each.CopyFrom(dims[i if i < place else i - 1])
        elif name is not None:
            each.dim_param = name
    shape.CopyFrom(made)


def check_input(info: Any) -> None:
    """Check that an input of a graph is a tensor of a type that there is, and that it states its number of axes.

    **Raises:** `UnsupportedError` that names the input.
    """
    if not info.type.HasField("tensor_type") or not info.type.tensor_type.HasField("shape"):
        raise UnsupportedError(
            f"input {info.name!r}", got="no shape", expected="one, of which lengths may be left open"
        )
    kind = info.type.tensor_type.elem_type
    if not kind or kind not in onnx_library().TensorProto.DataType.values():
        raise UnsupportedError(f"input {info.name!r}", got=f"type {kind}", expected="a type that there is")


def dims_of(info: Any) -> list[Any]:
    """The axes of an input or output, as the file states them."""
    return list(info.type.tensor_type.shape.dim)
