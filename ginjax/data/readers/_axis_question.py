"""The question about arrays whose axes may have several orders, and the answers to offer."""

from __future__ import annotations

from collections.abc import Mapping

from ginjax.data._axis_order import AxisOrder
from ginjax.data._likely_axes import AxisReading
from ginjax.data.readers._shared_axes import Guess, shared_orders
from ginjax.data.sources import NO_SERIES

Y_FIRST = "write y,x where y is stored first"


def question_of(guesses: Mapping[str, Guess]) -> tuple[tuple[str, str] | None, dict[str, AxisOrder]]:
    """The question about arrays of which some are not certain, and the orders to continue with, by array.

    A reading that fits several arrays (scalars without its components) comes before one that only fits the first array, so that
    the answer leaves out no array.
    """
    name = next(name for name, each in guesses.items() if each.open)
    shared = shared_orders(guesses)
    if not shared:
        alone = len(guesses) == 1
        return axis_question(name, guesses[name].shape, list(guesses[name].likely), alone=alone), {}
    widest = max(shared[0], key=lambda each: len(guesses[each].shape))
    offers = [AxisReading(found[widest], guesses[widest].shape) for found in shared]
    question, hint = axis_question(name, guesses[name].shape, offers, alone=True)
    scalars = " (a scalar has no component)" if shared[0][widest].k else ""
    return (question, f"{hint} One order is for {', '.join(shared[0])}{scalars}."), shared[0]


def axis_question(
    name: str, shape: tuple[int, ...], likely: list[AxisReading], *, alone: bool
) -> tuple[str, str]:
    """The question about an array whose axes may have several orders, and how to answer it."""
    sides = " x ".join(map(str, shape))
    question = f"which axis of array '{name}' ({sides}) is time, which are space, and which are components"
    return question, offered(
        likely, "" if alone else name
    ) or f"Name the axes in their order, such as `axes=['trajectory,time,x,y']`; {Y_FIRST}."


def offered(likely: list[AxisReading], name: str = "") -> str:
    """Readings as arguments that the user can paste, each with a description; empty if there are none."""
    front = f"{name}=" if name else ""
    each = [f"`axes=['{front}{reading.order.text}']` ({reading})" for reading in likely[:3]]
    if not each:
        return ""
    shape = likely[0].shape
    pairs = len(shape) > 2 and len(set(shape[1:])) == 1  # many squares or cubes, perhaps without a time axis
    return f"Say which, and {Y_FIRST}: {'; or '.join(each)}.{f' {NO_SERIES}' if pairs else ''}"
