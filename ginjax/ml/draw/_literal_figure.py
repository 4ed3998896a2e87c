"""A figure in which names are shown as they are. Imports matplotlib, so import it where it is used."""

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
"""Pixels an inch under the cell of a notebook."""


class LiteralFigure(Figure):
    """A figure that never parses a text as mathematics, except the numbers along axes.

    Layout measures texts while the figure is drawn, so whoever draws or saves it, and however, passes through here.
    """

    _settled = False

    def _repr_png_(self) -> bytes:
        """The picture under the cell of a notebook, which shows figures of pyplot only."""
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=_SCREEN)
        return stream.getvalue()

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure in its own style, with everything in its place."""
        with self.in_its_style():
            self.settle()
            super().draw(renderer)

    @contextmanager
    def in_its_style(self) -> Iterator[None]:
        """For as long as it is measured or drawn; a box stands for a letter that the font lacks, which needs no warning."""
        with warnings.catch_warnings(), in_style():
            warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
            show_literally(self)
            yield

    def settle(self) -> None:
        """Lay out once: the first layout of images below titles of unequal height is too large, the second settles it."""
        layout = self.get_layout_engine()
        if layout is not None and self.axes and not self._settled:
            layout.execute(self)
            self._settled = True


@contextmanager
def laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out, and leave it so: matplotlib would draw all of it once more before it writes a file."""
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
    """Let every text of a figure be drawn letter by letter; tick labels that matplotlib wrote are left to it."""
    numbers = _numbers(figure)
    for text in figure.findobj(Text):
        if id(text) not in numbers:
            text.set_parse_math(False)
            text.set_usetex(False)
            text.set_text(visible(text.get_text()))


def visible(text: str) -> str:
    r"""A text with everything that has no picture (half characters of file names, control characters) as `\x1b`."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _numbers(figure: Figure) -> set[int]:
    """The identities of the texts that hold numbers along axes, such as a power of ten on a logarithmic one."""
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
