"""The style of all pictures: widths, fonts, lines, colours. It holds while a picture is made, whatever the user set."""

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
"""Width of a picture: one or two columns of a journal, or a number of millimetres."""

COLUMNS: Mapping[str, float] = {"one": 89.0, "two": 183.0}
"""Millimetres of one and of two columns."""

NARROWEST, WIDEST = 60.0, 600.0
"""Smallest and largest width in millimetres."""

DPI = 300
"""Pixels per inch of a pixel image."""

HEADING, PANEL, LABEL, TICK = 8.0, 7.5, 7.0, 6.5
"""Font sizes in points: of the heading, of panel titles, of axis labels and legends, of numbers."""

LINE, THIN = 1.1, 0.6
"""Line widths in points: of data, and of frames and ticks."""

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
    "pdf.fonttype": 42,  # letters that can be edited in a drawing program
    "svg.fonttype": "path",
    "svg.hashsalt": "ginjax",
    "savefig.bbox": None,
    "savefig.facecolor": "white",
    "savefig.transparent": False,
}
"""Settings for files, whoever made the figure."""


_LOOKS_GROUPS = (
    "axes", "figure", "font", "grid", "hatch", "image", "legend", "lines", "markers", "mathtext", "patch", "path", "savefig",
    "text", "xtick", "ytick",
)  # fmt: skip

# Okabe and Ito's colours, which colour-blind people can distinguish; line styles and markers distinguish them in grey.
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
"""A line style in the form that matplotlib accepts."""


def inches(width: Width) -> float:
    """Convert a width to inches.

    **Raises:** `ArgumentError` for anything but "one", "two" or a number of millimetres in range.
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
    """Set the style of pictures while one is made or written, and restore the user's settings afterwards."""
    import matplotlib

    if (
        _styled.get()
    ):  # setting hundreds of settings again for every text that is measured takes a second per picture
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
    """The default settings of matplotlib that concern the style, overridden by those of this module."""
    import matplotlib

    defaults: dict[Any, Any] = {}
    for name in matplotlib.rcParamsDefault:
        if name.split(".")[0] in _LOOKS_GROUPS:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                value = matplotlib.rcParamsDefault[name]
            if not said:  # otherwise it is deprecated, and setting it would warn every time
                defaults[name] = value
    return defaults | dict(_OWN)


def looks_of(names: Iterable[str]) -> dict[str, tuple[str, LineStyle]]:
    """Choose colour and line style of each forecast: known names have their own, others get the next free one."""
    looks: dict[str, tuple[str, LineStyle]] = {}
    for name in names:
        free = _FREE[sum(each not in _LOOKS for each in looks) % len(_FREE)]
        looks[name] = _LOOKS.get(name, free)
    return looks
