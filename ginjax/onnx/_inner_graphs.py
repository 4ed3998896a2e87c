"""Graphs in the attributes of a node, such as the branches of a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._values import Value

INNER_GRAPHS = (5, 10)
"""The attribute types for one graph and for several: `AttributeProto.GRAPH` and `GRAPHS`."""


def reads_space(proto: Any, values: Mapping[str, Value]) -> bool:
    """Whether the graphs in a node read, from outside, a tensor with the new axis or one that is computed from lengths."""
    waiting = list(_within(proto))
    while waiting:
        inner = waiting.pop()
        for node in inner.node:
            read = [values[name] for name in node.input if name in values]
            if any(each.spatial or each.content is not None for each in read):
                return True
            waiting += _within(node)
        if any(each.name in values and values[each.name].spatial for each in inner.output):
            return True
    return False


def _within(proto: Any) -> Iterator[Any]:
    for attribute in proto.attribute:
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g
