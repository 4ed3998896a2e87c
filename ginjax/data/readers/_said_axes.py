"""The order of axes that a user states for all arrays, applied to one of them."""

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
    """The order stated for an array. An order for all arrays applies to scalars without its component axes.

    **Raises:** `ArgumentError` for an order that does not fit, with readings in these `dimensions` (any if empty).
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
    """Refuse a stated order that contradicts the names of the axes in the file.

    **Arguments:**

    - `name`, `order`: the array, and the stated order.
    - `labels`: the name of each of its axes, empty if it has none.

    **Raises:** `ArgumentError` that names both.
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
    """Why an array has no order although others have, and how to state it: theirs, with further components."""
    problem = f"its shape {shape} has {len(shape)} axes, whose order was not said"
    for order in said.values():
        tensor = order.with_components(len(shape) - len(order.names))
        if tensor is not None and AxisReading(tensor, shape).possible:
            return f"{problem}; say it too, such as `axes=['{name}={tensor.text}']`"
    return problem


def refuse_count(
    order: AxisOrder, shapes: Mapping[str, tuple[int, ...]], dimensions: Collection[int] = ()
) -> None:
    """Refuse an order if no array has that number of axes, and offer readings in these `dimensions` (any if empty).

    **Raises:** `ArgumentError` in this case.
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
