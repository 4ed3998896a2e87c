"""The order of axes that a user said of all arrays, applied to one of them."""

from __future__ import annotations

from collections.abc import Mapping

from ginjax.data._axis_order import AxisOrder
from ginjax.data._likely_axes import AxisReading, readings
from ginjax.data.readers._axis_question import offered
from ginjax.errors import ArgumentError


def said_order(
    name: str, shape: tuple[int, ...], said: Mapping[str, AxisOrder], *, needed: bool
) -> AxisOrder | None:
    """The order that was said of an array. What is said of all arrays says of scalars that they have no component."""
    order = said.get(name, said.get(""))
    if order is None or len(order.names) == len(shape):
        return order
    if name not in said:
        bare = order.without_components()
        if len(bare.names) == len(shape):
            return bare
        if not needed:
            return None
    raise ArgumentError(
        f"`axes` of array '{name}'",
        got=f"{order.text}, {len(order.names)} axes",
        expected=f"{len(shape)}, as many as its shape {shape} has",
        hint=offered(readings(shape), name) or None,
    )


def untold(name: str, shape: tuple[int, ...], said: Mapping[str, AxisOrder]) -> str:
    """Why an array has no order where those of others were said, and how to say it: as theirs, with components behind."""
    problem = f"its shape {shape} has {len(shape)} axes, whose order was not said"
    for order in said.values():
        tensor = order.with_components(len(shape) - len(order.names))
        if tensor is not None and AxisReading(tensor, shape).possible:
            return f"{problem}; say it too, such as `axes=['{name}={tensor.text}']`"
    return problem


def refuse_count(order: AxisOrder, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Say that no array has as many axes as were named.

    **Raises:** `ArgumentError`, if so.
    """
    n = len(order.names)
    if shapes and all(
        len(shape) not in (n, len(order.without_components().names)) for shape in shapes.values()
    ):
        raise ArgumentError(
            "`axes`",
            got=f"{order.text}, {n} axes",
            expected="as many as an array has: "
            + ", ".join(f"'{name}' of shape {shape} has {len(shape)}" for name, shape in shapes.items()),
        )
