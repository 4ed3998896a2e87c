"""Draw a forecast as an animation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import DataContract, atomic_write
from ginjax.ml.draw._canvas import add_legend, new_figure, panels, set_heading, set_titles
from ginjax.ml.draw._colours import ABOVE, BELOW, Scale
from ginjax.ml.draw._field_panel import (
    CURVE_LOOKS,
    add_colour_bar,
    curve_scale,
    draw_curves,
    draw_plane,
    longest_arrow,
    remarks,
    shade,
)
from ginjax.ml.draw._labels import Labels
from ginjax.ml.draw._style import HEADING, Width, in_style, inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

FRAMES_PER_SECOND = 8

SCREEN_DPI = 130
"""Pixels per inch of an animation: 936 pixels for a width of two columns."""

Series = Mapping[str, Float[np.ndarray, "_frames *_field"]]
"""By field, its values `(frames, *spatial, D, ..., D)`."""


def draw_animation(
    path: str | os.PathLike[str],
    title: str,
    series: Series,
    D: int,
    *,
    given: int = 1,
    truth: Series | None = None,
    contract: DataContract | None = None,
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write a GIF of a forecast, beside the truth if there is one; colours and axes are the same in all frames.

    **Arguments:**

    - `path`: the file to write.
    - `title`: title of every frame; the time is added to it.
    - `series`: by field, arrays `(frames, *spatial, D, ..., D)`; drawn as in `draw_forecast`.
    - `D`: number of spatial axes.
    - `given`: number of frames at the beginning that were given, not predicted.
    - `truth`: the true series, from the same frame on; it may be shorter.
    - `contract`, `width`: as in `draw_forecast`.
    - `force`: replace an existing file.
    """
    movie = _Movie(title, series, D, given, truth, contract, width)
    images = []
    for frame in range(movie.frames):
        movie.show(frame)
        images.append(_pixels(movie.figure))
    images = _in_shared_colours(images, movie.scales.values())
    atomic_write(
        path,
        lambda stream: images[0].save(
            stream,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=1000 // FRAMES_PER_SECOND,
            loop=0,
            optimize=False,
        ),
        force=force,
    )


def animation_figure(
    title: str,
    series: Series,
    D: int,
    frame: int,
    *,
    given: int = 1,
    truth: Series | None = None,
    contract: DataContract | None = None,
    width: Width = "two",
) -> Figure:
    """Draw one frame of an animation.

    **Arguments:**

    - `title`, `series`, `D`, `given`, `truth`, `contract`, `width`: as in `draw_animation`.
    - `frame`: number of the frame, from 0.

    **Returns:** the figure.
    """
    movie = _Movie(title, series, D, given, truth, contract, width)
    movie.show(frame)
    return movie.figure


