"""Draw energy against wave number."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import DataContract
from ginjax.ml.draw._bands import band_key, draw_band, range_of
from ginjax.ml.draw._canvas import (
    add_legend,
    arranged,
    arranged_rows,
    logarithmic,
    new_figure,
    panel_height,
    set_heading,
    set_labels,
    set_titles,
)
from ginjax.ml.draw._labels import Labels, with_unit
from ginjax.ml.draw._save import save_picture
from ginjax.ml.draw._style import Width, in_style, inches, looks_of
from ginjax.ml.forecast import PERSISTENCE, Spectra, SpectraByTrajectory

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DECADES = 8.0
"""Decades of energy that are shown: lower energies are rounding errors of single precision."""


def draw_spectra(
    path: str | os.PathLike[str],
    title: str,
    spectra: Spectra,
    *,
    by_trajectory: SpectraByTrajectory | None = None,
    contract: DataContract | None = None,
    grid: tuple[int, ...] = (),
    width: Width = "two",
    force: bool = False,
) -> None:
    """Write the picture of `spectra_figure`.

    **Arguments:**

    - `path`: the file to write, see `save_picture`.
    - `title`, `spectra`, `by_trajectory`, `contract`, `grid`, `width`: as in `spectra_figure`.
    - `force`: replace an existing file.
    """
    figure = spectra_figure(
        title, spectra, by_trajectory=by_trajectory, contract=contract, grid=grid, width=width
    )
    save_picture(path, figure, force=force)


def spectra_figure(
    title: str,
    spectra: Spectra,
    *,
    by_trajectory: SpectraByTrajectory | None = None,
    contract: DataContract | None = None,
    grid: tuple[int, ...] = (),
    width: Width = "two",
) -> Figure:
    """Draw energy against wave number, one panel for each field, with the spread over trajectories as bands.

    The mean (wave number 0) is left out, and so are the corners of the grid, beyond its shortest waves along an axis. The energy
    axis has at most eight decades, up to at most 1000 times the strongest wave of the truth. Axes that are not periodic were
    analysed in cosines, see `energy_spectrum`, and the heading says so.

    **Arguments:**

    - `title`: title of the whole picture; none if empty.
    - `spectra`: by field, then by name of the forecast: the energy in each shell.
    - `by_trajectory`: the same for each trajectory.
    - `contract`: what is known about the data: units and spacing.
    - `grid`: grid points along each axis; without it, waves are counted along the longest axis.
    - `width`: "one" or "two" journal columns, or a number of millimetres.

    **Returns:** the figure.
    """
    labels = Labels.of(contract, 1 if contract is None else contract.D)
    rows = arranged_rows(inches(width), len(spectra))
    with in_style():
        figure = new_figure(width, rows * panel_height(inches(width), len(spectra)) + 0.1)
        cosines = f"cosine transform along {', '.join(labels.walled)}" if labels.walled else ""
        set_heading(figure, ", ".join(each for each in (title, cosines) if each))
        (axes,) = arranged(figure, 1, len(spectra))
        set_titles(figure, axes, spectra)
        handles: dict[str, Artist] = {}
        count = 0
        for axis, (field, lines) in zip(axes, spectra.items(), strict=True):
            each = (by_trajectory or {}).get(field, {})
            count = max([count, *map(len, each.values())])
            handles |= _draw_panel(axis, labels, lines, each, grid)
            set_labels(axis, _wave_label(labels, grid), labels.energy(field))
        if count > 1:
            handles |= band_key(count)
        add_legend(figure, handles)
    return figure


def _draw_panel(
    axis: Axes,
    labels: Labels,
    lines: Mapping[str, Float[np.ndarray, " shells"]],
    each: Mapping[str, Float[np.ndarray, "trajectories shells"]],
    grid: tuple[int, ...],
) -> dict[str, Artist]:
    """Draw the curves of one panel; return them by name."""
    shells = max(len(energy) for energy in lines.values())
    last = min(shells, max(grid) // 2 + 1) if grid else shells
    factor = _wave_number(labels, grid)
    waves = factor * np.arange(1, max(last, 2))
    handles: dict[str, Artist] = {}
    edges: list[Float[np.ndarray, " points"]] = []
    # No change has the spectrum of the last given frame, and says nothing about a forecast.
    for name, (colour, line) in looks_of(each for each in lines if each != PERSISTENCE).items():
        energy = lines[name][1:last]
        rows = each[name][:, 1:last] if name in each else None
        edges += draw_band(axis, waves[: len(energy)], rows, colour)
        shown = np.isfinite(energy) & (energy > 0)
        (handles[name],) = axis.plot(
            waves[: len(energy)][shown], energy[shown], linestyle=line, color=colour,
            lw=1.8 if name == "truth" else 1.1, alpha=0.6 if name == "truth" else 1.0,
        )  # fmt: skip
    truth = lines.get("truth", next(iter(lines.values())))[1:last]
    strongest = float(np.nanmax(np.where(np.isfinite(truth), truth, 0.0), initial=0.0))
    kept = [energy[1:last] for name, energy in lines.items() if name != PERSISTENCE]
    logarithmic(axis.yaxis, *range_of([*kept, *edges], most=1e3 * strongest or np.inf, decades=_DECADES))
    logarithmic(axis.xaxis, waves[0] / 1.1, waves[-1] * 1.1)
    return handles


def _wave_number(labels: Labels, grid: tuple[int, ...]) -> float:
    """The wave number of one wave along the longest axis; 1 if lengths are not known."""
    if not grid or labels.contract.spacing is None:
        return 1.0
    return 2 * np.pi / (max(grid) * labels.contract.spacing)


def _wave_label(labels: Labels, grid: tuple[int, ...]) -> str:
    if not grid or labels.contract.spacing is None:
        return "waves along the longest axis"
    return with_unit("wave number 2π/λ", f"1/{labels.length_unit}" if labels.length_unit else "")
