"""Options of the commands that draw pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

_PICTURES = "Pictures"

FORMATS = ("png", "pdf", "svg")
NARROWEST, WIDEST = 60, 600
"""In millimetres, as in `ginjax.ml.draw`. A test compares them, because `--help` must not import the library."""

FormatName = Literal["png", "pdf", "svg"]


def _width(text: Any) -> str | float:
    if text in ("one", "two"):
        return text
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not NARROWEST <= number <= WIDEST:
        raise typer.BadParameter(f"{text!r} is not one, two, or {NARROWEST} to {WIDEST} millimetres.")
    return number


FORMAT: Any = typer.Option(
    "--format",
    help="Format of the pictures: pixels, 300 per inch (png), or vector graphics (pdf, svg).",
    rich_help_panel=_PICTURES,
)
WIDTH: Any = typer.Option(
    "--width",
    parser=_width,
    help="Width of the pictures: one or two columns of a journal (89 or 183 mm), or 60 to 600 millimetres.",
    metavar="[one|two|MM]",
    rich_help_panel=_PICTURES,
)

PictureFormat = Annotated[FormatName, FORMAT]
PictureWidth = Annotated[Any, WIDTH]


def picture_path(
    given: Path | None, name: str, form: FormatName | None, inputs: Mapping[str, Sequence[Path]] | None = None
) -> Path:
    """The file of a command that writes one picture: the given file, whose ending sets the format, or `name.FORMAT`.

    **Arguments:**

    - `inputs`: the files that the command reads, as in `check_output`.

    **Raises:** `ArgumentError` if ending and `--format` contradict each other, for an ending that is not a format, and for
    a file that the command reads.
    """
    from ginjax.checkpoint import check_output
    from ginjax.errors import ArgumentError

    if given is None:
        given = Path(f"{name}.{form or 'png'}")
    check_output(given, "picture", inputs)
    ending = given.suffix[1:].lower() or "png"
    if ending not in FORMATS:
        raise ArgumentError(
            "ending of the picture",
            got=f"'{given.suffix}' in {given}",
            expected=" or ".join(f".{each}" for each in FORMATS),
        )
    if form is not None and form != ending:
        raise ArgumentError("--format", got=f"{form} for {given}", expected=f"{ending}, or another file")
    return given
