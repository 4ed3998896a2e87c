"""Prepare a training, and run it; commands and notebooks both use this."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from ginjax.data import PLANES_ARE_FOR, told_planes
from ginjax.ml.task import OneStepError, Parts, WindowTask, cut_parts
from ginjax.ml.training._devices import LEAST_STEPS, Placement, fitting_placement
from ginjax.ml.training._estimate import Measuring, TrainingEstimate
from ginjax.ml.training._growing_loss import watching_growth
from ginjax.ml.training._progress import Progress, Report
from ginjax.ml.training._request import TrainingRequest
from ginjax.ml.training._result import (
    TrainedModel,
    finish_training,
    kept_start_in_words,
    run_identity,
    what_to_hear,
)
from ginjax.ml.training._saving import Saving
from ginjax.ml.training._settings import TrainSettings
from ginjax.ml.training._step_memory import StepMemory
from ginjax.ml.training._train_model import Trained, train_model
from ginjax.models import count_params

COMPILING = "compiling the first step"
JUDGING = "rolling out the model as it is"
"""Shown at the beginning of a training, as long as nothing is counted yet."""


class Watcher(Protocol):
    """An object that receives the progress of some work."""

    def follow(self, done: int, total: int) -> None:
        """Take note that `done` of `total` parts of the work are done."""
        ...


Watch = Callable[[str], AbstractContextManager[Watcher]]
"""`with watch("what is being done") as watcher:` surrounds some work."""


@dataclass(frozen=True)
class PreparedTraining:
    """A training that is ready to run; build it with `prepare_training`.

    **Arguments:**

    - `request`: what was asked for.
    - `task`: the samples.
    - `settings`: the settings, with a number for everything that follows from the data.
    - `placement`: the devices.
    """

    request: TrainingRequest
    task: WindowTask
    settings: TrainSettings
    placement: Placement

    @cached_property
    def before(self) -> OneStepError | None:
        """The one-step error of the initial model, see `WindowTask.error`; None for a new network, or if nothing is
        held out.
        """
        return None if self.request.start is None else self.task.error(self.request.model)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the user before the training runs."""
        asked = self.request.settings.batch_size is not None
        return _said(
            self._only_planes,
            self._overlap,
            self._ends,
            self._never_varied,
            self._cut_batch if asked else None,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on what follows from the data: that the default batch size is reduced to the number of samples."""
        asked = self.request.settings.batch_size is not None
        return _said(None if asked else self._cut_batch)

    @property
    def _cut_batch(self) -> str | None:
        """A remark if the batch is reduced to the number of samples; None otherwise."""
        wanted = self.request.settings.wanted_batch(self.request.material.contract.D)
        got = self.settings.batch_size
        return (
            None if got == wanted else f"the batch has {got} samples in place of {wanted}: there are no more"
        )

    @property
    def _only_planes(self) -> str | None:
        """A warning if a network with random weights is to be trained on planes alone; None otherwise."""
        request = self.request
        tuned = request.start is not None and request.start.trained
        return None if tuned or told_planes(request.material.contract.origin) is None else PLANES_ARE_FOR

    @property
    def _overlap(self) -> str | None:
        """A warning if trajectories of the training part are also in other parts; None otherwise."""
        parts = self.task.parts
        seen = set(parts["train"].each)
        both = {name: len(seen & set(part.each)) for name, part in parts.items() if name != "train"}
        shared = [f"{count} of those of '{name}'" for name, count in both.items() if count]
        return (
            f"trajectories of the training part are also in other parts: {', '.join(shared)}"
            if shared
            else None
        )

    @property
    def _ends(self) -> str | None:
        """A warning that says how a tuning is judged if no trajectory could be held out; None otherwise."""
        judged = self.task.judged
        if judged is None or not judged.at_ends:
            return None
        return (
            f"no trajectory is held out: the tuning is judged by {judged}. "
            "Rollouts from other fields became worse for most networks measured so: use two trajectories or more"
        )

    @property
    def _never_varied(self) -> str | None:
        """A warning if a condition has the same value in all data to train on; None otherwise."""
        before = set() if self.request.start is None else self.request.start.record.contract.told
        same = [each for each in self.task.conditions if each.low == each.high and each.name not in before]
        if not same:
            return None
        said = ", ".join(each.in_words for each in same)
        return f"the same in all data to train on: {said}. What another number would do cannot be learned from them"

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the history of the model will say about the data."""
        return self.request.material.about(self.task)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The identity of this training, which a saved state must match, see `run_identity`."""
        start, spec = self.request.start, self.request.model.spec.to_json()
        return run_identity(self.task, self.about, self.settings.to_json(), start, spec)

    def train(
        self,
        *,
        saving: Saving | None = None,
        on_begin: Callable[[Progress], None] = lambda progress: None,
        on_report: Callable[[Report], None] | None = None,
        interrupted: Callable[[], bool] = lambda: False,
        on_compiled: Callable[[StepMemory, float], None] = lambda memory, seconds: None,
        on_growth: Callable[[str], None] = lambda said: None,
    ) -> Trained:
        """Run the training; arguments and errors as in `train_model`.

        **Arguments:**

        - `on_growth`: called once, with a message, if the training loss grows.
        """
        start = self.request.start
        return train_model(
            self.request.model,
            self.task,
            self.settings,
            free=None if start is None else start.free,
            unbound=None if start is None else start.unbound,
            placement=self.placement,
            saving=saving,
            on_begin=on_begin,
            on_report=watching_growth(self.settings, on_report, on_growth),
            interrupted=interrupted,
            on_compiled=on_compiled,
        )

    def begins_with(self, step: int) -> str:
        """Say what happens before the first step of a run that has reached `step`.

        A tuning first judges the initial model. The report on that, which has no steps, says when it is done.
        """
        return JUDGING if step == 0 and self.task.judged is not None else COMPILING

    def measuring(self) -> Measuring:
        """Make an object that estimates this training from its first reports."""
        return Measuring(
            count_params(self.request.model), len(self.task.training), self.settings, self.placement
        )

    def rehearse(self) -> TrainingEstimate:
        """Run the first steps for about a second, discard them, and estimate what the training will take.

        **Raises:** as `train_model`.
        """
        measuring, start = self.measuring(), self.request.start
        train_model(
            self.request.model,
            replace(self.task, valid=None, judged=None),
            replace(self.settings, patience=None),
            free=None if start is None else start.free,
            unbound=None if start is None else start.unbound,
            placement=self.placement,
            on_report=measuring.note,
            interrupted=measuring.is_enough,
            on_compiled=measuring.compiled,
        )
        return measuring.estimate()

    def finish(self, trained: Trained) -> TrainedModel:
        """Measure the result of the training, and put together the content of its file."""
        return finish_training(trained, self.task, self.about, self.request.start, self.request.adapted)

    def to_hear(self, trained: Trained, made: TrainedModel) -> str | None:
        """Write a warning about the result for the user; None if there is nothing to warn about."""
        start, kept = self.request.start, trained.kept_start
        said = what_to_hear(made.error, self.before, residual=self.request.residual, kept_start=kept)
        heard = [kept_start_in_words(trained, self.task.judged)] if kept else []
        if start is not None and start.trained and trained.progress.best_step < 0:
            what = "the model" if made.error is None else "its rollouts"
            heard.append(
                f"nothing was validated on: whether the tuning made {what} better or worse is not known"
            )
        return "; ".join([*heard, *([said] if said else [])]) or None


def _said(*remarks: str | None) -> tuple[str, ...]:
    return tuple(each for each in remarks if each is not None)


def _chosen_by_none(parts: Parts) -> Parts:
    """Drop the part to validate on; if there is no part to test on, test on the dropped part."""
    found = {name: chosen for name, chosen in parts.items() if name != "valid"}
    return {"test": parts["valid"], **found} if "valid" in parts else found


def prepare_training(
    request: TrainingRequest, watch: Watch, *, placement: Placement | None = None, fit: bool = True
) -> PreparedTraining:
    """Read or simulate the data, cut them into samples, and complete the settings.

    **Arguments:**

    - `request`: from `request_training`.
    - `watch`: called around the simulations and the measurement of the fields.
    - `placement`: the devices; the default device if None.
    - `fit`: whether fewer devices may be used if the batch cannot be divided over all of them.

    **Raises:** as `cut_parts`; `ArgumentError` for a batch that cannot be divided over the devices.
    """
    material, start = request.material, request.start
    tuning = start is not None and start.trained
    with watch(f"simulating {material.title}") as watcher:
        parts = material.parts(watcher.follow)
    if tuning and not material.judge:
        parts = _chosen_by_none(parts)
    with watch("measuring the fields") as watcher:
        task = cut_parts(
            parts,
            past_steps=request.past_steps,
            residual=request.residual,
            unroll=request.settings.unroll,
            normalisation=None if start is None else start.normalisation,
            judge=tuning and material.judge,
            progress=watcher.follow,
        )
    task = replace(task, crop=request.crop)
    settings = request.settings.resolved(material.contract.D, len(task.training), tuning=tuning)
    batch, where = settings.batch_size or 1, placement or Placement()
    if fit:
        if where.is_processor and settings.steps is not None and settings.steps < LEAST_STEPS:
            where = Placement()
        where = fitting_placement(where, batch, settings.accumulate, task.points)
    where.check_batch(batch, settings.accumulate)
    return PreparedTraining(request, task, settings, where)
