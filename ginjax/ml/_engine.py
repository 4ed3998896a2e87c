"""The training loop: dispatches, looks at the losses, validation, saved states, reasons to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import jax
import numpy as np
import optax
from jax import Array

from ginjax.ml._batches import BatchOrder
from ginjax.ml._dispatch import Augment, TrainState, make_dispatch
from ginjax.ml._feed import Loader
from ginjax.ml._finite import check_losses
from ginjax.ml._placement import Placement
from ginjax.ml._plan import MOST_STEPS, Pace, Plan
from ginjax.ml._samples import Samples
from ginjax.ml._step import MapAndLoss

Reason = Literal["steps", "seconds", "patience", "asked"]
"""Why training ended: all steps done, time used up, no more improvement, or on request."""


@dataclass
class Progress:
    """How far a training has come; with the state and the key all that is needed to go on.

    - `step`: steps done.
    - `seconds`: time spent on them.
    - `first_loss`, `last_loss`: of the first and the last of them.
    - `best_step`, `best_loss`: of the lowest validation loss; -1 and infinity before the first.
    - `best_model`: the model then, on the host; None if there was no validation.
    - `misses`: validations since.
    """

    step: int = 0
    seconds: float = 0.0
    first_loss: float = float("nan")
    last_loss: float = float("nan")
    best_step: int = -1
    best_loss: float = float("inf")
    best_model: Any = field(default=None, repr=False)
    misses: int = 0


@dataclass(frozen=True)
class Report:
    """What happened since the last report.

    - `step`: steps done.
    - `losses`: of the steps since then; empty for a report on a validation.
    - `seconds`: time spent on training so far.
    - `validation`: the validation loss, None for a report on steps.
    """

    step: int
    losses: np.ndarray
    seconds: float
    validation: float | None = None


def run(
    state: TrainState,
    samples: Samples,
    *,
    plan: Plan,
    map_and_loss: MapAndLoss,
    optimizer: optax.GradientTransformation,
    key: Array,
    progress: Progress | None = None,
    augment: Augment | None = None,
    placement: Placement | None = None,
    validate: Callable[[Any, Any], float] | None = None,
    save: Callable[[TrainState, Progress], None] | None = None,
    on_report: Callable[[Report], None] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[TrainState, Progress, Reason]:
    """Train by a plan, from the beginning or from where it was left.

    Losses of a dispatch are fetched while the next one runs. The result depends on the number of steps done and
    not on where training was interrupted, saved or looked at.

    **Arguments:**

    - `state`: from `initial_state`, or a saved one; its memory is reused.
    - `samples`: what to train on.
    - `plan`: how long, and in which portions.
    - `map_and_loss`, `optimizer`: as in `make_step`.
    - `key`: random key of the order of the samples and of `augment`.
    - `progress`: how far `state` is; the beginning if None.
    - `augment`: changes the inputs of every step, see `make_dispatch`.
    - `placement`: the devices.
    - `validate`: `(model, aux_data) -> loss`, called every `plan.validate_every` steps and at the end.
    - `save`: called as the plan says and after an interruption; it must copy what it keeps.
    - `on_report`: told about every dispatch and every validation; what it raises ends the training.
    - `interrupted`: asked between dispatches; yes ends the training.

    **Returns:** the state after the last step, how far it is, and why it ended.

    **Raises:** `NumericsError` when a loss is NaN or infinite.
    """
    where = placement or Placement()
    where.check_batch(plan.batch_size, plan.accumulate)
    return _Run(
        plan, samples, map_and_loss, optimizer, key, augment, where, validate, save, on_report
    ).through(where.replicate(state), progress or Progress(), interrupted)


class _Run:
    def __init__(
        self,
        plan: Plan,
        samples: Samples,
        map_and_loss: MapAndLoss,
        optimizer: optax.GradientTransformation,
        key: Array,
        augment: Augment | None,
        placement: Placement,
        validate: Callable[[Any, Any], float] | None,
        save: Callable[[TrainState, Progress], None] | None,
        on_report: Callable[[Report], None] | None,
    ):
        self.plan = plan
        self.placement = placement
        self.validate = validate
        self.save = save
        self.on_report = on_report
        self.order = BatchOrder(key, len(samples), plan.batch_size)
        self.loader = Loader(samples, plan.batch_size, plan.steps_per_dispatch or MOST_STEPS, placement)
        # Processes must send off the same steps, so none of them may follow its own clock.
        fixed = self.loader.steps if placement.processes > 1 else plan.steps_per_dispatch
        self.pace = Pace(fixed, self.loader.steps)
        self.dispatch = make_dispatch(
            map_and_loss,
            optimizer,
            key=key,
            accumulate=plan.accumulate,
            augment=augment,
            placement=placement,
        )
        self.pending: tuple[Array, int] | None = None

    def through(
        self, state: TrainState, progress: Progress, interrupted: Callable[[], bool]
    ) -> tuple[TrainState, Progress, Reason]:
        plan, self.progress = self.plan, progress
        self.clock = self.saved_at = time.monotonic()
        self.reported = step = progress.step
        reason: Reason | None = self._ended(step)
        if reason is not None:
            return state, progress, reason
        spans = list[tuple[int, int]]()
        for feed in self.loader.feeds(self._indices(step, spans)):
            start, stop = spans.pop(0)
            state, losses = self.dispatch(feed, stop - start, state, start)
            self._collect(losses, stop - start)
            step = stop
            reason = self._ended(step)
            if self.placement.agree(interrupted()):
                reason = reason or "asked"
            due = plan.validate_every is not None and step % plan.validate_every == 0
            if self.validate is not None and (due or (reason is not None and reason != "asked")):
                self._look(state, step)
                reason = reason or self._ended(step)
            if reason is not None:
                break
            if self._save_due(step):
                self._write(state, step)
        self._fetch()
        progress.step = step
        if reason == "asked":
            self._write(state, step)
        return state, progress, reason or "steps"

    def _indices(self, step: int, spans: list[tuple[int, int]]) -> Iterator[np.ndarray]:
        """The batches of one dispatch after another; the reader may be one ahead."""
        while self.plan.steps is None or step < self.plan.steps:
            stop = self.plan.next_stop(step, self.pace.count)
            spans.append((step, stop))
            yield self.order.between(step, stop)
            step = stop

    def _ended(self, step: int) -> Reason | None:
        if self.plan.steps is not None and step >= self.plan.steps:
            return "steps"
        if self.plan.seconds is not None and self.placement.agree(self._elapsed() >= self.plan.seconds):
            return "seconds"
        if self.plan.patience is not None and self.progress.misses > self.plan.patience:
            return "patience"
        return None

    def _elapsed(self) -> float:
        return self.progress.seconds + time.monotonic() - self.clock

    def _collect(self, losses: Array, count: int) -> None:
        """Take note of a dispatch and look at the one before it, which has ended or soon will."""
        losses.copy_to_host_async()
        self._fetch()
        self.pending = losses, count

    def _fetch(self) -> None:
        """Wait for the dispatch that was not looked at yet, and look at its losses."""
        if self.pending is None:
            return
        losses, count = self.pending
        self.pending = None
        values = np.asarray(losses, dtype=np.float64)[:count]
        check_losses(values, first_step=self.reported + 1)
        before, self.clock = self.clock, time.monotonic()
        self.progress.seconds += self.clock - before
        self.pace.observe(count, self.clock - before)
        if self.reported == 0:
            self.progress.first_loss = float(values[0])
        self.progress.last_loss = float(values[-1])
        self.reported += count
        if self.on_report is not None:
            self.on_report(Report(self.reported, values, self.progress.seconds))

    def _look(self, state: TrainState, step: int) -> None:
        if self.validate is None:
            return
        self._fetch()
        loss = self.validate(state.model, state.aux_data)
        check_losses(np.asarray([loss]), first_step=step, what="validation loss")
        progress = self.progress
        if loss < progress.best_loss:
            progress.best_step, progress.best_loss, progress.misses = step, loss, 0
            progress.best_model = jax.tree.map(_on_host, state.model)
        elif progress.best_step != step:
            progress.misses += 1
        if self.on_report is not None:
            self.on_report(Report(step, np.empty(0), self._elapsed(), loss))

    def _save_due(self, step: int) -> bool:
        every, seconds = self.plan.save_every, self.plan.save_seconds
        by_step = every is not None and step % every == 0
        by_time = seconds is not None and time.monotonic() - self.saved_at >= seconds
        # Asked by every process, those that write nothing too: all must ask at the same point.
        due = by_step or (seconds is not None and self.placement.agree(by_time))
        return self.save is not None and due

    def _write(self, state: TrainState, step: int) -> None:
        if self.save is None:
            return
        self._fetch()
        self.progress.step = step
        self.save(state, self.progress)
        self.saved_at = time.monotonic()


def _on_host(leaf: Any) -> Any:
    return np.array(leaf) if isinstance(leaf, jax.Array) else leaf
