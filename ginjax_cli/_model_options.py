"""Options that describe a network, shared by the commands that build one."""

from pathlib import Path
from string import digits
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ._choices import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ginjax.checkpoint import Field
    from ginjax.filters import BankRecipe
    from ginjax.models import Network

_PANEL = "Network"

_NETWORK_OPTIONS = (
    "architecture",
    "channels",
    "blocks",
    "levels",
    "side",
    "support",
    "activation",
    "norm",
    "bias",
    "upsample",
    "plain",
    "nonlinearity",
)

ACTIVATIONS = Choice(
    ("relu", "gelu", "tanh", "silu", "softplus", "elu", "leaky_relu", "sin"),
    "ginjax.activations",
    also=("none",),
)

Channels = Annotated[
    int,
    typer.Option(
        "--channels", min=1, max=4096, help="Channels of each kind of field inside.", rich_help_panel=_PANEL
    ),
]
Blocks = Annotated[
    int,
    typer.Option(
        "--blocks",
        min=1,
        max=256,
        help="Residual blocks (resnet, dilresnet), convolutions a level (unet) or layers (series).",
        rich_help_panel=_PANEL,
    ),
]
Levels = Annotated[
    int, typer.Option("--levels", min=1, max=12, help="Down-samplings of a unet.", rich_help_panel=_PANEL)
]
Side = Annotated[
    int, typer.Option("--side", min=1, max=31, help="Side of the filters in pixels.", rich_help_panel=_PANEL)
]
Support = Annotated[
    Literal["full", "cut", "orthoplex"],
    typer.Option(
        "--support",
        help="Filters used: all, those within L1 distance (side-1)/2 of the centre, or one a shell (orthoplex).",
        rich_help_panel=_PANEL,
    ),
]
Activation = Annotated[
    str,
    typer.Option(
        "--activation",
        parser=ACTIVATIONS,
        metavar=ACTIVATIONS.metavar,
        help="Activation; none for a linear network.",
        rich_help_panel=_PANEL,
    ),
]
Norm = Annotated[
    bool, typer.Option("--norm/--no-norm", help="Normalise inside the blocks.", rich_help_panel=_PANEL)
]
Bias = Annotated[
    Literal["auto", "scalar", "mean", "none"],
    typer.Option(
        "--bias",
        help="What is added after a convolution: a constant (scalars), a multiple of the mean, each where it fits "
        "(auto), or nothing.",
        rich_help_panel=_PANEL,
    ),
]
Upsample = Annotated[
    Literal["repeat", "transpose"],
    typer.Option(
        "--upsample",
        help="How a unet up-samples: repeat converts exactly for every field, transpose for scalars.",
        rich_help_panel=_PANEL,
    ),
]
Plain = Annotated[
    bool,
    typer.Option(
        "--plain", help="An ordinary CNN instead: no symmetry, for comparison.", rich_help_panel=_PANEL
    ),
]
NonlinearityName = Annotated[
    Literal["vector-neuron", "product"],
    typer.Option(
        "--nonlinearity",
        help="How vectors are bent: along a learned direction (vector-neuron), or by pointwise products with scalars and "
        "with each other (product), which equations such as Burgers need.",
        rich_help_panel=_PANEL,
    ),
]
FilterFile = Annotated[
    Path | None,
    typer.Option(
        "--filters",
        help="Take side and support from a file of 'ginjax build-filters'.",
        metavar="FILE",
        rich_help_panel=_PANEL,
    ),
]


def parse_field(text: str) -> "Field":
    """`velocity:1+` as a field: a name, a tensor order, and `+` (even) or `-` (odd)."""
    from ginjax.checkpoint import Field
    from ginjax.errors import ArgumentError

    name, separator, kind = text.rpartition(":")
    if not separator or not name or len(kind) != 2 or kind[0] not in digits or kind[1] not in "+-":
        raise ArgumentError(
            f"field {text!r}",
            expected="NAME:ORDER and + or -, such as density:0+ or velocity:1+ or vorticity:0-",
        )
    return Field(name, int(kind[0]), 0 if kind[1] == "+" else 1)


def parse_fields(texts: "Sequence[str]") -> "list[Field]":
    """Fields in the order given, each under a name of its own."""
    from ginjax.errors import ArgumentError

    fields = [parse_field(text) for text in texts]
    names = [field.name for field in fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ArgumentError("fields", got=f"{twice!r} more than once", expected="each name once")
    return fields


def network_of(context: typer.Context) -> "Network":
    """The network that the options of a command describe."""
    from dataclasses import replace

    from ginjax.filters import BankRecipe
    from ginjax.models import Network

    given = {name: context.params[name] for name in _NETWORK_OPTIONS}
    filters = context.params["filters"]
    if filters is None:
        return Network(**given)
    # Options that contradict a file of filters are answered before it is read.
    return replace(Network(**given, recipe=BankRecipe(1)), recipe=_recipe_of(filters))


def _recipe_of(path: "Path") -> "BankRecipe":
    from ginjax.checkpoint import read_banks
    from ginjax.errors import FileError

    for bank in read_banks(path).values():
        if bank.recipe is not None:
            return bank.recipe
    raise FileError(f"{path}: holds no filter bank", hint="Write one with 'ginjax build-filters'.")
