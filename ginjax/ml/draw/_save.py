"""Write pictures in the format of the file ending, completely or not at all, with the same bytes every time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ginjax.checkpoint import atomic_write
from ginjax.errors import ArgumentError
from ginjax.ml.draw._style import DPI, FILES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PictureFormat = Literal["png", "pdf", "svg"]
"""Formats of pictures, which are the endings of their files."""

_METADATA: Mapping[str, Mapping[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}
"""Entries that matplotlib would otherwise write about itself and the date."""


def picture_format(path: str | os.PathLike[str]) -> PictureFormat:
    """Return the format that belongs to the ending of a file; a file without an ending is a PNG.

    **Raises:** `ArgumentError` for another ending.
    """
    ending = Path(path).suffix[1:].lower() or "png"
    for known in get_args(PictureFormat):
        if ending == known:
            return known
    raise ArgumentError(
        "ending of the picture",
        got=f"'.{ending}' in {os.fspath(path)}",
        expected=" or ".join(f".{each}" for each in get_args(PictureFormat)),
    )


def save_picture(path: str | os.PathLike[str], figure: Figure, *, force: bool = False) -> None:
    """Write a figure as `.png` with 300 dots per inch, `.pdf` or `.svg`. The same figure gives the same bytes.

    **Arguments:**

    - `path`: the file to write; its ending determines the format.
    - `figure`: any figure of matplotlib.
    - `force`: replace an existing file.

    **Raises:** `ArgumentError` for another ending, `FileError` for a file that exists or cannot be written.
    """
    form = picture_format(path)
    atomic_write(path, lambda stream: _draw(figure, stream, form), force=force)


def _draw(figure: Figure, stream: Any, form: PictureFormat) -> None:
    from matplotlib import rc_context

    from ginjax.ml.draw._literal_figure import laid_out

    with rc_context(FILES), laid_out(figure):
        figure.savefig(stream, format=form, dpi=DPI, metadata=dict(_METADATA[form]))
