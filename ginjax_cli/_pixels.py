"""Options that take a number of pixels, for all axes or for named axes."""

from typing import TYPE_CHECKING, Annotated

import typer

from ._output import Output

if TYPE_CHECKING:
    from ginjax.data import Source
    from ginjax.ml import Forecaster

PIXELS = "N|AXIS=N,..."
"""How the help writes such a value."""

Tile = Annotated[
    str | None,
    typer.Option(
        "--tile",
        help="Predict the grid in parts, one after the other, to save memory: this many pixels along every "
        "axis, or along the named axes (x=64,z=32). Except for rounding, the result is the same.",
        metavar=PIXELS,
        show_default="all at once",
    ),
]


def pixels(option: str, text: str | None) -> int | dict[str, int] | None:
    """Turn `64` or `x=64,z=32` into the value that the library takes.

    **Raises:** `ArgumentError` for any other text, or for an axis named twice.
    """
    from ginjax.errors import ArgumentError

    if text is None:
        return None
    pairs = [part.strip().partition("=") for part in text.split(",")]
    numbers = [number if name and separator else name for name, separator, number in pairs]
    names = [name for name, separator, _ in pairs if separator]
    alone = len(pairs) == 1 and not names
    wanted = all(number.isdecimal() and 0 < int(number) < 2**31 for number in numbers)
    if not wanted or not (alone or len(set(names)) == len(pairs)):
        raise ArgumentError(
            option, got=repr(text)[:60], expected="pixels such as 64, or by axis such as x=64,z=32"
        )
    return int(numbers[0]) if alone else dict(zip(names, map(int, numbers), strict=True))


def say_tiles(out: Output, forecaster: "Forecaster", source: "Source") -> None:
    """Say in which parts the grid is predicted. Without `--tile`, say nothing."""
    if forecaster.tile is None:
        return
    tiling = forecaster.tiling(source.spatial)
    out.note(
        "--tile: a part with what it depends on is the whole grid, which is predicted at once"
        if tiling is None
        else f"predicted in {tiling.count} parts: {tiling.in_words()}"
    )
