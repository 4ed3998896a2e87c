"""One order of axes for several arrays: that of the vectors among them, without its components that of the scalars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ginjax.data._axis_order import TIME, TRAJECTORY, AxisOrder
from ginjax.data._likely_axes import AxisReading


@dataclass(frozen=True)
class Guess:
    """What the shape of an array says of its axes.

    **Arguments:**

    - `shape`: of the array.
    - `order`: of its axes, where it is sure.
    - `likely`: the readings that make sense otherwise, the likeliest first.
    - `asked`: whether a field of it was asked for.
    """

    shape: tuple[int, ...]
    order: AxisOrder | None
    likely: tuple[AxisReading, ...]
    asked: bool

    @property
    def open(self) -> bool:
        """Whether its order has to be asked for; what makes no time series at all is not asked about."""
        return self.order is None and (bool(self.likely) or self.asked)

    def allows(self, order: AxisOrder) -> bool:
        """Whether the array may be in this order."""
        if self.order is not None:
            return order == self.order
        return any(order == each.order for each in self.likely)


def shared_orders(guesses: Mapping[str, Guess]) -> list[dict[str, AxisOrder]]:
    """The orders that hold for as many of the arrays as any, two or more, on one grid with equally many frames.

    **Arguments:**

    - `guesses`: by array. Where fields were asked for, an order that does not hold for all of them is none.

    **Returns:** for each order the arrays with theirs, the likeliest for the array with the most axes first.
    """
    widest = max(guesses.values(), key=lambda each: len(each.shape))
    orders = [each.order for each in widest.likely] if widest.order is None else [widest.order]
    found = [_holds(order, widest.shape, guesses) for order in orders]
    most = max(map(len, found), default=0)
    if most < 2 or (most < len(guesses) and any(each.asked for each in guesses.values())):
        return []
    return [each for each in found if len(each) == most]


def _holds(order: AxisOrder, shape: tuple[int, ...], guesses: Mapping[str, Guess]) -> dict[str, AxisOrder]:
    """The arrays that go with an array of a shape in an order, and their orders."""
    found = {}
    for name, guess in guesses.items():
        own = order if len(order.names) == len(guess.shape) else order.without_components()
        if (
            len(own.names) == len(guess.shape)
            and guess.allows(own)
            and _sides(own, guess.shape) == _sides(order, shape)
        ):
            found[name] = own
    return found


def _sides(order: AxisOrder, shape: tuple[int, ...]) -> tuple[int, ...]:
    return order.size(TRAJECTORY, shape), order.size(TIME, shape), *order.spatial(shape)
