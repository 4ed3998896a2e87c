"""The picture of energy against wave number."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ginjax.ml.draw._canvas import (
    add_legend,
    looks_of,
    new_figure,
    panels,
    plain_logarithm,
    save_png,
    set_heading,
    set_labels,
    set_titles,
)
from ginjax.ml.forecast import PERSISTENCE, Spectra

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def draw_spectra(
    path: str | os.PathLike[str],
    title: str,
    spectra: Spectra,
    *,
    force: bool = False,
) -> None:
    """Write the picture of `spectra_figure`.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`, `spectra`: as in `spectra_figure`.
    - `force`: replace a file that is there.
    """
    save_png(path, spectra_figure(title, spectra), force=force)


def spectra_figure(title: str, spectra: Spectra) -> Figure:
    """Draw energy against wave number, one panel for each field; the mean (wave number 0) is left out.

    **Arguments:**

    - `title`: of the whole picture.
    - `spectra`: by field, then by name of the forecast, the energy in each shell.

    **Returns:** the figure.
    """
    figure = new_figure((4.2 * len(spectra) + 0.6, 3.2))
    set_heading(figure, title)
    (axes,) = panels(figure, 1, len(spectra))
    set_titles(figure, axes, spectra)
    handles: dict[str, Artist] = {}
    for axis, lines in zip(axes, spectra.values(), strict=True):
        # That nothing changes has the spectrum of the beginning, and says nothing about a forecast.
        for name, (colour, line) in looks_of(each for each in lines if each != PERSISTENCE).items():
            energy = lines[name][1:]
            waves = np.arange(1, len(energy) + 1)
            shown = np.isfinite(energy) & (energy > 0)
            (handles[name],) = axis.loglog(
                waves[shown], energy[shown], line, color=colour, lw=1.3, marker="."
            )
        plain_logarithm(axis.xaxis)
        set_labels(axis, "waves along the domain", "energy")
        axis.grid(alpha=0.3, which="both")
    add_legend(figure, handles)
    return figure
