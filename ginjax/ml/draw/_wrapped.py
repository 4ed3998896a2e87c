"""Break texts into lines that fit."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LINES = 12
"""The most lines of a text; further lines are cut off."""


def wrapped(figure: Figure, text: str, inches: float, size: float) -> str:
    """Break a text into lines that fit into a width, between words if possible, but not within `t = 0.1`.

    The lines together are the whole text; only a text that is far too long is cut off with an ellipsis.
    """
    from ginjax.ml.draw._literal_figure import visible

    lines = list(islice(_lines(figure, visible(text), inches, size), _MOST_LINES + 1))
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][:-1] + "…"]
    return "\n".join(lines)


def width_of(figure: Any, text: str, size: float) -> float:
    """The width of one line of text in inches."""
    from matplotlib.font_manager import FontProperties

    from ginjax.ml.draw._style import in_style

    with warnings.catch_warnings(), in_style():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        width, _, _ = figure.canvas.get_renderer().get_text_width_height_descent(
            text, FontProperties(size=size), ismath=False
        )
    return width / figure.dpi


def _lines(figure: Figure, text: str, inches: float, size: float) -> Iterator[str]:
    for paragraph in text.split("\n"):
        line = ""
        for word in re.findall(r"^\s+|\S+(?: = \S+)?\s*", paragraph):
            together = (line + word).rstrip()
            if line and _fitting(figure, together, inches, size) < len(together):
                yield line
                line = ""
            line += word
            while (fitting := _fitting(figure, line, inches, size)) < len(line.rstrip()):
                yield line[:fitting]
                line = line[fitting:]
        yield line


def _fitting(figure: Figure, line: str, inches: float, size: float) -> int:
    """The number of letters at the beginning of a line that fit, at least one."""

    def fits(letters: int) -> bool:
        return width_of(figure, line[:letters], size) <= inches

    low, high = 1, 2
    while high < len(line) and fits(high):  # a very long line is not measured as a whole
        low, high = high, 2 * high
    high = min(high, len(line))
    if fits(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
