"""The new graph while it is written: nodes in order, constants, and unused names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ._library import onnx_library

END = 2**63 - 1
"""The end of an axis for the operator Slice."""


class Graph:
    """Nodes and constants of the new graph.

    **Arguments:**

    - `taken`: names of the old graph, which denote the same tensors in the new one.
    - `opset`: version of the standard operators.
    """

    def __init__(self, taken: Iterable[str], opset: int):
        self.opset = opset
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._taken = set(taken)
        self._numbers: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._node_names: set[str] = set()
        self._helper = onnx_library("helper")
        self._numpy = onnx_library("numpy_helper")

    def name(self, stem: str) -> str:
        """Make an unused name."""
        found, number = stem, 1
        while found in self._taken:
            number += 1
            found = f"{stem}_{number}"
        self._taken.add(found)
        return found

    def add(
        self,
        kind: str,
        inputs: Sequence[str],
        near: str,
        *,
        outputs: Sequence[str] | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node.

        **Arguments:**

        - `kind`: the operator; `inputs`: names in the new graph.
        - `near`: the name from which names of the node and its outputs are made.
        - `outputs`: names of the outputs; one unused name by default.
        - `domain`, `attributes`: those of the operator; attributes that are None are left out.

        **Returns:** the name of its first output.
        """
        made = [self.name(f"{near}.{kind.lower()}")] if outputs is None else list(outputs)
        label = near if outputs is not None else made[0]
        number = 1
        while label in self._node_names:
            number += 1
            label = f"{near}_{number}"
        self._node_names.add(label)
        kept = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(
            self._helper.make_node(kind, list(inputs), made, name=label, domain=domain or None, **kept)
        )
        return made[0]

    def copy(self, node: Any, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        """Copy a node with other inputs and some other attributes; attributes that are None are removed."""
        made = type(node)()
        made.CopyFrom(node)
        del made.input[:], made.output[:]
        made.input.extend(inputs)
        made.output.extend(outputs)
        label = node.name or f"{node.op_type}.{outputs[0] if outputs else len(self.nodes)}"
        number = 1
        while label in self._node_names:
            number += 1
            label = f"{node.name}_{number}"
        self._node_names.add(label)
        made.name = label
        if attributes:
            kept = [each for each in made.attribute if each.name not in attributes]
            kept += [
                self._helper.make_attribute(key, value)
                for key, value in attributes.items()
                if value is not None
            ]
            del made.attribute[:]
            made.attribute.extend(kept)
        self.nodes.append(made)

    def constant(self, array: np.ndarray, name: str) -> str:
        """Add a constant under an unused name, and return the name."""
        made = self.name(name)
        self.constants[made] = self._numpy.from_array(np.asarray(array, order="C"), made)
        return made

    def keep(self, tensor: Any, name: str) -> str:
        """Keep a constant of the old graph under its own name."""
        made = type(tensor)()
        made.CopyFrom(tensor)
        made.name = name
        self.constants[name] = made
        return name

    def numbers(self, values: Sequence[int] | Sequence[float] | int, dtype: Any = np.int64) -> str:
        """Add a small constant; equal constants are shared."""
        array = np.asarray(values, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._numbers:
            text = "_".join(map(str, array.reshape(-1).tolist()[:6])) or "none"
            self._numbers[key] = self.constant(array, f"constant.{array.dtype.name}.{text}")
        return self._numbers[key]

    def vector(self, parts: Sequence[str | int]) -> str:
        """A vector of integers; each is given as a number or as a tensor with one entry."""
        if all(isinstance(each, int) for each in parts):
            return self.numbers([int(each) for each in parts])
        names = [self.numbers([each]) if isinstance(each, int) else each for each in parts]
        return self.add("Concat", names, "shape", axis=0) if len(names) > 1 else names[0]

    def squeeze(self, tensor: str, axes: list[int], near: str) -> str:
        """Remove these axes of length 1 from a tensor."""
        if self.opset < 13:
            return self.add("Squeeze", [tensor], near, axes=axes)
        return self.add("Squeeze", [tensor, self.numbers(axes)], near)

    def unsqueeze(self, tensor: str, axes: list[int], near: str) -> str:
        """Insert axes of length 1 at these places of the result."""
        if not axes:
            return tensor
        if self.opset < 13:
            return self.add("Unsqueeze", [tensor], near, axes=axes)
        return self.add("Unsqueeze", [tensor, self.numbers(axes)], near)

    def slice(self, tensor: str, axis: int, start: str | int, end: str | int, step: int = 1) -> str:
        """Cut a part out of one axis."""
        bounds = [self.vector([each]) for each in (start, end)]
        steps = [self.numbers([step])] if step != 1 else []
        return self.add("Slice", [tensor, *bounds, self.numbers([axis]), *steps], tensor)

    def transpose(self, tensor: str, order: Sequence[int], near: str) -> str:
        """Permute the axes of a tensor."""
        if list(order) == list(range(len(order))):
            return tensor
        return self.add("Transpose", [tensor], near, perm=list(order))

    def reduce(self, kind: str, tensor: str, axes: list[int], near: str, *, keep: bool = True) -> str:
        """Reduce a tensor over some axes."""
        since = 13 if kind == "ReduceSum" else 18
        if self.opset < since:
            return self.add(kind, [tensor], near, axes=axes, keepdims=int(keep))
        return self.add(kind, [tensor, self.numbers(axes)], near, keepdims=int(keep))

    def pad_axis(
        self, tensor: str, rank: int, axis: int, width: tuple[int, int], mode: str, near: str
    ) -> str:
        """Pad one axis of a tensor by `edge`, `reflect` or `wrap`."""
        before, after = width
        if mode == "wrap":  # in parts, because operators before version 19 have no such mode
            parts = [self.slice(tensor, axis, -before, END)] if before else []
            parts += [tensor]
            parts += [self.slice(tensor, axis, 0, after)] if after else []
            return self.add("Concat", parts, near, axis=axis) if len(parts) > 1 else tensor
        pads = [0] * (2 * rank)
        pads[axis], pads[rank + axis] = before, after
        return self.add("Pad", [tensor, self.numbers(pads)], near, mode=mode)

    def pruned(self, outputs: Iterable[str]) -> None:
        """Remove nodes and constants that no output needs."""
        needed = set(outputs)
        kept = []
        for node in reversed(self.nodes):
            if needed.isdisjoint(node.output):
                continue
            needed.update(node.input)
            kept.append(node)
        self.nodes = kept[::-1]
        self.constants = {name: tensor for name, tensor in self.constants.items() if name in needed}
