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
        "--output",
        "-o",
        help="The file to write. By default its name follows that of the input.",
        metavar="FILE",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace existing output files.", rich_help_panel=_COMMON)
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        min=0,
        max=2**32 - 1,
        help="Random seed. The same seed gives the same result.",
        rich_help_panel=_COMMON,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the result as one JSON object and nothing else. An error is a JSON object on standard "
        "error.",
        rich_help_panel=_COMMON,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Print only the path of the written file, if there is one. Warnings and errors are still shown.",
        rich_help_panel=_COMMON,
    ),
]
# A command takes this option only so that its help shows it. The edge of the program looks for it among the arguments,
# because it must know the answer even if they cannot be parsed.
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=_COMMON)
]


PlanesName = Literal["flat", "oblique", "both"]
"""The values of `--planes`."""


def cover_option(panel: str | None = None) -> Any:
    """The option `--cover` of commands that simulate; the help shows it in the given panel."""
    return typer.Option(
        "--cover",
        min=2,
        max=3,
        help="The dimension to which the network will be converted. Every other simulation in a lower "
        "dimension then begins with a shorter correlation length, so that its gradients are as large as in "
        "that dimension.",
        metavar="DIM",
        show_default="one correlation length",
        rich_help_panel=panel,
    )


def planes_option(panel: str | None = None) -> Any:
    """The option `--planes` of commands that simulate; the help shows it in the given panel."""
    return typer.Option(
        "--planes",
        help="Simulate 3D fields that vary only in a plane, at the cost of 2D, to tune a network converted "
        "from 2D. They are constant along the last axis, in slabs of 4 points (flat), along (1,-1,0) "
        "(oblique), or in turn (both). All equations except navier-stokes-forced have planes.",
        show_default="fields that vary along all axes",
        rich_help_panel=panel,
    )
