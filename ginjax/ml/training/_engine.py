"""The training loop: dispatches, losses, looks at the model, saved states, reasons to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import jax
import numpy as np
import optax
from jax import Array
from jaxtyping import Float, Int, PRNGKeyArray, PyTree

from ginjax.errors import ArgumentError
from ginjax.ml.task import Samples
from ginjax.ml.training._clock import Clock
from ginjax.ml.training._devices import Placement
from ginjax.ml.training._dispatch import Augment, Dispatch, TrainState, make_dispatch, on_host
from ginjax.ml.training._feed import Feed, Loader
from ginjax.ml.training._finite import check_losses
from ginjax.ml.training._order import BatchOrder, MakeOrder, Order, training_keys
from ginjax.ml.training._plan import MOST_STEPS, START_MARGIN, Pace, Plan
from ginjax.ml.training._progress import Progress, Report
from ginjax.ml.training._step_memory import StepMemory
from ginjax.ml.training._update import MapAndLoss

Reason = Literal["steps", "seconds", "patience", "stopped", "asked"]
"""Why training ended: all steps done, time used up, no more improvement, `on_look` returned True, or an interruption."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Hooks:
    """Callbacks of a training.

    A look at the model takes place every `plan.validate_every` steps or `plan.validate_seconds`, at the end of a training that
    was not interrupted, and, with `plan.validate_start`, before the first step.

    **Arguments:**

    - `validate`: `(model, aux_data) -> loss`, called at every look.
    - `on_look`: `(state, report) -> bool`, called at every look after `validate`; True ends the training. It chooses
      the model, instead of `plan.patience` and `Progress.best_model`. It must copy what it keeps of the state, because the
      next step reuses the memory.
    - `save`: `(state, progress)`, called as the plan says and after an interruption; it must copy what it keeps.
    - `on_report`: called after every dispatch and every validation; an exception in it ends the training.
    - `interrupted`: called between dispatches; True ends the training.
    - `on_compiled`: called before the first step with the memory of a step and the seconds of its compilation; an exception in
      it ends the training.
    """

    validate: Callable[[PyTree, PyTree], float] | None = None
    on_look: Callable[[TrainState, Report], bool] | None = None
    save: Callable[[TrainState, Progress], None] | None = None
    on_report: Callable[[Report], None] | None = None
    interrupted: Callable[[], bool] = _never
    on_compiled: Callable[[StepMemory, float], None] | None = None


def run(
    state: TrainState,
    samples: Samples,
    *,
    plan: Plan,
    map_and_loss: MapAndLoss,
    optimizer: optax.GradientTransformation,
    key: PRNGKeyArray,
    order: MakeOrder = BatchOrder,
    progress: Progress | None = None,
    augment: Augment | None = None,
    placement: Placement | None = None,
    hooks: Hooks | None = None,
) -> tuple[TrainState, Progress, Reason]:
    """Train by a plan, from the beginning or from a saved state.

    Losses of a dispatch are fetched while the next one runs. The result depends on the number of steps done, and
    not on where training was interrupted, saved or validated.

    **Arguments:**

    - `state`: from `initial_state`, or a saved one; its memory is reused.
    - `samples`: the samples to train on.
    - `plan`: how long to train, and when to validate and save.
    - `map_and_loss`, `optimizer`: as in `make_step`.
    - `key`: random key, split once: one half is for the order of the samples, the other for `augment`.
    - `order`: makes the order of the samples.
    - `progress`: the progress of `state`; the beginning if None.
    - `augment`: changes the inputs of every step, see `make_dispatch`.
    - `placement`: the devices.
    - `hooks`: the callbacks.

    **Returns:** the state after the last step, its progress, and why the training ended.

    **Raises:** `ArgumentError` for a batch that cannot be divided or a training without an end, `NumericsError` if a
    loss is NaN or infinite.
    """
    hooks, where = hooks or Hooks(), placement or Placement()
    if plan.steps is None and plan.seconds is None and hooks.on_look is None:
        raise ArgumentError(
            "plan", got="neither steps nor seconds", expected="a number of steps or of seconds"
        )
    where.check_batch(plan.batch_size, plan.accumulate)
    order_key, step_key = training_keys(key)
    dispatch = make_dispatch(
        map_and_loss,
        optimizer,
        key=step_key,
        accumulate=plan.accumulate,
        augment=augment,
        placement=where,
    )
    ordered = order(order_key, len(samples), plan.batch_size)
    loader = Loader(samples, plan.batch_size, plan.steps_per_dispatch or MOST_STEPS, where)
    going = _Run(plan, ordered, loader, dispatch, where, hooks, progress or Progress())
    return going.through(where.replicate(state))


