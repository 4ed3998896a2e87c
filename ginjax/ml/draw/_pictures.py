"""The pictures of an evaluation: those of the library, and those that a user registers."""

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
"""`(title, study, D) -> figure`, where `D` is the number of spatial axes; if it also takes `width`, it gets that too."""


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
    """The heading of a picture that shows a quantity of what is evaluated."""
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
    """Register a picture that evaluations draw, until the program ends.

    **Arguments:**

    - `name`: name of the picture, and of its file, such as `<name>.png`.
    - `picture`: `(title, study, D) -> matplotlib figure`. If it has a further argument `width`, it gets the width of the picture
      too, "one" or "two" journal columns or a number of millimetres. `study.contract` is what is known about the data.

    **Returns:** `picture`.

    **Raises:** `ArgumentError` for a name that is taken, or that cannot be a file name.
    """
    return PICTURES.add(name, picture)


def picture_figure(name: str, title: str, study: RolloutStudy, D: int, *, width: Width = "two") -> Figure:
    """Draw a picture of an evaluation.

    **Arguments:**

    - `name`: a name in `PICTURES`.
    - `title`: title of the whole picture.
    - `study`: the results of the rollouts; `D`: number of spatial axes.
    - `width`: "one" or "two" journal columns, or a number of millimetres; ignored by a registered picture that does not take it.

    **Raises:** `ArgumentError` for an unknown name, another width, or a picture that does not return a figure.
    """
    inches(width)  # a wrong width is refused here, even if the picture does not use it
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
    - `force`: replace an existing file.
    """
    save_picture(path, picture_figure(name, title, study, D, width=width), force=force)
