"""Arrays that should have a known dimension, such as that of a model: readings in other dimensions are not offered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ginjax.data._likely_axes import AxisReading, offers
from ginjax.data.readers._shared_axes import Guess
from ginjax.errors import ArgumentError


def in_dimensions(likely: Sequence[AxisReading], dimensions: Collection[int]) -> list[AxisReading]:
    """The readings in these dimensions; all of them if the dimensions are empty."""
    return [each for each in likely if not dimensions or each.order.D in dimensions]


def refuse_dimensions(where: str, guesses: Mapping[str, Guess], dimensions: Collection[int]) -> None:
    """Refuse arrays that can only be read in another dimension than the wanted ones.

    An order that is certain is accepted in any dimension; it is compared with that of the model later.

    **Arguments:**

    - `where`: the file.
    - `guesses`: the guesses by array, with the likely readings in these dimensions only.
    - `dimensions`: the wanted dimensions; any if empty.

    **Raises:** `ArgumentError` if no array fits, or if a requested one does not; it says what to do with data of the other
    dimension.
    """
    lost = [
        name
        for name, each in guesses.items()
        if each.order is None and not each.likely and offers(each.shape)
    ]
    asked = [name for name in lost if guesses[name].asked]
    fitting = any(each.order is not None or each.likely for each in guesses.values())
    if not dimensions or not lost or (fitting and not asked):
        return
    name = (asked or lost)[0]
    shape, least = guesses[name].shape, min(dimensions) + 1
    wanted = " or ".join(f"{D}D" for D in sorted(dimensions))
    got, expected = (
        f"{len(shape)} axes",
        f"at least {least} for data in {wanted}, one of time and {least - 1} of space",
    )
    if len(shape) >= least:
        got, expected = "no order of its axes that makes it so", f"a time series in {wanted}"
    raise ArgumentError(
        f"{where}: array '{name}' ({' x '.join(map(str, shape))})",
        got=got,
        expected=f"{expected}, as the model takes it" if len(dimensions) == 1 else expected,
        hint=_way_out(offers(shape)[0]),
    )


def _way_out(reading: AxisReading) -> str:
    """What to do with an array of another dimension than a model."""
    D = reading.order.D
    return (
        f"It may be data in {D}D: {reading} (`axes=['{reading.order.text}']`). A model for {D}D is made by "
        f"'ginjax convert-d' with `to_dim={D}`."
    )
