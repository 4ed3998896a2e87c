"""Options of `convert-d` for networks of other libraries: they state what a file of weights does not tell."""

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
        help="Print the lines of Python that write a file for --modules, and exit.",
        is_eager=True,
        callback=_show_lines,
        rich_help_panel=_PANEL,
    ),
]
Modules = Annotated[
    Path | None,
    typer.Option(
        "--modules",
        help="The layers of the old or the new network, in a file that the lines of --describe-lines write.",
        metavar="JSON",
        rich_help_panel=_PANEL,
    ),
]
Like = Annotated[
    Path | None,
    typer.Option(
        "--like",
        help="A freshly made network of the new dimension, as safetensors. Names, shapes, depths of kernels "
        "and missing arrays come from it.",
        metavar="FILE",
        rich_help_panel=_PANEL,
    ),
]
Layout = Annotated[
    Literal["pytorch", "flax", "keras"],
    typer.Option(
        "--layout",
        help="The library that decides the order of the axes in kernels. For an ONNX graph, flax and keras "
        "mean that the channels are the last axis.",
        rich_help_panel=_PANEL,
    ),
]
Transposed = Annotated[
    list[str] | None,
    typer.Option(
        "--transposed",
        help="Without --modules: the transposed convolutions, such as 'up*.weight:2', or none. All other "
        "convolutions are ordinary. May be repeated.",
        metavar="PATTERN:STRIDE[:PADDING[:OUTPUT_PADDING]]",
        rich_help_panel=_PANEL,
    ),
]
Stride = Annotated[
    list[str] | None,
    typer.Option(
        "--stride",
        help="Without --modules: the ordinary convolutions with a stride, such as 'down.weight:2', or none. All "
        "others have stride 1. May be repeated.",
        metavar="PATTERN:STRIDE",
        rich_help_panel=_PANEL,
    ),
]
Padding = Annotated[
    list[str] | None,
    typer.Option(
        "--padding",
        help="Padding along the new axis: a number of points, or same, with which n points become n/stride, "
        "rounded up. With :repeats it continues the field in place of zeros. May be repeated.",
        metavar="PATTERN:PADDING[:repeats]",
        show_default="zeros that keep the size",
        rich_help_panel=_PANEL,
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        help="Pass on unchanged the arrays whose names fit this pattern. May be repeated.",
        metavar="PATTERN",
        rich_help_panel=_PANEL,
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(
        "--drop",
        help="Leave out the arrays whose names fit this pattern, or take them from --like. May be repeated.",
        metavar="PATTERN",
        rich_help_panel=_PANEL,
    ),
]
NewAxis = Annotated[
    str | None,
    typer.Option(
        "--new-axis",
        help="Which axes are new: first, last or, for a model of ginjax, their names in the higher "
        "dimension, such as y. The other axes keep their order: with y, the axes x,y become x,z. On the way "
        "down: which axes are removed.",
        metavar="first|last|AXIS",
        show_default="last for models of ginjax, first or as in --like for others, on the way down those added",
    ),
]
FromDim = Annotated[
    int | None,
    typer.Option(
        "--from-dim",
        min=1,
        max=3,
        help="The present dimension of the network.",
        show_default="that of its kernels",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class NetworkOptions:
    """The values of these options."""

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
        """The names of the options that were given."""
        return [
            name
            for name, value in vars(self).items()
            if value and (name, value) != ("layout", "pytorch") and name != "new_axis"
        ]

    def description(self) -> "Description":
        """What the options say about the network, without `like`."""
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
    """Whether the new axes of a network of another library come first or last. Its axes have no names.

    **Raises:** `ArgumentError` for any other word.
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
    """The patterns; an empty list for the word none, which means that there are no such layers."""
    from ginjax.errors import ArgumentError

    if not texts:
        return None
    if "none" not in texts:
        return texts
    if len(texts) > 1:
        raise ArgumentError(option, got="none and patterns", expected="one of the two")
    return []
