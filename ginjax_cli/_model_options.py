"""Options that describe a network, shared by the commands that build one."""

from pathlib import Path
from string import digits
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ._by_axis import by_axis
from ._choices import Choice
from ._options import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ginjax.checkpoint import Field
    from ginjax.filters import BankRecipe
    from ginjax.models import Network

_PANEL = "Network"

NETWORK_OPTIONS = (
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

Architecture = Annotated[
    str,
    typer.Option(
        "--arch",
        parser=ARCHITECTURES,
        metavar=ARCHITECTURES.metavar,
        help="Architecture of the network.",
        rich_help_panel=_PANEL,
    ),
]
_CHANNELS = typer.Option(
    "--channels",
    min=1,
    max=4096,
    help="Number of hidden channels for each tensor order and parity.",
    rich_help_panel=_PANEL,
)
Channels = Annotated[int, _CHANNELS]
_BLOCKS = typer.Option(
    "--blocks",
    min=1,
    max=256,
    help="Number of residual blocks (resnet, dilresnet), of convolutions at each level (unet), or of layers "
    "(series).",
    rich_help_panel=_PANEL,
)
Blocks = Annotated[int, _BLOCKS]
_LEVELS = typer.Option(
    "--levels", min=1, max=12, help="Number of down-samplings of a unet.", rich_help_panel=_PANEL
)
Levels = Annotated[int, _LEVELS]
_SIDE = typer.Option(
    "--side", min=1, max=31, help="Side length of the filters in pixels.", rich_help_panel=_PANEL
)
Side = Annotated[int, _SIDE]
_SUPPORT = typer.Option(
    "--support",
    help="Which filters the network uses: all (full), those within L1 distance (side-1)/2 of the centre "
    "(cut), or a smaller set with mostly one filter for each L1 distance (orthoplex).",
    rich_help_panel=_PANEL,
)
Support = Annotated[Literal["full", "cut", "orthoplex"], _SUPPORT]
_ACTIVATION = typer.Option(
    "--activation",
    parser=ACTIVATIONS,
    metavar=ACTIVATIONS.metavar,
    help="Activation function. With none, the blocks have no nonlinearity.",
    rich_help_panel=_PANEL,
)
Activation = Annotated[str, _ACTIVATION]
_NORM = typer.Option(
    "--norm/--no-norm", help="Use group normalisation in the blocks.", rich_help_panel=_PANEL
)
Norm = Annotated[bool, _NORM]
_BIAS = typer.Option(
    "--bias",
    help="Bias of the convolutions: a constant that is added to even scalars (scalar), a multiple of the "
    "spatial mean of each channel (mean), the constant for even scalars and the mean for other fields "
    "(auto), or no bias (none).",
    rich_help_panel=_PANEL,
)
Bias = Annotated[Literal["auto", "scalar", "mean", "none"], _BIAS]
Upsample = Annotated[
    Literal["repeat", "transpose"],
    typer.Option(
        "--upsample",
        help="How a unet up-samples: by repeating values (repeat) or by transposed convolution (transpose). "
        "The first converts exactly for fields of every order, the second only for scalars.",
        rich_help_panel=_PANEL,
    ),
]
Plain = Annotated[
    bool,
    typer.Option(
        "--plain", help="Use an ordinary CNN without the symmetry, as a baseline.", rich_help_panel=_PANEL
    ),
]
NonlinearityName = Annotated[
    Literal["vector-neuron", "product"],
    typer.Option(
        "--nonlinearity",
        help="The nonlinearity for vectors: along a learnt direction (vector-neuron), or by pointwise "
        "products with scalars and with each other (product). Flows need products, together with --noise "
        "0.02.",
        rich_help_panel=_PANEL,
    ),
]
Padding = Annotated[
    list[str] | None,
    typer.Option(
        "--padding",
        help="What the network sees beyond the ends of axes that are not periodic: mirror (the mirror image "
        "at the wall, in which the velocity through the wall changes sign), edge (the last value, repeated) "
        "or zeros (scalars at their mean, no velocity). For a single axis: y=mirror. May be repeated.",
        metavar="[AXIS=]mirror|edge|zeros",
        show_default="mirror",
        rich_help_panel=_PANEL,
    ),
]
# For an existing network. Options that are not given have the default of its constructor.
OptionalChannels = Annotated[int | None, _CHANNELS]
OptionalBlocks = Annotated[int | None, _BLOCKS]
OptionalLevels = Annotated[int | None, _LEVELS]
OptionalSide = Annotated[int | None, _SIDE]
OptionalSupport = Annotated[Literal["full", "cut", "orthoplex"] | None, _SUPPORT]
OptionalActivation = Annotated[str | None, _ACTIVATION]
OptionalNorm = Annotated[bool | None, _NORM]
OptionalBias = Annotated[Literal["auto", "scalar", "mean", "none"] | None, _BIAS]

FilterFile = Annotated[
    Path | None,
    typer.Option(
        "--filters",
        help="Take side, support and scaling of the filters from a file that 'ginjax build-filters' wrote.",
        metavar="FILE",
        rich_help_panel=_PANEL,
    ),
]


def parse_field(text: str) -> "Field":
    """A field from text such as `velocity:1+`: a name, a tensor order, and `+` (even) or `-` (odd)."""
    from ginjax.checkpoint import FIELD_NOTATION, Field
    from ginjax.errors import ArgumentError

    name, separator, kind = text.rpartition(":")
    if not separator or not name or len(kind) != 2 or kind[0] not in digits or kind[1] not in "+-":
        raise ArgumentError(
            f"field {text!r}",
            expected="NAME:ORDER and + or -, such as density:0+ or velocity:1+ or vorticity:0-",
            hint=f"{FIELD_NOTATION}.",
        )
    return Field(name, int(kind[0]), 0 if kind[1] == "+" else 1)


def parse_fields(texts: "Sequence[str]") -> "list[Field]":
    """Fields in the given order. No two may have the same name."""
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

    from ginjax.errors import ArgumentError
    from ginjax.filters import BankRecipe
    from ginjax.models import Network

    given = {name: context.params[name] for name in NETWORK_OPTIONS}
    given["padding"] = by_axis("--padding", context.params["padding"])
    filters = context.params["filters"]
    # Contradicting options are refused before the file of filters is read.
    network = Network(**given, recipe=None if filters is None else BankRecipe(1))
    network.check_used([name for name in given if name != "plain" and said(context, name)])
    if filters is None:
        return network
    if said(context, "side") or said(context, "support"):
        name = "side" if said(context, "side") else "support"
        raise ArgumentError(
            f"--{name}", got="--filters as well, which says it already", expected="one of the two"
        )
    return replace(network, recipe=recipe_in(filters))


def said(context: typer.Context, name: str) -> bool:
    """Whether an option was given, on the command line or in a file. The value 0 counts as given."""
    source = context.get_parameter_source(name)
    asked = source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP")
    return asked and context.params[name] not in (None, [], ())


def recipe_in(path: "Path") -> "BankRecipe":
    """The recipe of the filters in a file that `ginjax build-filters` wrote."""
    from ginjax.checkpoint import read_banks
    from ginjax.errors import FileError

    for bank in read_banks(path).values():
        if bank.recipe is not None:
            return bank.recipe
    raise FileError(f"{path}: holds no filter bank", hint="Write one with 'ginjax build-filters'.")
