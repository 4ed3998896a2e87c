"""Options that say what a file of data does not, shared by the commands that read one."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ginjax.data import Source

_PANEL = "Reading data"

DataFields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        help="A field to use: NAME:ORDER, + (even) or - (odd), and the variables that hold its components, such as "
        "velocity:1+=Vx,Vy; may be repeated; then no others are used.",
        metavar="FIELD",
        show_default="those of the file",
        rich_help_panel=_PANEL,
    ),
]
DataParity = Annotated[
    list[str] | None,
    typer.Option(
        "--parity",
        help="Parity of a field where the file does not state it, such as magnetic_field=odd; may be repeated.",
        metavar="NAME=odd|even",
        rich_help_panel=_PANEL,
    ),
]
DataPeriodic = Annotated[
    str | None,
    typer.Option(
        "--periodic",
        help="Periodic axes: all, none, or names such as x,y.",
        metavar="AXES",
        show_default="what the file says",
        rich_help_panel=_PANEL,
    ),
]
DataSplit = Annotated[
    Literal["train", "valid", "test"] | None,
    typer.Option(
        "--split", help="Read this part of the data only.", show_default="everything", rich_help_panel=_PANEL
    ),
]

DataPart = Annotated[
    Literal["train", "valid", "test"] | None,
    typer.Option(
        "--split",
        help="The part of the data to use.",
        show_default="test to measure, train to calibrate, or everything if the data have no parts",
        rich_help_panel=_PANEL,
    ),
]


def open_from_options(
    path: "Path | Sequence[Path]",
    *,
    field: "Sequence[str] | None" = None,
    parity: "Sequence[str] | None" = None,
    periodic: str | None = None,
    split: str | None = None,
    ask: bool = True,
) -> "Source":
    """The source that the options describe, see `ginjax.data.open_data`."""
    from ginjax.data import open_data

    options = {
        "fields": tuple(field or ()),
        "parity": parse_parities(parity or ()),
        "split": split,
        "ask": ask,
    }
    if periodic not in (None, "all", "none"):
        D = open_data(path, **options).D
        return open_data(path, **options, is_torus=parse_axes(periodic or "", D))
    torus = {None: None, "all": True, "none": False}[periodic]
    return open_data(path, **options, is_torus=torus)


def parse_parities(texts: "Sequence[str]") -> dict[str, str]:
    """`NAME=odd` as a mapping."""
    from ginjax.errors import ArgumentError

    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name or name in found:
            raise ArgumentError("--parity", got=repr(text), expected="NAME=odd or NAME=even, each name once")
        found[name] = value
    return found


def parse_axes(text: str, D: int) -> tuple[bool, ...]:
    """`x,z` as one bool for each axis."""
    from ginjax.errors import ArgumentError

    axes, named = "xyz"[:D], text.split(",")
    if not set(named) <= set(axes) or len(set(named)) != len(named):
        raise ArgumentError("--periodic", got=repr(text), expected=f"all, none, or some of {', '.join(axes)}")
    return tuple(axis in named for axis in axes)
