"""One order of axes for several arrays: that of the vectors among them; scalars have it without its components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ginjax.data._axis_order import TIME, TRAJECTORY, AxisOrder
from ginjax.data._likely_axes import AxisReading


@dataclass(frozen=True)
class Guess:
    """What the shape of an array shows about its axes.

    **Arguments:**

    - `shape`: shape of the array.
    - `order`: the order of its axes, if it is certain; otherwise None.
    - `likely`: the sensible readings if it is not, the likeliest first.
    - `asked`: whether the user requested a field of it.
    """

    shape: tuple[int, ...]
    order: AxisOrder | None
    likely: tuple[AxisReading, ...]
    asked: bool

    @property
    def open(self) -> bool:
        """Whether its order has to be asked for; an array that cannot be a time series is not asked about, unless requested."""
        return self.order is None and (bool(self.likely) or self.asked)

    def allows(self, order: AxisOrder) -> bool:
        """Whether the array may have this order."""
        if self.order is not None:
            return order == self.order
        return any(order == each.order for each in self.likely)


def shared_orders(guesses: Mapping[str, Guess]) -> list[dict[str, AxisOrder]]:
    """The orders that fit most arrays, but at least two, on one grid with equally many frames.

    **Arguments:**

    - `guesses`: the guesses by array. If the user requested fields, only orders that fit all arrays count.

    **Returns:** for each order, the arrays with their orders; those that are likeliest for the array with the most axes come
    first.
    """
    widest = max(guesses.values(), key=lambda each: len(each.shape))
    orders = [each.order for each in widest.likely] if widest.order is None else [widest.order]
    found = [_holds(order, widest.shape, guesses) for order in orders]
    most = max(map(len, found), default=0)
    if most < 2 or (most < len(guesses) and any(each.asked for each in guesses.values())):
        return []
    return [each for each in found if len(each) == most]


def _holds(order: AxisOrder, shape: tuple[int, ...], guesses: Mapping[str, Guess]) -> dict[str, AxisOrder]:
    """The arrays that fit an array of a shape in an order, and their orders."""
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
