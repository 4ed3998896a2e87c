"""The record of a training: its errors, its learning curve, and what must not be missed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ginjax._progress import Progress as Shown
from ginjax.checkpoint import ModelRecord
from ginjax.errors import ArgumentError, GinjaxWarning
from ginjax.ml import (
    KeptRows,
    OneStepError,
    Progress,
    Report,
    TrainedModel,
    TrainingRequest,
    curve_figure,
    make_book,
    prepare_training,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ginjax.ml.draw import Width


@dataclass(frozen=True)
class Training:
    """The record of a training: its errors and its learning curve.

    **Arguments:**

    - `title`: what was trained on what.
    - `steps`: steps done; `best_step`: after how many of them the model was kept, the last ones where nothing was
      validated on; 0 for a tuning that found nothing better than the model it began with, which is kept bit for bit.
    - `loss`: of the last step; `validation`: the lowest validation loss, of a tuning the lowest error by which it is
      `judged`; None without validation.
    - `judged`: by what a tuning chose its weights, and with it whether to keep those it began with; None for a new network.
    - `error`: of the next frame beside predicting no change, on the held-out part, or without one on the part for
      validation, by which the model was chosen; None without either.
    - `error_before`: the same of the model that was gone on from.
    - `said`: what must not be missed; None if there is nothing.
    - `rows`: of the log, see `ginjax.ml.read_log`.
    - `last`: the record of the last network where an earlier one was kept.
    """

    title: str
    steps: int
    best_step: int
    loss: float
    validation: float | None
    error: OneStepError | None
    error_before: OneStepError | None
    judged: str | None
    said: str | None
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)
    last: ModelRecord | None = field(default=None, repr=False)

    @property
    def kept_start(self) -> bool:
        """Whether a tuning found nothing better than the model it began with."""
        return self.judged is not None and self.best_step == 0

    def plot(self, *, width: Width = "two") -> Figure:
        """The learning curve: training and validation loss, and the learning rate.

        **Arguments:**

        - `width`: "one" or "two" columns of a journal, or millimetres.
        """
        if not self.rows:
            raise ArgumentError("steps of the training", got="none", expected="at least one")
        best = -1 if self.last is None else self.best_step
        return curve_figure(self.title, self.rows, best_step=best, width=width)

    def warn(self, stacklevel: int) -> None:
        """Say what must not be missed, as a `GinjaxWarning`.

        **Arguments:**

        - `stacklevel`: of `warnings.warn`, counted from the caller of this.
        """
        if self.said is not None:
            warnings.warn(self.said, GinjaxWarning, stacklevel=stacklevel + 1)


def carry_out(request: TrainingRequest, show: Callable[[int, str], Shown]) -> tuple[TrainedModel, Training]:
    """Run a training in memory.

    **Arguments:**

    - `request`: what is to be trained on what.
    - `show`: shows progress, as `show(total, description)`.

    **Raises:** as `prepare_training` and `ginjax.ml.train_model`.
    """
    prepared = prepare_training(request, lambda title: show(1, title))
    if prepared.overlap is not None:
        warnings.warn(prepared.overlap, GinjaxWarning, stacklevel=3)
    if prepared.ends is not None:
        warnings.warn(prepared.ends, GinjaxWarning, stacklevel=3)
    settings = prepared.settings
    kept = KeptRows()
    book = make_book(settings, [kept])
    total = settings.steps or int(settings.seconds or 0)
    with show(total, "training") as bar:

        def note(report: Report) -> None:
            book.note(report)
            if report.validation is None:
                done = report.step if settings.steps else min(int(report.seconds), total)
                bar.update(done, f"loss {report.losses[-1]:.2e}")

        trained = prepared.train(on_report=note)
    progress: Progress = trained.progress
    book.close(progress.step, progress.seconds)
    made = prepared.finish(trained)
    validated = progress.best_step >= 0
    training = Training(
        title=f"{request.model.spec.architecture} on {request.material.title}",
        steps=progress.step,
        best_step=progress.best_step if validated else progress.step,
        loss=progress.last_loss,
        validation=progress.best_loss if validated else None,
        error=made.error,
        error_before=prepared.before,
        judged=None if prepared.task.judged is None else str(prepared.task.judged),
        said=prepared.to_hear(trained, made),
        rows=tuple(kept.rows),
        last=made.last,
    )
    return made, training
