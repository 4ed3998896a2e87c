"""The order of axes that a user said of all arrays, applied to one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ginjax.data._axis_order import AxisOrder
from ginjax.data._likely_axes import AxisReading, offers
from ginjax.data.readers._axis_names import names_allow, order_by_names
from ginjax.data.readers._axis_question import offered
from ginjax.data.readers._wanted_dimension import in_dimensions
from ginjax.errors import ArgumentError


def said_order(
    name: str,
    shape: tuple[int, ...],
    said: Mapping[str, AxisOrder],
    dimensions: Collection[int] = (),
    *,
    needed: bool,
) -> AxisOrder | None:
    """The order that was said of an array. What is said of all arrays says of scalars that they have no component.

    **Raises:** `ArgumentError` for one that does not fit, with readings of these `dimensions`, or any.
    """
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
        hint=offered(in_dimensions(offers(shape), dimensions), name) or None,
    )


def check_names(name: str, order: AxisOrder, labels: Sequence[str]) -> None:
    """Refuse an order that was said against the names which the file gives to the axes.

    **Arguments:**

    - `name`, `order`: the array, and what was said of it.
    - `labels`: the name of each of its axes, empty where it has none.

    **Raises:** `ArgumentError` naming both.
    """
    if names_allow(order, labels):
        return
    named = ",".join(label or "?" for label in labels)
    stated = order_by_names(labels)
    way = "say nothing of it" if stated is None else f"say nothing of it, or `axes=['{stated.text}']`"
    raise ArgumentError(
        f"`axes` of array '{name}'",
        got=order.text,
        expected=f"what the file calls its axes: {named}",
        hint=f"Where the file is right, {way}; where it is wrong, rename its axes in the file.",
    )


def untold(name: str, shape: tuple[int, ...], said: Mapping[str, AxisOrder]) -> str:
    """Why an array has no order where those of others were said, and how to say it: as theirs, with components behind."""
    problem = f"its shape {shape} has {len(shape)} axes, whose order was not said"
    for order in said.values():
        tensor = order.with_components(len(shape) - len(order.names))
        if tensor is not None and AxisReading(tensor, shape).possible:
            return f"{problem}; say it too, such as `axes=['{name}={tensor.text}']`"
    return problem


def refuse_count(
    order: AxisOrder, shapes: Mapping[str, tuple[int, ...]], dimensions: Collection[int] = ()
) -> None:
    """Say that no array has as many axes as were named, and how the first may be read in these `dimensions`, or any.

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
            hint=next(
                filter(None, (offered(in_dimensions(offers(each), dimensions)) for each in shapes.values())),
                None,
            ),
        )
