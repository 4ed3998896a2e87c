"""One node of the old graph, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ginjax.errors import UnsupportedError

from ._sizes import Size
from ._values import Value


@dataclass(frozen=True)
class Row:
    """What happened to one node.

    **Arguments:**

    - `node`, `kind`: its name and operator; `inputs`: names of its inputs.
    - `action`: `kernel`, converted by the rule; `as it is`; `rewritten`; or `computed anew`, for shape arithmetic.
    - `before`, `after`: shapes of the kernel, for a convolution.
    - `note`: what was assumed, in words.
    """

    node: str
    kind: str
    inputs: tuple[str, ...]
    action: Literal["kernel", "as it is", "rewritten", "computed anew"]
    before: tuple[int, ...] | None = None
    after: tuple[int, ...] | None = None
    note: str = ""


@dataclass(eq=False)
class Node:
    """One node and its inputs.

    **Arguments:**

    - `proto`: the node in the file.
    - `inputs`: one value for each place, None for an empty one; `outputs`: names.
    - `attributes`: the attributes by name.
    """

    proto: Any
    inputs: list[Value | None]
    outputs: list[str]
    attributes: dict[str, Any]

    @property
    def kind(self) -> str:
        """Name of the operator in ONNX."""
        return self.proto.op_type

    @property
    def label(self) -> str:
        """Name of the node in messages and in the new graph."""
        return self.proto.name or f"{self.kind} of {self.outputs[0] if self.outputs else '?'}"

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an attribute."""
        return self.attributes.get(name, default)

    def value(self, place: int) -> Value:
        """An input that must exist.

        **Raises:** `UnsupportedError` if it does not.
        """
        found = self.maybe(place)
        if found is None:
            raise self.refusal(f"no input {place}", "a sound graph")
        return found

    def maybe(self, place: int) -> Value | None:
        """An input that may be absent."""
        return self.inputs[place] if place < len(self.inputs) else None

    def refusal(self, why: str, expected: str | None = None, hint: str | None = None) -> UnsupportedError:
        """The error for this node, with its place in the graph."""
        read = ", ".join(repr(name) for name in self.proto.input[:4] if name) or "nothing"
        more = " and others" if len(self.proto.input) > 4 else ""
        return UnsupportedError(
            f"node {self.label!r} ({self.kind} of {read}{more})", got=why, expected=expected, hint=hint
        )

    def axis(self, axis: int, rank: int) -> int:
        """The index of an axis, counted from the front."""
        if not isinstance(axis, int) or not -rank <= axis < rank:
            raise self.refusal(f"axis {axis} of {rank}", "an axis that is there")
        return axis % rank

    def entries(self, place: int) -> list[Size] | None:
        """The known entries of an input that is a vector of numbers; None if it is absent or not known."""
        value = self.maybe(place)
        if value is None or value.content is None:
            return None
        flat = value.content.reshape(-1).tolist()
        return None if any(not isinstance(each, Size) for each in flat) else flat

    def integers(self, place: int, name: str) -> list[int] | None:
        """Integers that are an attribute in some versions of the standard and an input in others; None if absent."""
        if name in self.attributes:
            found = self.attributes[name]
            return [int(each) for each in (found if isinstance(found, list) else [found])]
        value = self.maybe(place)
        if value is None:
            return None
        entries = self.entries(place)
        numbers = None if entries is None else [each.number for each in entries]
        if numbers is None or any(each is None or each.denominator != 1 for each in numbers):
            raise self.refusal(f"{name} that are computed while the network runs", "numbers")
        return [int(each) for each in numbers if each is not None]
