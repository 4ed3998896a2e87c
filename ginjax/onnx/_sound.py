"""The check of a node against the standard: which inputs and outputs there are, and types of attributes."""

from __future__ import annotations

from typing import Any

from ginjax.errors import UnsupportedError

from ._library import onnx_library


def check_node(proto: Any, opset: int) -> None:
    """Refuse a standard node that violates the standard; unknown operators are not checked.

    **Raises:** `UnsupportedError` that names the node.
    """
    defs = onnx_library("defs")
    label = f"node {proto.name or proto.op_type!r} ({proto.op_type})"
    if not proto.output:
        raise UnsupportedError(label, got="0 outputs", expected="1 or more")
    if proto.domain not in ("", "ai.onnx") or not defs.has(proto.op_type):
        return
    if not defs.has(proto.op_type, opset):
        raise UnsupportedError(
            label, got=f"an operator that version {opset} does not have", expected="one that it has"
        )
    schema = defs.get_schema(proto.op_type, opset)
    for what, count, least, most in (
        ("inputs", len(proto.input), schema.min_input, schema.max_input),
        ("outputs", len(proto.output), schema.min_output, schema.max_output),
    ):
        if not least <= count <= most:
            expected = (
                str(least) if least == most else f"{least} or more" if most > 100 else f"{least} to {most}"
            )
            raise UnsupportedError(label, got=f"{count} {what}", expected=expected)
    for what, given, formal in (
        ("input", proto.input, schema.inputs),
        ("output", proto.output, schema.outputs),
    ):
        for i, name in enumerate(given):
            if (
                not name
                and formal[min(i, len(formal) - 1)].option != defs.OpSchema.FormalParameterOption.Optional
            ):
                raise UnsupportedError(label, got=f"no {what} {i}", expected="it")
    names = [each.name for each in proto.attribute]
    for each in proto.attribute:
        known = schema.attributes.get(each.name)
        if known is None or names.count(each.name) > 1 or int(known.type) != each.type or each.ref_attr_name:
            raise UnsupportedError(
                label,
                got=f"an attribute {each.name!r} of a kind that it has not",
                expected="those of the standard",
            )
    missing = [name for name, each in schema.attributes.items() if each.required and name not in names]
    if missing:
        raise UnsupportedError(label, got=f"no attribute {missing[0]!r}", expected="it")
