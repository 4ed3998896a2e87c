"""The pictures of an evaluation: one line each, and what a user adds."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ginjax._registry import Registry
from ginjax.errors import ArgumentError
from ginjax.ml.draw._canvas import save_png
from ginjax.ml.draw._errors import errors_figure
from ginjax.ml.draw._forecast import forecast_figure
from ginjax.ml.draw._spectra import spectra_figure
from ginjax.ml.forecast import RolloutStudy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = Callable[[str, RolloutStudy, int], "Figure"]
"""`(title, study, D) -> figure`, where `D` is the number of spatial axes."""


def _fields(title: str, study: RolloutStudy, D: int) -> Figure:
    first = next(iter(study.errors))
    return forecast_figure(
        title, {step: (frames["truth"], frames[first]) for step, frames in study.samples.items()}, D
    )


def _errors(title: str, study: RolloutStudy, D: int) -> Figure:
    return errors_figure(title, study)


def _spectra(title: str, study: RolloutStudy, D: int) -> Figure:
    return spectra_figure(f"{title}, step {study.shown_step}", study.spectra)


def _check(name: str, picture: Picture) -> None:
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", name) or name == "json":
        raise ArgumentError(
            "name of the picture",
            got=repr(name),
            expected="letters a-z, digits, _ and -, because its file bears the name; not 'json', the file of the numbers",
        )
    if not callable(picture):
        raise ArgumentError(
            f"picture {name!r}",
            got=type(picture).__name__,
            expected="a function (title, study, D) -> figure",
        )


PICTURES: Registry[Picture] = Registry(
    "picture",
    {"fields": _fields, "errors": _errors, "spectra": _spectra},
    home="ginjax.ml.draw._pictures:PICTURES",
    group="ginjax.pictures",
    check=_check,
)
"""The pictures of an evaluation by name: the library's own, then those of `register_picture` and of installed packages."""


def register_picture(name: str, picture: Picture) -> Picture:
    """Let evaluations draw another picture, until the program ends.

    **Arguments:**

    - `name`: of the picture; the file is called `<name>.png`.
    - `picture`: `(title, study, D)` to a matplotlib figure.

    **Returns:** `picture`.

    **Raises:** `ArgumentError` for a name that is taken, or that cannot be the name of a file.
    """
    return PICTURES.add(name, picture)


def picture_figure(name: str, title: str, study: RolloutStudy, D: int) -> Figure:
    """Draw a picture of an evaluation.

    **Arguments:**

    - `name`: a name in `PICTURES`.
    - `title`: of the whole picture.
    - `study`: what was found; `D`: number of spatial axes.

    **Raises:** `ArgumentError` for an unknown name, or a picture that is no figure.
    """
    figure = PICTURES.find(name)(title, study, D)
    if not hasattr(figure, "savefig"):
        raise ArgumentError(
            f"picture {name!r}", got=type(figure).__name__, expected="a matplotlib.figure.Figure"
        )
    return figure


def draw_picture(
    path: str | os.PathLike[str], name: str, title: str, study: RolloutStudy, D: int, *, force: bool = False
) -> None:
    """Write the picture of `picture_figure`.

    **Arguments:**

    - `path`: the PNG file to write.
    - `name`, `title`, `study`, `D`: as in `picture_figure`.
    - `force`: replace a file that is there.
    """
    save_png(path, picture_figure(name, title, study, D), force=force)
