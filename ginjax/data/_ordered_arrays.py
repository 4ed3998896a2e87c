"""Arrays in memory whose axes the user names, and arrays in ginjax's own order that may have another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder
from ginjax.data._likely_axes import AxisReading, readings, settled
from ginjax.errors import ArgumentError


def in_own_order(
    arrays: Mapping[str, np.ndarray],
    said: Mapping[str, AxisOrder],
    orders: dict[str, int],
    *,
    constants_in: int | None = None,
) -> dict[str, np.ndarray]:
    """Views of arrays with their axes in the order trajectory, time, space, components.

    **Arguments:**

    - `arrays`: the arrays by name.
    - `said`: the orders of their axes by name; the empty name holds the order for all other arrays.
    - `orders`: tensor orders by name; the function adds those that follow from the axes.
    - `constants_in`: for arrays that do not vary in time, the dimension of the fields they belong to. Such an array without a
      trajectory axis does not get one.

    **Raises:** `ArgumentError` for axes that do not fit an array, or a tensor order that does not fit the axes.
    """
    found = {}
    constants = constants_in is not None
    for name, values in arrays.items():
        order = _said(name, values, said, orders, constant=constants)
        if order is None:
            found[name] = values
            continue
        if order.varies == constants:
            raise ArgumentError(
                f"axes of '{name}'",
                got=f"{order.text}, {'with' if order.varies else 'without'} an axis of time",
                expected="none: constants do not vary" if constants else "time: fields are time series",
                hint=None if constants else "Give what does not vary in time as a constant.",
            )
        if constants and constants_in != order.D:
            raise ArgumentError(
                f"axes of '{name}'",
                got=f"{order.text}, {order.D} of space",
                expected=f"{constants_in}, as the fields have",
            )
        k = order.k
        if order.components(values.shape) == (1,) and order.D > 1:
            values, order, k = values.squeeze(order.names.index(COMPONENT)), order.without_components(), 0
        if orders.setdefault(name, k) != k:
            raise ArgumentError(
                f"order of '{name}'", got=orders[name], expected=f"{k}, as its axes {order.text} say"
            )
        arranged = order.arranged(values)
        found[name] = arranged[0] if constants and TRAJECTORY not in order.names else arranged
    return found


def _said(
    name: str, values: np.ndarray, said: Mapping[str, AxisOrder], orders: Mapping[str, int], *, constant: bool
) -> AxisOrder | None:
    """The order that the user states for an array.

    An order for all arrays applies to scalars without its component axes, and to constants without its time axis and perhaps
    its trajectory axis.
    """
    order = said.get(name, said.get(""))
    if order is None:
        return None
    likely = [order]
    if name not in said and constant:
        likely = [order.without(TIME), order.without(TIME, TRAJECTORY)]
    if name not in said and order.k:
        likely += [each.without_components() for each in likely]
    fitting = [
        each for each in likely if len(each.names) == values.ndim and orders.get(name, each.k) == each.k
    ]
    if len({each.names for each in fitting}) == 1:
        return fitting[0]
    texts = " or ".join(dict.fromkeys(each.text for each in fitting or likely))
    raise ArgumentError(
        f"axes of '{name}'",
        got=texts if fitting else f"{texts}, {' or '.join(str(len(each.names)) for each in likely)} axes",
        expected="one of them" if fitting else f"{values.ndim}, as many as its shape {values.shape} has",
        hint=f"Say its own: axes={{{name!r}: {fitting[0].text!r}}}." if fitting else None,
    )


def refuse_doubtful(name: str, values: np.ndarray, k: int, *, named: bool) -> None:
    """Refuse an array that makes a square or a cube if its axes are read in another order than ginjax's own.

    **Arguments:**

    - `name`, `values`, `k`: the array and its tensor order.
    - `named`: whether the user stated the tensor order; if not, axes of length 1, 2 and 3 may be components.

    **Raises:** `ArgumentError` with the likely orders.
    """
    if not 1 <= values.ndim - 2 - k <= len(SPACE):
        return  # no named order of axes
    order, likely = settled(values.shape, k, trusted=True)
    if order is not None and not named and not AxisReading(order, values.shape).possible:
        order = None
    if order is None and likely:
        raise ArgumentError(
            f"axes of '{name}', which were not named",
            got=f"shape {values.shape}",
            expected="an order in which they make sense in one way",
            hint=said_as_axes(likely),
        )


def said_as_axes(likely: list[AxisReading], name: str = "") -> str:
    """Describe readings, each with the text that states it to `from_arrays`."""
    each = [
        f"axes={ {name: reading.order.text} if name else reading.order.text!r} ({reading})"
        for reading in likely
    ]
    return f"Say which: {'; or '.join(each)}."


def vectors_in(shape: tuple[int, ...]) -> list[AxisReading]:
    """The likely readings that have a component axis."""
    return [each for each in readings(shape) if each.order.k][:3]
