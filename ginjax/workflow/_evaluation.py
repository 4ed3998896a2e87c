"""The result of an evaluation as numbers, tables, pictures and files."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ginjax._text import json_line, storable, table_lines
from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import atomic_write, check_target, make_folder
from ginjax.errors import ArgumentError
from ginjax.ml import PERSISTENCE, PICTURES, OneStepError, RolloutStudy
from ginjax.ml.draw import PictureFormat, Width, picture_figure, save_picture
from ginjax.ml.forecast import NO_CHANGE
from ginjax.ml.score import QUANTITY_LABELS, metric_label
from ginjax.runs import plus_minus

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL = "model"
"""The name of the evaluated model in a study."""

NUMBERS = "evaluation.json"
"""The file of the numbers in the folder of an evaluation."""

_SCRATCH = "from scratch"
"""The name of the same network trained from random weights."""

_NAMED_FIELDS = 4
"""The most fields that the heading of a picture names."""

_SHOWN_STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The result of comparing rollouts of a model with the truth.

    **Arguments:**

    - `model`: name of the model.
    - `data`: name of the data.
    - `study`: errors step by step, spectra, and the fields of one trajectory; the study calls the model `"model"`.
    - `D`, `grid`: dimension and grid of the data.
    - `note`: what a reader should know about the choice of the data, or None.
    - `called`: name of the model in pictures, tables and the CSV when others are beside it, such as the name of its file.
    - `one_step`: by forecast, the one-step error on every frame of the same trajectories: the number that a training reports
      at its end. In contrast, step 1 of the rollouts only covers the first frames of the trajectories.
    - `remarks`: doubts about the data, such as a time step that the model was not trained with.
    """

    model: str
    data: str
    study: RolloutStudy
    D: int
    grid: tuple[int, ...]
    note: str | None = field(default=None)
    one_step: Mapping[str, OneStepError] = field(default_factory=dict)
    called: str = MODEL
    remarks: tuple[str, ...] = ()

    @property
    def time_step(self) -> float | None:
        """Time between two frames, from the data or, if they do not state it, from the model; None if neither does."""
        return None if self.study.contract is None else self.study.contract.time_step

    @property
    def errors(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """By field and metric (a name in `ginjax.ml.METRICS`), one value for each step."""
        return self.study.errors[MODEL]

    @property
    def errors_of_no_change(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """The same errors for the forecast that nothing changes."""
        return self.study.errors[PERSISTENCE]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings: doubtful data, a rollout that blows up, or a model no better than predicting no change."""
        found = [
            *self.remarks,
            *(
                f"the rollout of {name} blows up: NaN or infinity at step {lost}"
                for name, lost in self.study.lost_at.items()
                if lost is not None
            ),
        ]
        first = [
            curves["nrmse"][0] >= self.errors_of_no_change[name]["nrmse"][0]
            for name, curves in self.errors.items()
        ]
        if all(first):
            found.append("the model does no better than predicting no change at the first step")
        return tuple(found)

    def table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Make a table of the errors of every field at a few steps: column names and rows.

        With several trajectories a cell has the standard deviation over them: `0.156 ± 0.021`. Not finite: None.
        """
        study = self.study
        others = {name: NO_CHANGE if name == PERSISTENCE else name for name in study.errors if name != MODEL}
        # The forecast that nothing changes comes first.
        names = sorted(others, key=lambda name: name != PERSISTENCE)
        steps = sorted({each for each in _SHOWN_STEPS if each < study.steps} | {study.steps})
        rows: list[tuple[object, ...]] = []
        for step in steps:
            for each, curves in self.errors.items():
                mine = [self._shown(MODEL, each, metric, step) for metric in curves]
                beside = [self._shown(name, each, "nrmse", step) for name in names]
                rows.append((step, each, *mine, *beside))
        # Only metrics that were measured: others may have been registered since.
        measured = next(iter(self.errors.values()))
        labels = map(metric_label, measured)
        columns = ("step", "field", *labels, *(f"nRMSE of {others[name]}" for name in names))
        return columns, rows

    def quantities_table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Make a table of physical quantities at the first and last step, of truth and forecasts: column names and rows.

        There are no rows unless one of the fields is a vector.
        """
        study = self.study
        names = [name for name in study.errors if name != PERSISTENCE]
        called = [self.called if name == MODEL else name for name in names]
        rows: list[tuple[object, ...]] = []
        if any("energy" in measured for measured in study.quantities.values()):
            for step in dict.fromkeys((1, study.steps)):
                for each, measured in study.quantities.items():
                    for quantity, curves in measured.items():
                        shown = [
                            _beside(
                                curves[name][step - 1], study.quantity_deviation(each, quantity, name), step
                            )
                            for name in ("truth", *names)
                        ]
                        rows.append((step, each, QUANTITY_LABELS[quantity], *shown))
        return ("step", "field", "quantity", "truth", *called), rows

    def _shown(self, forecast: str, field: str, metric: str, step: int) -> object:
        deviation = self.study.deviation(forecast, field, metric)
        return _beside(self.study.errors[forecast][field][metric][step - 1], deviation, step)

    def one_step_lines(self) -> list[str]:
        """Say the one-step errors in words, one line for each model."""
        return [
            f"one-step error{'' if len(self.one_step) == 1 else f' of {self.called if name == MODEL else name}'}, from every frame (nRMSE): {found} "
            f"({found.frames} frames of {found.trajectories} trajectories)"
            for name, found in self.one_step.items()
        ]

    def to_csv(self) -> str:
        """Write all numbers as a table with one row for each forecast, field, metric or quantity, and step.

        **Returns:** comma-separated values with the columns `forecast`, `field`, `metric`, `step`, `time` (physical; empty if
        the time step is not known), `mean`, `deviation` (standard deviation over the trajectories; empty for a single
        trajectory) and `trajectories`.
        """
        study = self.study.renamed({MODEL: self.called})
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("forecast", "field", "metric", "step", "time", "mean", "deviation", "trajectories"))

        def write(
            forecast: str, field: str, metric: str, values: np.ndarray, spread: np.ndarray | None
        ) -> None:
            for i, value in enumerate(values):
                time = "" if self.time_step is None else f"{(i + 1) * self.time_step:.10g}"
                deviation = "" if spread is None else f"{spread[i]:.10g}"
                table.writerow(
                    (forecast, field, metric, i + 1, time, f"{value:.10g}", deviation, study.trajectories)
                )

        for forecast, fields in study.errors.items():
            for name, curves in fields.items():
                for metric, values in curves.items():
                    write(forecast, name, metric, values, study.deviation(forecast, name, metric))
        for name, measured in study.quantities.items():
            for quantity, by_forecast in measured.items():
                for forecast, values in by_forecast.items():
                    write(
                        forecast, name, quantity, values, study.quantity_deviation(name, quantity, forecast)
                    )
        for forecast, found in self.one_step.items():
            row = (
                self.called if forecast == MODEL else forecast,
                "",
                "one_step_error",
                "",
                "",
                f"{found.model:.10g}",
            )
            spread = "" if found.deviation is None else f"{found.deviation:.10g}"
            table.writerow((*row, spread, found.trajectories))
        return text.getvalue()

    def plot(self, picture: str = "fields", *, width: Width = "two") -> Figure:
        """Draw one of the pictures.

        **Arguments:**

        - `picture`: a name in `ginjax.ml.PICTURES`: "fields" (truth, prediction, difference), "errors" (against time),
          "spectra", or a registered one.
        - `width`: "one" or "two" journal columns, or a number of millimetres.

        **Raises:** `ArgumentError` for another name or width.
        """
        study = self.study.renamed({MODEL: self.called})
        return picture_figure(picture, self._title(picture), study, self.D, width=width)

    def _title(self, picture: str) -> str:
        """The heading of a picture: what is predicted, and by which model."""
        fields = list(self.study.spectra)
        what = ", ".join(fields) if len(fields) <= _NAMED_FIELDS else f"{len(fields)} fields"
        networks = [name for name in self.study.errors if name not in (PERSISTENCE, _SCRATCH)]
        if len(networks) > 1 and picture != "fields":  # it shows only the first; the others have a legend
            return f"{what} predicted by {len(networks)} networks"
        return (
            f"{what} predicted by {self.model if self.called == MODEL else f'{self.called} ({self.model})'}"
        )

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
            "deviations": {
                name: {
                    each: {metric: _listed(study.deviation(name, each, metric)) for metric in metrics}
                    for each, metrics in curves.items()
                }
                for name, curves in study.errors.items()
            },
            "one_step_errors": {name: found.to_json() for name, found in self.one_step.items()},
            "lost_at": dict(study.lost_at),
            "spectra": _plain(study.spectra),
            "spectra_step": study.shown_step,
            "quantities": {name: _plain(curves) for name, curves in study.quantities.items()},
            "quantity_deviations": {
                name: {
                    quantity: {
                        each: _listed(study.quantity_deviation(name, quantity, each)) for each in curves
                    }
                    for quantity, curves in measured.items()
                }
                for name, measured in study.quantities.items()
            },
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
        """Write the numbers (evaluation.json) and every picture to a folder.

        **Arguments:**

        - `folder`: the folder; it is made if it is missing.
        - `about`: further JSON values for evaluation.json, under names that it does not use itself.
        - `format`: format of the pictures, "png", "pdf" or "svg".
        - `width`: as in `plot`.
        - `force`: replace existing files.

        **Returns:** the folder.

        **Raises:** `FileError` for a file that exists, or a folder that cannot be written to.
        """
        folder = Path(folder)
        targets = evaluation_files(folder, format)
        try:
            numbers = json_line(storable({**(about or {}), **self.to_json()})) + "\n"
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
        return "\n".join([head, *table_lines(*self.table()), *self.one_step_lines(), *physical, *notes])


def evaluation_files(folder: Path, format: PictureFormat = "png") -> dict[str, Path]:
    """List the files of an evaluation: `json`, and one for each picture.

    **Raises:** `ArgumentError` for an unknown format, or for a picture of an installed package that cannot be imported.
    """
    known = get_args(PictureFormat)
    if format not in known:
        raise unknown_name("`format`", format, known, expected=" or ".join(map(repr, known)))
    return {"json": folder / NUMBERS} | {name: folder / f"{name}.{format}" for name, _ in PICTURES.items()}


def check_files(folder: Path, format: PictureFormat = "png", *, force: bool) -> None:
    """Refuse a folder that has files which must not be replaced.

    **Raises:** `FileError` naming the first of them.
    """
    if folder.exists():
        for target in evaluation_files(folder, format).values():
            check_target(target, force=force)


def _plain(curves: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, list[float]]]:
    return {each: {name: values.tolist() for name, values in lines.items()} for each, lines in curves.items()}


def _beside(value: float, deviation: np.ndarray | None, step: int) -> object:
    """A number with its deviation at a step, as a table shows it."""
    if deviation is None or not math.isfinite(value):
        return _number(value)
    return plus_minus(float(value), float(deviation[step - 1]))


def _listed(values: np.ndarray | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