class _Run:
    """A training in progress.

    **Arguments:**

    - `plan`, `hooks`: as in `run`; `progress`: the progress so far, which is kept up to date.
    - `order`, `loader`, `dispatch`, `placement`: choose the samples, read them, compute the steps, and name the devices.
    """

    def __init__(
        self,
        plan: Plan,
        order: Order,
        loader: Loader,
        dispatch: Dispatch,
        placement: Placement,
        hooks: Hooks,
        progress: Progress,
    ):
        self.plan = plan
        self.order = order
        self.loader = loader
        self.dispatch = dispatch
        self.placement = placement
        self.hooks = hooks
        self.progress = progress
        # All processes must run the same steps, so none of them may follow its own clock.
        fixed = loader.steps if placement.processes > 1 else plan.steps_per_dispatch
        self.pace = Pace(fixed, loader.steps)
        self.clock = Clock(progress.seconds)
        self.reported = progress.step
        self.pending: tuple[Float[Array, " steps"], int] | None = None
        self.compiled = hooks.on_compiled is None
        self.first_fetched = False

    def through(self, state: TrainState) -> tuple[TrainState, Progress, Reason]:
        plan, progress = self.plan, self.progress
        step = progress.step
        reason: Reason | None = self._ended(step)
        if reason is not None:
            return state, progress, reason
        if plan.validate_start and step == 0 and self._look(state, step) is not None:
            return state, progress, "stopped"
        spans = list[tuple[int, int]]()
        for feed in self.loader.feeds(self._indices(step, spans)):
            start, stop = spans.pop(0)
            self._compile(feed, state)
            state, losses = self.dispatch(feed, stop - start, state, start)
            self._collect(losses, stop - start)
            step = stop
            reason = self._ended(step)
            if self.placement.agree(self.hooks.interrupted()):
                reason = reason or "asked"
            if self._look_due(step) or (reason is not None and reason != "asked"):
                told = self._look(state, step)
                reason = reason or self._ended(step) or told
            if reason is not None:
                break
            if self._save_due(step):
                self._write(state, step)
        self._fetch()
        progress.step = step
        if reason == "asked" or plan.save_end:
            self._write(state, step)
        return state, progress, reason or "steps"

    def _indices(self, step: int, spans: list[tuple[int, int]]) -> Iterator[Int[np.ndarray, "steps batch"]]:
        """Yield the batches of one dispatch after another; the reader may be one ahead."""
        while self.plan.steps is None or step < self.plan.steps:
            stop = self.plan.next_stop(step, self.pace.count)
            spans.append((step, stop))
            yield self.order.between(step, stop)
            step = stop

    def _ended(self, step: int) -> Reason | None:
        if self.plan.steps is not None and step >= self.plan.steps:
            return "steps"
        if self.plan.seconds is not None and self.placement.agree(self.clock.elapsed() >= self.plan.seconds):
            return "seconds"
        if self.plan.patience is not None and self.progress.misses > self.plan.patience:
            return "patience"
        return None

    def _compile(self, feed: Feed, state: TrainState) -> None:
        """Compile the steps before the first of them, and report their memory."""
        if self.compiled or self.hooks.on_compiled is None:
            return
        begun = time.monotonic()
        memory = self.dispatch.compile(feed, state)
        seconds = time.monotonic() - begun
        self.compiled = True
        self.hooks.on_compiled(memory, seconds)
        self.clock.begin_steps()

    def _collect(self, losses: Float[Array, " steps"], count: int) -> None:
        """Record a dispatch, and look at the previous one, which has ended or soon will."""
        losses.copy_to_host_async()
        self._fetch()
        self.pending = losses, count
        if not self.first_fetched:
            # Wait for the first one, so that the time of the following steps starts when they do.
            self.first_fetched = True
            self._fetch()

    def _fetch(self) -> None:
        """Wait for the dispatch that was not looked at yet, and read its losses."""
        if self.pending is None:
            return
        losses, count = self.pending
        self.pending = None
        values = np.asarray(losses, dtype=np.float64)[:count]
        check_losses(values, first_step=self.reported + 1)
        self.pace.observe(count, self.clock.mark())
        self.progress.seconds = self.clock.seconds
        if self.reported == 0:
            self.progress.first_loss = float(values[0])
        self.progress.last_loss = float(values[-1])
        self.reported += count
        report = Report(self.reported, values, self.clock.seconds, step_seconds=self.clock.on_steps)
        self._tell(report)

    def _look(self, state: TrainState, step: int) -> Reason | None:
        """Validate, and let the hook or the validation loss choose a model; return a reason to stop, or None."""
        hooks = self.hooks
        if hooks.validate is None and hooks.on_look is None:
            return None
        self._fetch()
        with self.clock.looking():
            loss = None if hooks.validate is None else hooks.validate(state.model, state.aux_data)
            report = Report(step, np.empty(0), self.clock.elapsed(), loss, self.clock.on_steps)
            if loss is not None:
                check_losses(np.asarray([loss]), first_step=step, what="validation loss")
                if hooks.on_look is None:
                    self._choose(state, step, loss)
                self._tell(report)
            stopped = hooks.on_look is not None and self.placement.agree(hooks.on_look(state, report))
        return "stopped" if stopped else None

    def _look_due(self, step: int) -> bool:
        every, seconds = self.plan.validate_every, self.plan.validate_seconds
        if every is not None and step % every == 0:
            return True
        return seconds is not None and self.placement.agree(self.clock.since_look() >= seconds)

    def _choose(self, state: TrainState, step: int, loss: float) -> None:
        """Keep the model with the lowest validation loss; the initial model is only replaced if better by a tenth."""
        progress = self.progress
        progress.looks += step > 0
        if loss < progress.lowest_loss:
            progress.lowest_loss, progress.misses = loss, 0
        elif progress.best_step != step:
            progress.misses += 1
        # Only a look before the first step has the number 0.
        needed = progress.best_loss * (START_MARGIN if progress.best_step == 0 else 1)
        if loss < needed:
            progress.best_step, progress.best_loss = step, loss
            progress.best_model = jax.tree.map(on_host, state.model)

    def _tell(self, report: Report) -> None:
        if self.hooks.on_report is not None:
            self.hooks.on_report(report)

    def _save_due(self, step: int) -> bool:
        every, seconds = self.plan.save_every, self.plan.save_seconds
        by_step = every is not None and step % every == 0
        by_time = seconds is not None and self.clock.since_saved() >= seconds
        # All processes must ask at the same point, even those that write nothing.
        due = by_step or (seconds is not None and self.placement.agree(by_time))
        return self.hooks.save is not None and due

    def _write(self, state: TrainState, step: int) -> None:
        if self.hooks.save is None:
            return
        self._fetch()
        self.progress.step = step
        with self.clock.saving():
            self.hooks.save(state, self.progress)
