"""The record of a training: its errors, its learning curve and a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ginjax._interrupt import Interrupt
from ginjax._progress import ProgressBar, show_progress
from ginjax.checkpoint import ModelRecord
from ginjax.errors import ArgumentError, GinjaxWarning
from ginjax.ml import (
    COMPILING,
    KeptRows,
    KeptState,
    OneStepError,
    Placement,
    PreparedTraining,
    Progress,
    Report,
    Saving,
    Trained,
    TrainedModel,
    TrainingRequest,
    curve_figure,
    local_placement,
    make_book,
    prepare_training,
    time_left,
)
from ginjax.workflow._interrupted import TrainingInterrupted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ginjax.ml.draw import Width

_Model = TypeVar("_Model")

Show = Callable[[int, str, str], ProgressBar]
"""`show(total, description, unit)`: makes a progress bar."""


@dataclass(frozen=True)
class Training:
    """The record of a training: its errors and its learning curve.

    **Arguments:**

    - `title`: the architecture and the data.
    - `steps`: number of steps done.
    - `best_step`: number of steps after which the kept weights were reached; equal to `steps` without validation. 0 for a tuning
      in which nothing was better by a tenth than the initial model, which is then kept bit for bit.
    - `loss`: training loss of the last step.
    - `validation`: the lowest validation loss; for a tuning, the lowest error by the criterion `judged`; None without validation.
    - `judged`: the criterion by which a tuning chose its weights, and whether to keep the initial ones; None for a new network.
    - `error`: the one-step error beside that of predicting no change, on the held-out part. Without a held-out part it is that
      of the validation part, or of the frames by which a tuning is judged; None if there is none of these.
    - `error_before`: the same error for the model that the training started from.
    - `said`: a warning for the user; None if there is none.
    - `rows`: rows of the log, see `ginjax.ml.read_log`.
    - `last`: the record of the last weights, if earlier ones were kept.
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
        """Whether a tuning found nothing that is better by a tenth than the initial model, and kept that."""
        return self.judged is not None and self.best_step == 0

    def plot(self, *, width: Width = "two") -> Figure:
        """Draw the learning curve: training and validation loss, and the learning rate.

        **Arguments:**

        - `width`: "one" or "two" journal columns, or a number of millimetres.
        """
        if not self.rows:
            raise ArgumentError("steps of the training", got="none", expected="at least one")
        best = -1 if self.last is None else self.best_step
        return curve_figure(self.title, self.rows, best_step=best, width=width)

    def warn(self, stacklevel: int) -> None:
        """Give `said` as a `GinjaxWarning`, if there is one.

        **Arguments:**

        - `stacklevel`: as in `warnings.warn`, counted from the caller of this method.
        """
        if self.said is not None:
            warnings.warn(self.said, GinjaxWarning, stacklevel=stacklevel + 1)


@dataclass(frozen=True)
class Run(Generic[_Model]):
    """A training in memory, which can be interrupted and resumed.

    **Arguments:**

    - `prepared`: the training.
    - `show`: makes a progress bar, as `show(total, description, unit)`.
    - `model_of`: makes the object that the training returns.
    """

    prepared: PreparedTraining
    show: Show
    model_of: Callable[[TrainedModel, Training], _Model]
    _state: KeptState = field(default_factory=KeptState)
    _rows: KeptRows = field(default_factory=KeptRows)

    def carry_out(self) -> tuple[_Model, Training]:
        """Train, from the beginning or from where the training was interrupted.

        **Returns:** what `model_of` made, and the record of the training.

        **Raises:** `TrainingInterrupted` after Ctrl-C; as `ginjax.ml.train_model`.
        """
        prepared, settings = self.prepared, self.prepared.settings
        book = make_book(settings, [self._rows])
        with (
            self.show(settings.steps or 0, "training", "steps") as bar,
            Interrupt(own_handlers=False) as interrupt,
        ):

            def begin(progress: Progress) -> None:
                bar.begin(progress.step)
                bar.say(prepared.begins_with(progress.step))

            def note(report: Report) -> None:
                book.note(report)
                if report.validation is None:
                    bar.update(report.step, f"loss {report.losses[-1]:.2e}", **time_left(report, settings))
                elif report.step == 0:
                    bar.say(COMPILING)

            trained = prepared.train(
                saving=Saving(self._state, resume=True),
                on_begin=begin,
                on_report=note,
                interrupted=interrupt.asked,
                on_compiled=lambda memory, seconds: bar.say(""),
                on_growth=lambda said: warnings.warn(said, GinjaxWarning, stacklevel=2),
            )
        book.close(trained.progress.step, trained.progress.seconds)
        if trained.reason == "asked":
            raise TrainingInterrupted(
                trained.progress.step, settings.steps, lambda: self._made(trained)[0], self._go_on
            )
        return self._made(trained)

    def _go_on(self, progress: bool) -> _Model:
        model, training = replace(self, show=show_progress if progress else ProgressBar).carry_out()
        training.warn(stacklevel=3)
        return model

    def _made(self, trained: Trained) -> tuple[_Model, Training]:
        prepared, progress = self.prepared, trained.progress
        made = prepared.finish(trained)
        validated = progress.best_step >= 0
        training = Training(
            title=f"{prepared.request.model.spec.architecture} on {prepared.request.material.title}",
            steps=progress.step,
            best_step=progress.best_step if validated else progress.step,
            loss=progress.last_loss,
            validation=progress.best_loss if validated else None,
            error=made.error,
            error_before=prepared.before,
            judged=None if prepared.task.judged is None else str(prepared.task.judged),
            said=prepared.to_hear(trained, made),
            rows=tuple(self._rows.rows),
            last=made.last,
        )
        return self.model_of(made, training), training


def _cores() -> Placement | None:
    """The cores of the processor, if JAX takes them for devices of their own, see `ginjax.cpu_devices`."""
    local = local_placement()
    return local if local.is_processor else None


def carry_out(
    request: TrainingRequest, show: Show, model_of: Callable[[TrainedModel, Training], _Model]
) -> tuple[_Model, Training]:
    """Run a training in memory, on the default device or, if the processor is several devices, on as many as gain by it.

    **Arguments:**

    - `request`: what to train, and on which data.
    - `show`, `model_of`: as in `Run`.

    **Raises:** as `prepare_training` and `Run.carry_out`.
    """
    prepared = prepare_training(request, lambda title: show(1, title, ""), placement=_cores())
    for said in prepared.warnings:
        warnings.warn(said, GinjaxWarning, stacklevel=3)
    return Run(prepared, show, model_of).carry_out()
