"""The look of all pictures: widths of a journal's columns, letters, lines, colours. Holds while a picture is made, whatever the user set."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Literal

from ginjax.errors import ArgumentError
from ginjax.ml.forecast import PERSISTENCE

Width = Literal["one", "two"] | float
"""Width of a picture: of one or two columns of a journal, or millimetres."""

COLUMNS: Mapping[str, float] = {"one": 89.0, "two": 183.0}
"""Millimetres of one and of two columns."""

NARROWEST, WIDEST = 60.0, 600.0
"""Millimetres between which a width must lie."""

DPI = 300
"""Pixels an inch of a picture in pixels."""

HEADING, PANEL, LABEL, TICK = 8.0, 7.5, 7.0, 6.5
"""Sizes of letters in points: of the whole picture, of a panel, along axes and in legends, of numbers."""

LINE, THIN = 1.1, 0.6
"""Widths of lines in points: of what is shown, of what stands beside."""

_INK, _GRID = "0.15", "0.88"

_OWN: Mapping[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": LABEL,
    "axes.titlesize": PANEL,
    "axes.labelsize": LABEL,
    "figure.titlesize": HEADING,
    "legend.fontsize": LABEL,
    "xtick.labelsize": TICK,
    "ytick.labelsize": TICK,
    "axes.linewidth": THIN,
    "axes.edgecolor": _INK,
    "axes.labelpad": 2.0,
    "axes.titlepad": 4.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.5,
    "lines.linewidth": LINE,
    "lines.markersize": 3.0,
    "xtick.major.width": THIN,
    "ytick.major.width": THIN,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "image.interpolation": "nearest",
}

FILES: dict[Any, Any] = {
    "pdf.fonttype": 42,  # letters that an illustrator can edit
    "svg.fonttype": "path",
    "svg.hashsalt": "ginjax",
    "savefig.bbox": None,
    "savefig.facecolor": "white",
    "savefig.transparent": False,
}
"""Settings of files, whoever made the figure."""


_LOOKS_GROUPS = (
    "axes", "figure", "font", "grid", "hatch", "image", "legend", "lines", "markers", "mathtext", "patch", "path", "savefig",
    "text", "xtick", "ytick",
)  # fmt: skip

# Okabe and Ito's colours, which stay apart for the colour-blind; lines and marks tell them apart in grey.
_LOOKS = {
    "truth": ("0.1", "-"),
    PERSISTENCE: ("0.55", "--"),
    "from scratch": ("#d55e00", "-."),
}
_FREE = (
    ("#0072b2", "-"),
    ("#009e73", ":"),
    ("#cc79a7", (0, (5, 1, 1, 1))),
    ("#e69f00", (0, (3, 1))),
    ("#56b4e9", (0, (1, 1))),
    ("#882255", (0, (7, 2))),
    ("#332288", (0, (3, 1, 1, 1, 1, 1))),
    ("#44aa99", (0, (9, 2, 2, 2))),
)
LineStyle = str | tuple[float, tuple[float, ...]]
"""A line style as matplotlib takes it."""


def inches(width: Width) -> float:
    """A width in inches.

    **Raises:** `ArgumentError` for what is neither "one" nor "two" nor a number of millimetres in range.
    """
    millimetres = COLUMNS.get(width, math.nan) if isinstance(width, str) else width
    number = isinstance(millimetres, int | float) and not isinstance(millimetres, bool)
    if not number or not NARROWEST <= millimetres <= WIDEST:
        raise ArgumentError(
            "`width`",
            got=repr(width),
            expected=f"'one' or 'two' columns, or {NARROWEST:g} to {WIDEST:g} millimetres",
        )
    return millimetres / 25.4


@contextmanager
def in_style() -> Iterator[None]:
    """The style of pictures for as long as one is made or written; what the user set stands again afterwards."""
    import matplotlib

    if (
        _styled.get()
    ):  # setting hundreds of settings again for every text that is measured takes a second a picture
        yield
        return
    token = _styled.set(True)
    try:
        with matplotlib.rc_context():
            matplotlib.rcParams.update(_settings())
            yield
    finally:
        _styled.reset(token)


_styled = ContextVar("styled", default=False)
"""Whether the style is set already."""


@cache
def _settings() -> dict[Any, Any]:
    """matplotlib's own settings as far as they are a matter of looks, with those of this style."""
    import matplotlib

    defaults: dict[Any, Any] = {}
    for name in matplotlib.rcParamsDefault:
        if name.split(".")[0] in _LOOKS_GROUPS:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                value = matplotlib.rcParamsDefault[name]
            if not said:  # else it is about to go, and setting it would say so every time
                defaults[name] = value
    return defaults | dict(_OWN)


def looks_of(names: Iterable[str]) -> dict[str, tuple[str, LineStyle]]:
    """Colour and line style of each forecast: those known have their own, the others what is left."""
    looks: dict[str, tuple[str, LineStyle]] = {}
    for name in names:
        free = _FREE[sum(each not in _LOOKS for each in looks) % len(_FREE)]
        looks[name] = _LOOKS.get(name, free)
    return looks
