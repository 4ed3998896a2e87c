"""A figure that shows names as they are. This module imports matplotlib, so import it only where it is used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from matplotlib.axis import Axis, Tick
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, ScalarFormatter

from ginjax.ml.draw._style import in_style

_SCREEN = 140
"""Pixels per inch of a picture below a notebook cell."""


class LiteralFigure(Figure):
    """A figure that never parses a text as mathematics, except the numbers along axes.

    Texts are measured for the layout while the figure is drawn, so every way to draw or save the figure goes through `draw`.
    """

    _settled = False

    def _repr_png_(self) -> bytes:
        """The picture below a notebook cell; notebooks otherwise show only figures of pyplot."""
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=_SCREEN)
        return stream.getvalue()

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure in its own style and with its final layout."""
        with self.in_its_style():
            self.settle()
            super().draw(renderer)

    @contextmanager
    def in_its_style(self) -> Iterator[None]:
        """Set the style while the figure is measured or drawn, without warnings on letters that the font lacks."""
        with warnings.catch_warnings(), in_style():
            warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
            show_literally(self)
            yield

    def settle(self) -> None:
        """Lay out once more: the first layout of images below titles of unequal height is too large."""
        layout = self.get_layout_engine()
        if layout is not None and self.axes and not self._settled:
            layout.execute(self)
            self._settled = True


@contextmanager
def laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out, and keep this layout: otherwise matplotlib would draw everything again before it writes a file."""
    layout = figure.get_layout_engine()
    if layout is None or not isinstance(figure, LiteralFigure):
        yield
        return
    with figure.in_its_style():
        figure.settle()
        layout.execute(figure)
        figure.set_layout_engine(None)
        try:
            yield
        finally:
            figure.set_layout_engine(layout)


def show_literally(figure: Figure) -> None:
    """Draw every text of a figure letter by letter, except tick labels that matplotlib wrote."""
    numbers = _numbers(figure)
    for text in figure.findobj(Text):
        if id(text) not in numbers:
            text.set_parse_math(False)
            text.set_usetex(False)
            text.set_text(visible(text.get_text()))


def visible(text: str) -> str:
    r"""Replace characters that cannot be shown (halves of characters, control characters) by escapes such as `\x1b`."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _numbers(figure: Figure) -> set[int]:
    """The identities of the texts with numbers along axes, such as a power of ten on a logarithmic axis."""
    found = set()
    for axis in figure.findobj(Axis):
        found.add(id(axis.get_offset_text()))
        for formatter, ticks in (
            (axis.get_major_formatter(), axis.get_major_ticks()),
            (axis.get_minor_formatter(), axis.get_minor_ticks()),
        ):
            if isinstance(formatter, LogFormatter | ScalarFormatter):
                found |= {id(text) for tick in ticks for text in _labels(tick)}
    return found


def _labels(tick: Tick) -> tuple[Text, Text]:
    return tick.label1, tick.label2
