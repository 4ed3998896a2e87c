"""The pictures of an evaluation: one line each, and what a user adds."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ginjax._registry import Registry
from ginjax.errors import ArgumentError
from ginjax.ml.draw._errors import errors_figure
from ginjax.ml.draw._forecast import forecast_figure
from ginjax.ml.draw._labels import Labels
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._spectra import spectra_figure
from ginjax.ml.draw._style import Width, inches
from ginjax.ml.forecast import RolloutStudy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture = Callable[..., "Figure"]
"""`(title, study, D) -> figure`, where `D` is the number of spatial axes; one that also takes `width` is told it."""


def _fields(title: str, study: RolloutStudy, D: int, width: Width = "two") -> Figure:
    first = next(iter(study.errors))
    samples = {step: (frames["truth"], frames[first]) for step, frames in study.samples.items()}
    return forecast_figure(title, samples, D, contract=study.contract, width=width)


def _errors(title: str, study: RolloutStudy, D: int, width: Width = "two") -> Figure:
    return errors_figure(_of("error", title), study, width=width)


def _spectra(title: str, study: RolloutStudy, D: int, width: Width = "two") -> Figure:
    when = Labels.of(study.contract, D).time(study.shown_step)
    return spectra_figure(
        f"{_of('energy spectrum', title)}, {when}",
        study.spectra,
        by_trajectory=study.spectra_by_trajectory,
        contract=study.contract,
        grid=study.grid,
        width=width,
    )


def _of(what: str, title: str) -> str:
    """The heading of a picture that shows something of what is evaluated."""
    return f"{what}: {title}" if title else what


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

    - `name`: of the picture; its file is called that, such as `<name>.png`.
    - `picture`: `(title, study, D)` to a matplotlib figure; with a further argument `width` it is told the width of the
      picture as well, "one" or "two" columns or millimetres. What is known of the data is `study.contract`.

    **Returns:** `picture`.

    **Raises:** `ArgumentError` for a name that is taken, or that cannot be the name of a file.
    """
    return PICTURES.add(name, picture)


def picture_figure(name: str, title: str, study: RolloutStudy, D: int, *, width: Width = "two") -> Figure:
    """Draw a picture of an evaluation.

    **Arguments:**

    - `name`: a name in `PICTURES`.
    - `title`: of the whole picture.
    - `study`: what was found; `D`: number of spatial axes.
    - `width`: "one" or "two" columns, or millimetres; a registered picture that does not take it has its own.

    **Raises:** `ArgumentError` for an unknown name, another width, or a picture that is no figure.
    """
    inches(width)  # refused here, whatever the picture makes of it
    picture = PICTURES.find(name)
    told = {"width": width} if "width" in inspect.signature(picture).parameters else {}
    figure = picture(title, study, D, **told)
    if not hasattr(figure, "savefig"):
        raise ArgumentError(
            f"picture {name!r}", got=type(figure).__name__, expected="a matplotlib.figure.Figure"
        )
    return figure


def draw_picture(
    path: str | os.PathLike[str],
    name: str,
    title: str,
    study: RolloutStudy,
    D: int,
    *,
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write the picture of `picture_figure`.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `name`, `title`, `study`, `D`, `width`: as in `picture_figure`.
    - `force`: replace a file that is there.
    """
    save_picture(path, picture_figure(name, title, study, D, width=width), force=force)
