"""Likely meanings of the axes of an array that nobody has stated, and whether one of them stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ginjax._text import plural
from ginjax.data._axis_order import COMPONENT, SPACE, TIME, TRAJECTORY, AxisOrder

LEAST_SIDE = 4
"""A grid rarely has fewer points along an axis: 1, 2 and 3 are numbers of components."""

MOST_OFFERED = 3
MAX_CHANNELS = 64
"""Most scalars along one axis; a longer axis is one of space or time."""


@dataclass(frozen=True)
class AxisReading:
    """One way to read an array.

    **Arguments:**

    - `order`: the order of the axes.
    - `shape`: shape of the array.
    """

    order: AxisOrder
    shape: tuple[int, ...]

    @property
    def possible(self) -> bool:
        """Whether the array is then a time series on a grid, of a scalar or of a tensor with a component for each axis."""
        return self._is_series and all(n in (1, self.order.D) for n in self.order.components(self.shape))

    @property
    def possible_as_scalars(self) -> bool:
        """Whether the array is then a time series on a grid, of several scalars along one axis."""
        inner = self.order.components(self.shape)
        return self._is_series and len(inner) == 1 and inner[0] <= MAX_CHANNELS

    @property
    def _is_series(self) -> bool:
        order, shape = self.order, self.shape
        if 0 in shape or not 1 <= order.D <= 3:
            return False
        return min(order.spatial(shape)) >= LEAST_SIDE and order.size(TIME, shape) >= 2

    @property
    def likelihood(self) -> int:
        """2 for a square or a cube, 1 in 1D with at least as many points as frames, 0 otherwise."""
        if TRAJECTORY not in self.order.names and not self.order.text.startswith(TIME):
            return 0
        sides = self.order.spatial(self.shape)
        if len(sides) > 1:
            return 2 if min(sides) == max(sides) else 0
        return int(max(sides) >= self.order.size(TIME, self.shape))

    @property
    def has_vectors(self) -> bool:
        """Whether a component axis is as long as the number of spatial axes, if there are at least two."""
        return self.order.D > 1 and self.order.D in self.order.components(self.shape)

    def __str__(self) -> str:
        return in_words(self.order, self.shape)


def in_words(order: AxisOrder, shape: Sequence[int]) -> str:
    """A description, such as `6 trajectories of 11 frames on 64 points, a scalar`."""
    count, frames = order.size(TRAJECTORY, shape), order.size(TIME, shape)
    grid = "x".join(map(str, order.spatial(shape)))
    inner = [n for n in order.components(shape) if n > 1 or order.D == 1]
    kinds = {0: "a scalar", 1: "a vector", 2: "a matrix"}
    kind = kinds.get(len(inner), f"a tensor of order {len(inner)}")
    if any(n != order.D for n in inner):
        kind = f"{inner[0]} scalars"
    elif order.D == 1 and inner:
        kind = "a scalar or a vector"
    return f"{plural(count, 'trajectory')} of {plural(frames, 'frame')} on {grid} points, {kind}"


def readings(shape: Sequence[int], k: int | None = None) -> list[AxisReading]:
    """The sensible ways to read an array, the likeliest first; among equals, vectors come first, then ginjax's own order.

    **Arguments:**

    - `shape`: shape of the array.
    - `k`: its tensor order; None if unknown. An array that is called a scalar may still have a component axis.
    """
    sides = tuple(shape)
    every = [
        AxisReading(AxisOrder(names), sides)
        for order in {None: (0, 1, 2), 0: (0, 1)}.get(k, (k,))
        for names in _orders(len(sides), order or 0)
    ]
    return sorted(
        (each for each in every if each.possible), key=lambda each: (-each.likelihood, not each.has_vectors)
    )


def offers(shape: Sequence[int], k: int | None = None) -> list[AxisReading]:
    """The readings to offer when the axes have to be asked for: the sensible ones, and two or three scalars along one axis.

    **Arguments:**

    - `shape`, `k`: as in `readings`.

    **Returns:** the readings, the likeliest first; among equals, those of a single field come first.
    """
    sides = tuple(shape)
    scalars = [AxisReading(AxisOrder(names), sides) for names in _orders(len(sides), 1)] if not k else []
    few = [
        each
        for each in scalars
        if each.possible_as_scalars and not each.possible and max(each.order.components(sides)) < LEAST_SIDE
    ]
    return sorted([*readings(shape, k), *few], key=lambda each: -each.likelihood)


def settled(
    shape: Sequence[int], k: int | None = None, *, trusted: bool = False
) -> tuple[AxisOrder | None, list[AxisReading]]:
    """Accept ginjax's own order of axes if no other order is as likely.

    **Arguments:**

    - `shape`, `k`: as in `readings`.
    - `trusted`: whether the array was made for this order. Then only a square or a cube in another order is a reason to ask.

    **Returns:** the order, or None if the user has to be asked; and the likely readings to offer.
    """
    order = 0 if k is None else k
    D = len(shape) - 2 - order
    likely, offered = readings(shape, k), offers(shape, k)[:MOST_OFFERED]
    own = AxisReading(AxisOrder.usual(D, order), tuple(shape)) if 1 <= D <= 3 else None
    if own is None or not (own.possible or trusted):
        return None, offered
    if own.order.D == 1 and order == 0 and not trusted:
        # Three axes may also be one run on a rectangle; in 1D, they may be time and components of one run, ...
        return None, offered
    mine = own.likelihood if own.possible else -1
    others = [each for each in likely if each.order != own.order and each.likelihood >= mine]
    if k is not None:
        others = [each for each in others if each.order.k == k]
    if trusted:
        others = [each for each in others if each.likelihood == 2]
    return (None if others else own.order), offered


def _orders(rank: int, k: int) -> list[tuple[str, ...]]:
    """Orders in which arrays of a rank are stored.

    Time is before or after space, with and without trajectories, with components last, before space, or first.
    """
    found = []
    for D in (rank - 2 - k, rank - 1 - k):
        if not 1 <= D <= len(SPACE):
            continue
        lead, space, inner = ((TRAJECTORY,) if rank - k - D == 2 else ()), SPACE[:D], (COMPONENT,) * k
        found += [(*lead, TIME, *space, *inner), (*lead, *space, TIME, *inner)]
        if k == 1:
            found += [
                (*lead, TIME, *inner, *space),
                (*lead, *inner, TIME, *space),
                (*lead, *space, *inner, TIME),
            ]
    return found
