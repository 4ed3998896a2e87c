"""The options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ._choices import Choice

_COMMON = "Common options"

EQUATIONS = Choice(
    (
        "diffusion",
        "fisher-kpp",
        "allen-cahn",
        "burgers",
        "gray-scott",
        "kuramoto-sivashinsky",
        "swift-hohenberg",
        "wave",
        "acoustics",
        "isothermal",
        "navier-stokes",
        "navier-stokes-forced",
    ),
    "ginjax.equations",
)

ARCHITECTURES = Choice(("resnet", "dilresnet", "unet", "series"), "ginjax.architectures", written=str.lower)

OutputPath = Annotated[Path, typer.Option("--output", "-o", help="The file to write.", metavar="FILE")]
OptionalOutputPath = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="The file to write; named after the input by default.", metavar="FILE"
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace output files that exist.", rich_help_panel=_COMMON)
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        min=0,
        max=2**32 - 1,
        help="Random seed; the same seed gives the same file.",
        rich_help_panel=_COMMON,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the result as one JSON object and nothing else; an error is one on standard error.",
        rich_help_panel=_COMMON,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Print nothing but the path of the file written, if any.",
        rich_help_panel=_COMMON,
    ),
]
# A command takes this one only so that its help shows it: the edge finds it among the arguments, because it must
# know even when the arguments cannot be parsed.
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=_COMMON)
]


PlanesName = Literal["flat", "oblique", "both"]
"""What `--planes` takes."""


def cover_option(panel: str | None = None) -> Any:
    """The option `--cover` of commands that simulate, shown in a panel of its own if one is named."""
    return typer.Option(
        "--cover",
        min=2,
        max=3,
        help="The dimension that networks are to be converted to: of simulations in a lower one, every other then begins "
        "with a shorter correlation length, so that gradients are as large as there.",
        metavar="DIM",
        show_default="one correlation length",
        rich_help_panel=panel,
    )


def planes_option(panel: str | None = None) -> Any:
    """The option `--planes` of commands that simulate, shown in a panel of its own if one is named."""
    return typer.Option(
        "--planes",
        help="In 3D, fields that vary in a plane only, with all components of a vector, at the cost of 2D: flat, constant along the "
        "last axis, in slabs of 4 points; oblique, constant along (1,-1,0); or both in turn. A network converted from 2D is tuned on "
        "them. All equations have planes but navier-stokes-forced.",
        show_default="fields that vary along all axes",
        rich_help_panel=panel,
    )