class _Movie:
    """A figure whose panels are drawn anew for every frame, while scales, colour bars and layout stay."""

    def __init__(
        self,
        title: str,
        series: Series,
        D: int,
        given: int,
        truth: Series | None,
        contract: DataContract | None,
        width: Width,
    ):
        self.title, self.D, self.given = title, D, given
        self.labels = Labels.of(contract, D)
        self.series = {name: np.asarray(values, np.float64) for name, values in series.items()}
        self.truth = {name: np.asarray(truth[name], np.float64) for name in series if truth and name in truth}
        self.frames = len(next(iter(self.series.values())))
        self.scales = {name: self._scale(name) for name in series}
        with in_style():
            self._lay_out(width)

    def _scale(self, name: str) -> Scale:
        """The scale of the truth if there is one, otherwise of the series."""
        shown = self.truth.get(name, self.series[name])
        if self.D == 1:
            return curve_scale(shown, self.series[name])
        lengths = self.D > 1 and shown.ndim - 1 > self.D
        return Scale.of([shade(frame, self.D) for frame in shown], lengths=lengths)

    def _lay_out(self, width: Width) -> None:
        curves = self.D == 1
        columns = 1 if curves else 1 + bool(self.truth)
        side = min((inches(width) - 0.5) / columns - 0.1, 3.4)
        nx, ny = (*shade(next(iter(self.series.values()))[0], self.D).shape, 1)[:2]
        height = min(1.9, 0.45 * side) if curves else side * min(ny / nx, 2.0) + 0.8
        self.figure = new_figure(width, len(self.series) * height + 0.2)
        self.figure.set_dpi(SCREEN_DPI)
        set_heading(self.figure, self._heading(self.frames - 1))
        if curves:
            axes = panels(self.figure, len(self.series), 1, sharex=True)
        else:
            axes = self.figure.subplots(len(self.series), columns, squeeze=False)
        self.axes: dict[str, list[Axes]] = dict(zip(self.series, map(list, axes), strict=True))
        for name, row in self.axes.items():
            if curves:
                continue
            order = self.series[name].ndim - 1 - self.D
            shown = [shade(frame, self.D) for frame in self.series[name]]
            add_colour_bar(self.figure, row, self.scales[name], self.labels.field(name, order), shown)
        self.show(0)  # frame 0 has the truth, if any frame has
        if curves:
            names = dict(zip(self._names, self.axes[next(iter(self.axes))][0].lines, strict=False))
            add_legend(self.figure, names if len(names) > 1 else {})
        self.figure.draw_without_rendering()
        layout = self.figure.get_layout_engine()
        if layout is not None:
            layout.execute(self.figure)  # bars and titles move the panels, and panels the bars
        self.figure.set_layout_engine("none")  # nothing moves from now on

    @property
    def _names(self) -> tuple[str, ...]:
        return ("truth", "prediction") if self.truth else ("prediction",)

    def show(self, frame: int) -> None:
        """Draw one frame."""
        with in_style():
            shown = self.figure.get_suptitle()
            if shown:
                self.figure.suptitle(self._heading(frame), fontsize=HEADING)
            for name, row in self.axes.items():
                for axis in row:
                    axis.clear()
                truth = self.truth.get(name)
                known = truth[frame] if truth is not None and frame < len(truth) else None
                draw = self._draw_curves if self.D == 1 else self._draw_planes
                draw(row, name, known, self.series[name][frame])

    def _heading(self, frame: int) -> str:
        step = frame - self.given + 1
        what = "given" if step <= 0 else "predicted"
        place = self.labels.slice_shown(next(iter(self.series.values())).shape[1 : 1 + self.D])
        return ", ".join(each for each in (self.title, self.labels.time(step), place, what) if each)

    def _draw_curves(self, row: list[Axes], name: str, truth: np.ndarray | None, guess: np.ndarray) -> None:
        curves = {"prediction": guess} if truth is None else {"truth": truth, "prediction": guess}
        draw_curves(row[0], curves, self.labels, self.scales[name])
        row[0].set_ylabel(self.labels.field(name, 0))
        row[0].grid(True)
        if name != list(self.series)[-1]:
            row[0].set_xlabel("")

    def _draw_planes(self, row: list[Axes], name: str, truth: np.ndarray | None, guess: np.ndarray) -> None:
        scale, D = self.scales[name], self.D
        longest = longest_arrow(self.truth.get(name, self.series[name]), D)
        if self.truth:
            if truth is None:
                row[0].set_axis_off()
                row[0].text(0.5, 0.5, "no truth", ha="center", va="center", transform=row[0].transAxes)
            else:
                draw_plane(row[0], truth, self.labels, scale, longest)
        draw_plane(row[-1], guess, self.labels, scale, longest)
        if len(row) > 1:
            row[-1].set_ylabel("")
            row[-1].tick_params(labelleft=False)
        titles = [f"prediction{remarks(guess, D, scale)}"]
        set_titles(self.figure, row, ["truth", *titles] if self.truth else titles, grows=False)


def _pixels(figure: Figure) -> Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _in_shared_colours(images: list[Image], scales: Iterable[Scale]) -> list[Image]:
    """Convert all frames to one palette with the shown colour maps, so that nothing flickers and no colours merge."""
    from matplotlib.colors import to_rgb
    from PIL import Image

    named = (ABOVE, BELOW, *(colour for colour, _, _ in CURVE_LOOKS.values()))
    colours = [to_rgb(each) for each in named] + [(grey, grey, grey) for grey in np.linspace(0.0, 1.0, 24)]
    maps = list({scale.signed: scale.colours for scale in scales}.values())
    for each in maps:
        colours += [each(x)[:3] for x in np.linspace(0.0, 1.0, (256 - len(named) - 24) // len(maps))]
    palette = Image.new("P", (1, 1))
    palette.putpalette([round(255 * part) for colour in colours[:256] for part in colour])
    return [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in images]
