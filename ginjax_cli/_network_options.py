"""Options of `convert-d` about networks of other libraries: what a file of weights does not tell."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ._output import show_lines

if TYPE_CHECKING:
    from ginjax.state_dict import Description, Module
    from ginjax.state_dict._layouts import Place

_PANEL = "Networks of other libraries"


def _show_lines(asked: bool) -> None:
    if asked:
        from ginjax.state_dict import DESCRIBE_LINES

        show_lines(DESCRIBE_LINES)
        raise typer.Exit


DescribeLines = Annotated[
    bool,
    typer.Option(
        "--describe-lines",
        help="Print the Python that writes a file for --modules, and stop.",
        is_eager=True,
        callback=_show_lines,
        rich_help_panel=_PANEL,
    ),
]
Modules = Annotated[
    Path | None,
    typer.Option(
        "--modules",
        help="The layers of the network, of either dimension, as the lines of --describe-lines write them.",
        metavar="JSON",
        rich_help_panel=_PANEL,
    ),
]
Like = Annotated[
    Path | None,
    typer.Option(
        "--like",
        help="A freshly made network of the new dimension, as safetensors: names, shapes, depths of kernels and whatever is "
        "missing come from it.",
        metavar="FILE",
        rich_help_panel=_PANEL,
    ),
]
Layout = Annotated[
    Literal["pytorch", "flax", "keras"],
    typer.Option("--layout", help="Whose kernels they are: how their axes stand.", rich_help_panel=_PANEL),
]
Transposed = Annotated[
    list[str] | None,
    typer.Option(
        "--transposed",
        help="Without --modules: the transposed convolutions, such as 'up*.weight:2', or none; may be repeated. All others are ordinary.",
        metavar="PATTERN:STRIDE[:PADDING[:OUTPUT_PADDING]]",
        rich_help_panel=_PANEL,
    ),
]
Stride = Annotated[
    list[str] | None,
    typer.Option(
        "--stride",
        help="Without --modules: the ordinary convolutions with a stride, such as 'layer[234].0.conv1.weight:2', or none; may "
        "be repeated. All others have stride 1.",
        metavar="PATTERN:STRIDE",
        rich_help_panel=_PANEL,
    ),
]
Padding = Annotated[
    list[str] | None,
    typer.Option(
        "--padding",
        help="Padding along the new axis: a number of points, or same where it is chosen by the depth; with :repeats it continues "
        "the field in place of zeros. May be repeated.",
        metavar="PATTERN:PADDING[:repeats]",
        show_default="what keeps the size, with zeros",
        rich_help_panel=_PANEL,
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        help="Arrays to pass on as they are, by pattern; may be repeated.",
        metavar="PATTERN",
        rich_help_panel=_PANEL,
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(
        "--drop",
        help="Arrays to leave out, by pattern; may be repeated. With --like they are taken from there.",
        metavar="PATTERN",
        rich_help_panel=_PANEL,
    ),
]
NewAxis = Annotated[
    str | None,
    typer.Option(
        "--new-axis",
        help="Which axes are the new ones: first, last or, of a model of ginjax, their names in the higher dimension, such as "
        "y: the others keep their order, so that x, y become x, z. Going down, which axes go.",
        metavar="first|last|AXIS",
        show_default="last; of networks of other libraries first, or as --like has them; going down those that were added",
    ),
]
FromDim = Annotated[
    int | None,
    typer.Option(
        "--from-dim",
        min=1,
        max=3,
        help="Dimension of the network.",
        show_default="that of its kernels",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class NetworkOptions:
    """What was given of these options."""

    modules: Path | None
    like: Path | None
    layout: str
    transposed: list[str] | None
    stride: list[str] | None
    padding: list[str] | None
    keep: list[str] | None
    drop: list[str] | None
    new_axis: str | None
    from_dim: int | None

    def given(self) -> list[str]:
        """The names of those that were given."""
        return [
            name
            for name, value in vars(self).items()
            if value and (name, value) != ("layout", "pytorch") and name != "new_axis"
        ]

    def description(self) -> "Description":
        """What they say of the network, but for `like`."""
        from ginjax.state_dict import Description

        return Description(
            layout=self.layout,
            modules=None if self.modules is None else _modules(self.modules),
            transposed=_unless_none("--transposed", self.transposed),
            stride=_unless_none("--stride", self.stride),
            padding=self.padding or (),
            keep=self.keep or (),
            drop=self.drop or (),
            new_axis=new_axis_place(self.new_axis),
            from_dim=self.from_dim,
        )


def new_axis_place(word: str | None) -> "Place | None":
    """Whether new axes of a network of another library come first or last; its axes have no names.

    **Raises:** `ArgumentError` for another word.
    """
    from ginjax.errors import ArgumentError

    if word is None or word == "first" or word == "last":
        return word
    raise ArgumentError(
        "--new-axis", got=repr(word), expected="first or last, for a network of another library"
    )


def _modules(path: Path) -> "tuple[Module, ...]":
    from ginjax.errors import FileError
    from ginjax.state_dict import read_modules

    try:
        return read_modules(path)
    except FileError as error:
        if error.hint and "DESCRIBE_LINES" in error.hint:
            error.hint = "The lines that 'ginjax convert-d --describe-lines' prints write such a file."
        raise


def _unless_none(option: str, texts: list[str] | None) -> list[str] | None:
    """The patterns; empty for the word none, which says that there are no such layers."""
    from ginjax.errors import ArgumentError

    if not texts:
        return None
    if "none" not in texts:
        return texts
    if len(texts) > 1:
        raise ArgumentError(option, got="none and patterns", expected="one of the two")
    return []
