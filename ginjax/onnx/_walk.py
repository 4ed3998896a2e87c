"""The walk through a graph: nodes are converted one after the other, and rewritten if the new axis matters for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.transfer import PathReport, PlainRule

from ._graph import Graph
from ._inner_graphs import INNER_GRAPHS, reads_space
from ._layout import Axes, Side, axis_of, place_of_new
from ._lengths import FLOAT, INT64, Lengths
from ._library import onnx_library
from ._node import Node as Node
from ._node import Row as Row
from ._sizes import Length, Size, TooLong
from ._sound import check_node
from ._values import Value, constant_value

Boundary = Literal["zeros", "periodic", "edge"]
Handler = Callable[["Walk", Node], None]


@dataclass(frozen=True)
class Operator:
    """The conversion of nodes of one kind.

    **Arguments:**

    - `handler`: writes the node and declares its outputs.
    - `without_space`: whether it is also called for tensors without the new axis; otherwise nodes of these are copied.
    - `takes_padding`: whether it can apply padding that is still to be applied along the new axis.
    """

    handler: Handler
    without_space: bool = False
    takes_padding: bool = False


@dataclass(eq=False)
class Walk:
    """The state of a conversion.

    **Arguments:**

    - `opset`: version of the standard operators.
    - `side`: the place of the new axis.
    - `rule`: the rule for kernels along it; `boundary`: how fields continue beyond its ends where the graph pads with zeros.
    - `graph`: what has been written.
    - `operators`: how nodes are converted; `arithmetic`, `folding`: how contents and constants are computed.
    - `uses`: how often each tensor is read; `readers`: by which nodes; `outputs`: those of the graph.
    - `values`, `tensors`: what is known of each tensor; constants as the file has them.
    - `rows`, `paths`: the report; `kernels`: the kernels that were made.
    - `pieces`: ends of fields, `(field, "start" or "end", points)`.
    - `blind`: whether no operator so far mixes slices; `strides`: those of the tensors, see `Value`.
    - `model`: the new model, when it is finished; `places`: the place of the new axis in each of its outputs.
    """

    opset: int
    side: Side
    rule: PlainRule
    boundary: Boundary
    graph: Graph
    operators: Mapping[str, Operator]
    arithmetic: Callable[[Node], list[np.ndarray] | None]
    folding: Callable[[Node], np.ndarray | None]
    uses: Counter[str] = field(default_factory=Counter)
    readers: dict[str, list[Any]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    paths: list[PathReport] = field(default_factory=list)
    kernels: dict[tuple[Any, ...], tuple[str, PathReport]] = field(default_factory=dict)
    pieces: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    tensors: dict[str, Any] = field(default_factory=dict)
    outputs: set[str] = field(default_factory=set)
    model: Any = None
    places: list[int | None] = field(default_factory=list)
    blind: bool = True
    strides: set[float] = field(default_factory=set)

    def __post_init__(self) -> None:
        def source(name: str) -> tuple[Value, str]:
            value = self.values[name]
            return value, self.tensor(value)

        self.lengths = Lengths(self.graph, source)

    def step(self, proto: Any) -> None:
        """Convert one node.

        **Raises:** `UnsupportedError` that names the node, if it cannot be converted.
        """
        check_node(proto, self.opset)
        inputs = [self._input(proto, name) for name in proto.input]
        helper = onnx_library("helper")
        attributes = {
            each.name: helper.get_attribute_value(each)
            for each in proto.attribute
            if each.type not in INNER_GRAPHS
        }
        attributes = {
            name: each.decode("utf-8", "replace") if isinstance(each, bytes) else each
            for name, each in attributes.items()
        }
        node = Node(proto, inputs, list(proto.output), attributes)
        for name in node.outputs:
            if name and name in self.values:
                raise node.refusal(f"a tensor {name!r} that is there already", "a sound graph")
        written, row_count = len(self.graph.nodes), len(self.rows)
        try:
            self._carry(node)
        except TooLong:
            raise node.refusal("a formula of lengths with too many terms") from None
        except ArgumentError as error:
            raise node.refusal(error.problem) from error
        for name in node.outputs:
            if name and name not in self.values:
                raise node.refusal(f"its output {name!r}", "the outputs of the operator")
        if len(self.rows) == row_count:
            made = self.graph.nodes[written:]
            same = len(made) == 1 and list(made[0].input) == list(proto.input)
            same = same and list(made[0].attribute) == list(proto.attribute)
            action = "as it is" if same else "rewritten" if made else "computed anew"
            self.rows.append(Row(node.label, node.kind, tuple(proto.input), action))

    def _carry(self, node: Node) -> None:
        standard = node.proto.domain in ("", "ai.onnx")
        constant = self.folding(node)
        if constant is not None and len(node.outputs) == 1:
            helper = onnx_library("helper")
            kind = helper.np_dtype_to_tensor_dtype(constant.dtype)
            self.values[node.outputs[0]] = constant_value(node.outputs[0], constant, kind)
            return
        if standard:
            found = self.arithmetic(node)
            if found is not None:
                for name, content in zip(node.outputs, found, strict=False):
                    self.values[name] = self._of_content(name, content, node)
                return
        operator = self.operators.get(node.kind) if standard else None
        spatial = [each for each in node.inputs if each is not None and each.spatial]
        if operator is not None and not operator.takes_padding:
            node.inputs = [None if each is None else self.settled(each) for each in node.inputs]
        if operator is not None and (spatial or operator.without_space):
            known = all(each is None or each.axes is not None for each in node.inputs)
            if known:
                operator.handler(self, node)
                return
            if spatial:
                raise node.refusal("an input of which not even the number of axes is known")
        if spatial:
            own = "" if standard else f" of {node.proto.domain!r}"
            raise node.refusal(
                f"an operator{own} on a field that has no form here in a higher dimension",
                hint="Replace it before the export, or convert the part of the network before it.",
            )
        if any(each.type in INNER_GRAPHS for each in node.proto.attribute):
            self._check_inner(node)
        self.copied(node)

    def _check_inner(self, node: Node) -> None:
        """Refuse graphs in a node that read a field from outside; other tensors that they read are written."""
        if reads_space(node.proto, self.values):
            raise node.refusal("a graph within the graph that reads a field of the one around it")
        for name in node.proto.input:
            if name in self.values:
                self.tensor(self.values[name])

    def _input(self, proto: Any, name: str) -> Value | None:
        if not name:
            return None
        found = self.values.get(name)
        if found is None:
            label = proto.name or proto.op_type
            raise UnsupportedError(
                f"node {label!r} ({proto.op_type})",
                got=f"an input {name!r} that no node before it makes",
                expected="nodes in the order in which they run",
            )
        return found

    def _of_content(self, name: str, content: np.ndarray, node: Node) -> Value:
        axes = tuple(axis_of(Size.of(length)) for length in content.shape)
        return Value(name, axes, dtype=_content_type(node, content), content=content)

    def declare(self, name: str, axes: Axes | None, **known: Any) -> Value:
        """Declare a tensor that was written under its old name."""
        if not name:
            return Value("", axes)
        made = Value(name, axes, emitted=name, **known)
        self.values[name] = made
        self.strides.add(made.stride)
        return made

    def length(self, name: str, axis: int, size: Size | None = None, value: int | None = None) -> Size:
        """The length of an axis of an output, as a formula or, if there is none, as a symbol of its own."""
        if size is not None and size.depth <= 8:
            return size
        known = value
        if known is None and size is not None and size.value is not None:
            known = int(size.value)
        return Size.symbol(Length(name, axis, known))

    def settled(self, value: Value) -> Value:
        """The value with its padding applied along the new axis.

        Where the graph pads with a constant, the last value is repeated along the new axis: the next operator would read a
        constant as a part of the field.
        """
        if value.padding is None:
            return value
        padding = value.padding
        mode = "edge" if padding.mode == "constant" else padding.mode
        tensor, place = value.emitted, place_of_new(value.known)
        if tensor is None:
            raise AssertionError("padding of a tensor that was not written")
        around = (padding.before, padding.after)
        made = self.graph.pad_axis(tensor, len(value.known), place, around, mode, f"{value.name}.new_axis")
        done = replace(value, emitted=made, padding=None)
        self.values[value.name] = done
        return done

    def tensor(self, value: Value) -> str:
        """The name of a tensor in the new graph; the tensor is written if it is not there yet."""
        value = self.settled(self.values.get(value.name, value))
        if value.emitted is not None:
            return value.emitted
        if value.content is not None and value.constant is None:
            name = self.lengths.content(value, value.content)
        elif value.name in self.tensors:
            name = self.graph.keep(self.tensors[value.name], value.name)
        elif value.constant is not None:
            name = self.graph.constant(value.constant, value.name)
        else:
            raise AssertionError("a tensor of which nothing is known")
        self.values[value.name] = replace(value, emitted=name)
        return name

    def names(self, node: Node) -> list[str]:
        """The names of all inputs in the new graph."""
        return ["" if each is None else self.tensor(each) for each in node.inputs]

    def copied(self, node: Node) -> None:
        """Copy a node; its outputs have no new axis."""
        self.graph.copy(node.proto, self.names(node), node.outputs)
        first = node.maybe(0)
        for position, name in enumerate(node.outputs):
            axes = None
            if first is not None and first.axes is not None and position == 0 and node.kind in _SAME_RANK:
                axes = tuple(axis_of(Size.symbol(Length(name, axis))) for axis in range(first.rank))
            if name:
                self.declare(name, axes)

    def entries_or_copy(self, node: Node, position: int, what: str) -> list[Size] | None:
        """The entries of an input that is computed from lengths; None if it is not and the node, which has no field, is copied.

        **Raises:** `UnsupportedError` if it is not and the node has a field.
        """
        entries = node.entries(position)
        if entries is None:
            if node.value(0).spatial:
                raise node.refusal(
                    f"{what} not computed of lengths", "numbers, or what is computed of lengths"
                )
            self.copied(node)
        return entries

    def depth(self, value: Value) -> str:
        """The length of the new axis of a value, as a tensor with one integer."""
        if not value.alone:
            raise AssertionError("a new axis that was merged into another one")
        return self.lengths.of_axis(self.tensor(value), place_of_new(value.known))


def _content_type(node: Node, content: np.ndarray) -> int:
    if node.kind == "Cast":
        return int(node.get("to", INT64))
    if any(isinstance(each, bool) for each in content.reshape(-1).tolist()):
        return 9
    if node.kind in ("Shape", "Size"):
        return INT64
    if node.kind == "ConstantOfShape":
        value = node.get("value")
        return FLOAT if value is None else int(value.data_type)
    place = 1 if node.kind == "Where" else 0
    first = node.maybe(place)
    return INT64 if first is None or not first.dtype else first.dtype


_SAME_RANK = {
    "Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool",
    "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization", "Gemm", "Resize", "Pad", "CumSum",
    "LRN", "LpNormalization", "MeanVarianceNormalization", "Tile", "QuantizeLinear", "DequantizeLinear", "RMSNormalization",
}  # fmt: skip
