"""What an evaluation found, as numbers, a table, pictures and files."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ginjax._text import json_line, table_lines
from ginjax.checkpoint import atomic_write, check_target, make_folder
from ginjax.errors import ArgumentError
from ginjax.ml import PERSISTENCE, PICTURES, RolloutStudy
from ginjax.ml.draw import PictureFormat, Width, picture_figure, save_picture
from ginjax.ml.forecast import NO_CHANGE
from ginjax.ml.score import QUANTITY_LABELS, metric_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL = "model"
"""What the model that is evaluated is called in a study."""

NUMBERS = "evaluation.json"
"""The file of the numbers in the folder of an evaluation."""

_SHOWN_STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Rollouts of a model beside the truth.

    **Arguments:**

    - `model`: what the model is called.
    - `data`: what the data are called.
    - `study`: the errors step by step, spectra, and fields of one trajectory; the model is called `"model"` in it.
    - `D`, `grid`, `time_step`: of the data.
    - `note`: what there is to know about the choice of the data, or None.
    """

    model: str
    data: str
    study: RolloutStudy
    D: int
    grid: tuple[int, ...]
    time_step: float | None = None
    note: str | None = field(default=None)

    @property
    def errors(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """By field and metric (a name in `ginjax.ml.METRICS`), one value for each step."""
        return self.study.errors[MODEL]

    @property
    def errors_of_no_change(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """The same for the forecast that nothing changes."""
        return self.study.errors[PERSISTENCE]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings: a rollout that blows up, or a model no better than predicting no change."""
        found = [
            f"the rollout of {name} blows up: NaN or infinity at step {lost}"
            for name, lost in self.study.lost_at.items()
            if lost is not None
        ]
        first = [
            curves["nrmse"][0] >= self.errors_of_no_change[name]["nrmse"][0]
            for name, curves in self.errors.items()
        ]
        if all(first):
            found.append("the model does no better than predicting no change at the first step")
        return tuple(found)

    def table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Names of columns, and rows: the errors of every field at a few steps; None where a number is not finite."""
        study = self.study
        others = {name: NO_CHANGE if name == PERSISTENCE else name for name in study.errors if name != MODEL}
        # The forecast that nothing changes first.
        names = sorted(others, key=lambda name: name != PERSISTENCE)
        steps = sorted({each for each in _SHOWN_STEPS if each < study.steps} | {study.steps})
        rows: list[tuple[object, ...]] = []
        for step in steps:
            for each, curves in self.errors.items():
                mine = [_number(values[step - 1]) for values in curves.values()]
                beside = [_number(study.errors[name][each]["nrmse"][step - 1]) for name in names]
                rows.append((step, each, *mine, *beside))
        # Those that were measured: others may have been registered since.
        measured = next(iter(self.errors.values()))
        labels = map(metric_label, measured)
        columns = ("step", "field", *labels, *(f"nRMSE of {others[name]}" for name in names))
        return columns, rows

    def quantities_table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Names of columns, and rows: physical quantities of truth and forecasts at the first and the last step.

        There are no rows unless a field is a vector.
        """
        study = self.study
        names = [name for name in study.errors if name != PERSISTENCE]
        rows: list[tuple[object, ...]] = []
        if any("energy" in measured for measured in study.quantities.values()):
            for step in dict.fromkeys((1, study.steps)):
                for each, measured in study.quantities.items():
                    for quantity, curves in measured.items():
                        shown = [_number(curves[name][step - 1]) for name in ("truth", *names)]
                        rows.append((step, each, QUANTITY_LABELS[quantity], *shown))
        return ("step", "field", "quantity", "truth", *names), rows

    def plot(self, picture: str = "fields", *, width: Width = "two") -> Figure:
        """Draw one of the pictures.

        **Arguments:**

        - `picture`: a name in `ginjax.ml.PICTURES`: "fields" (truth, prediction, difference), "errors" (against time),
          "spectra", or one that was registered.
        - `width`: "one" or "two" columns of a journal, or millimetres.

        **Raises:** `ArgumentError` for another name or width.
        """
        return picture_figure(picture, f"{self.model}: {self.data}", self.study, self.D, width=width)

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        study = self.study
        return {
            "data": self.data,
            "dimension": self.D,
            "grid": list(self.grid),
            "time_step": self.time_step,
            "steps": study.steps,
            "trajectories": study.trajectories,
            "errors": {name: _plain(curves) for name, curves in study.errors.items()},
            "lost_at": dict(study.lost_at),
            "spectra": _plain(study.spectra),
            "spectra_step": study.shown_step,
            "quantities": {name: _plain(curves) for name, curves in study.quantities.items()},
        }

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        about: Mapping[str, Any] | None = None,
        format: PictureFormat = "png",
        width: Width = "two",
        force: bool = False,
    ) -> Path:
        """Write the numbers (evaluation.json) and every picture.

        **Arguments:**

        - `folder`: where; made if it is missing.
        - `about`: further JSON values for the file of the numbers, under names that it does not have itself.
        - `format`: of the pictures, "png", "pdf" or "svg".
        - `width`: as in `plot`.
        - `force`: replace files that are there.

        **Returns:** the folder.

        **Raises:** `FileError` for a file that is there, or a folder that cannot be written to.
        """
        folder = Path(folder)
        targets = evaluation_files(folder, format)
        try:
            numbers = json_line({**(about or {}), **self.to_json()}) + "\n"
        except TypeError as error:
            raise ArgumentError("about", got=str(error), expected="JSON values") from None
        check_files(folder, format, force=force)
        make_folder(folder)
        atomic_write(targets["json"], numbers.encode(), force=force)
        for picture in PICTURES:
            save_picture(targets[picture], self.plot(picture, width=width), force=force)
        return folder

    def __repr__(self) -> str:
        notes = [
            *(f"warning: {each}" for each in self.warnings),
            *([f"note: {self.note}"] if self.note else []),
        ]
        head = f"{self.model} on {self.data}: {self.study.trajectories} trajectories"
        columns, rows = self.quantities_table()
        physical = table_lines(columns, rows) if rows else []
        return "\n".join([head, *table_lines(*self.table()), *physical, *notes])


def evaluation_files(folder: Path, format: PictureFormat = "png") -> dict[str, Path]:
    """The files of an evaluation: `json`, and one for each picture.

    **Raises:** `ArgumentError` for another format, or a picture of an installed package that cannot be imported.
    """
    if format not in get_args(PictureFormat):
        raise ArgumentError(
            "`format`", got=repr(format)[:40], expected=" or ".join(map(repr, get_args(PictureFormat)))
        )
    return {"json": folder / NUMBERS} | {name: folder / f"{name}.{format}" for name, _ in PICTURES.items()}


def check_files(folder: Path, format: PictureFormat = "png", *, force: bool) -> None:
    """Refuse a folder with files that must not be replaced.

    **Raises:** `FileError` naming the first of them.
    """
    if folder.exists():
        for target in evaluation_files(folder, format).values():
            check_target(target, force=force)


def _plain(curves: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, list[float]]]:
    return {each: {name: values.tolist() for name, values in lines.items()} for each, lines in curves.items()}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
