"""Pictures of numbers: error against time, energy against wavelength."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping

import numpy as np

from ginjax.ml._figures import new_figure, save_png
from ginjax.ml._metrics import METRICS
from ginjax.ml._rollout_study import PERSISTENCE, RolloutStudy

_STYLES = {
    "truth": ("0.1", "-"),
    "model": ("C0", "-"),
    PERSISTENCE: ("0.55", "--"),
    "from scratch": ("C1", "-"),
}


def draw_errors(
    path: str | os.PathLike[str], title: str, study: RolloutStudy, *, force: bool = False
) -> None:
    """Draw every metric against the step of the roll-out, one row for each field.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`: of the whole picture.
    - `study`: what was found.
    - `force`: replace a file that is there.
    """
    fields = list(study.spectra)
    figure = new_figure((10.5, 2.6 * len(fields) + 0.5))
    figure.suptitle(title, fontsize=11)
    steps = np.arange(1, study.steps + 1)
    axes = figure.subplots(len(fields), len(METRICS), squeeze=False, sharex=True)
    for row, field in zip(axes, fields, strict=True):
        for axis, (metric, label) in zip(row, METRICS.items(), strict=True):
            for name, curves in study.errors.items():
                values = curves[field][metric]
                shown = np.isfinite(values) & (values > 0)
                colour, line = _STYLES.get(name, (None, "-"))
                axis.plot(
                    steps[shown], values[shown], line, color=colour, label=name, lw=1.3, marker="o", ms=2.5
                )
                lost = study.lost_at[name]
                if lost is not None:
                    axis.axvline(lost, color=colour, lw=0.8, ls=":", label=f"{name} blows up")
            axis.set_yscale("log")
            axis.set_title(f"{field}: {label}", fontsize=9)
            axis.tick_params(labelsize=7, which="both")
            axis.grid(alpha=0.3, which="both")
    for axis in axes[-1]:
        axis.set_xlabel("step", fontsize=8)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0][0].legend(fontsize=7)
    save_png(path, figure, force=force)


def draw_spectra(
    path: str | os.PathLike[str],
    title: str,
    spectra: Mapping[str, Mapping[str, np.ndarray]],
    *,
    force: bool = False,
) -> None:
    """Draw energy against wave number, one panel for each field; the mean (wave number 0) is left out.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`: of the whole picture.
    - `spectra`: by field, then by name of the forecast, the energy in each shell.
    - `force`: replace a file that is there.
    """
    width = 4.2 * len(spectra) + 0.6
    figure = new_figure((width, 3.4))
    # About eleven letters of this size fit on an inch.
    figure.suptitle("\n".join(textwrap.wrap(title, round(11 * width))), fontsize=11)
    axes = figure.subplots(1, len(spectra), squeeze=False)[0]
    for axis, (field, lines) in zip(axes, spectra.items(), strict=True):
        for name, energy in lines.items():
            if name == PERSISTENCE:
                continue
            waves = np.arange(1, len(energy))
            shown = np.isfinite(energy[1:]) & (energy[1:] > 0)
            colour, line = _STYLES.get(name, (None, "-"))
            axis.loglog(waves[shown], energy[1:][shown], line, color=colour, label=name, lw=1.3, marker=".")
        axis.set_title(field, fontsize=9)
        axis.set_xlabel("waves along the domain", fontsize=8)
        axis.set_ylabel("energy", fontsize=8)
        axis.tick_params(labelsize=7, which="both")
        axis.grid(alpha=0.3, which="both")
        axis.legend(fontsize=7)
    save_png(path, figure, force=force)
