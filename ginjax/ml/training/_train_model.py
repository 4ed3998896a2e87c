"""Train a network on a task; `ginjax train`, `ginjax.train` and `Model.tune` use this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool, Float, PyTree

from ginjax.ml.score import LOSSES
from ginjax.ml.task import WindowTask
from ginjax.ml.training._cropped import smaller_crops, with_crop
from ginjax.ml.training._devices import Placement
from ginjax.ml.training._dispatch import TrainState, initial_state, make_dispatch
from ginjax.ml.training._engine import Hooks, Reason, run
from ginjax.ml.training._feed import Loader
from ginjax.ml.training._free_only import only_free
from ginjax.ml.training._freeze import frozen_names, keep_frozen
from ginjax.ml.training._judge import judge
from ginjax.ml.training._objective import Noise, Objective
from ginjax.ml.training._optimiser import make_optimiser
from ginjax.ml.training._order import BatchOrder, CropOrder, training_key
from ginjax.ml.training._plan import MOST_STEPS, Plan
from ginjax.ml.training._progress import Progress, Report
from ginjax.ml.training._saving import Saving
from ginjax.ml.training._settings import TrainSettings
from ginjax.ml.training._step_memory import StepMemory
from ginjax.ml.training._validation import validator
from ginjax.ml.training._what_fits import ways_that_fit

_OnCompiled = Callable[[StepMemory, float], None]


@dataclass(frozen=True)
class Trained:
    """The result of a training.

    **Arguments:**

    - `model`: the best model if there was validation, otherwise the last. After a tuning this may be the initial model, bit
      for bit.
    - `last`: the last model if another one was best, otherwise None.
    - `progress`: the progress at the end.
    - `reason`: why the training ended.
    - `settings`: what was asked for, with a number for everything that follows from the data.
    - `changes`: changes of the settings since the training began: the number of steps before the change (`after`), and by
      name the old and the new value.
    """

    model: PyTree
    last: PyTree
    progress: Progress
    reason: Reason
    settings: TrainSettings
    changes: tuple[Mapping[str, object], ...] = ()

    @property
    def kept_start(self) -> bool:
        """Whether a tuning kept its initial weights, because no validation found weights better by a tenth."""
        return self.progress.best_step == 0

    def provenance(self) -> dict[str, Any]:
        """What a model file says about the training: settings and their changes, loss, seed, steps done, and the best step."""
        progress = self.progress
        found = self.settings.to_json() | {"loss": self.settings.loss, "steps_done": progress.step}
        if self.changes:
            found["changes"] = [dict(each) for each in self.changes]
        if progress.best_step < 0:
            return found
        return found | {"best_step": progress.best_step, "best_loss": progress.best_loss}


def train_model(
    model: PyTree,
    task: WindowTask,
    settings: TrainSettings | None = None,
    *,
    free: Mapping[str, Float[np.ndarray, "_filters _free"]] | None = None,
    unbound: Mapping[str, Bool[np.ndarray, " _rows"]] | None = None,
    placement: Placement | None = None,
    stop_after: int | None = None,
    saving: Saving | None = None,
    on_begin: Callable[[Progress], None] = lambda progress: None,
    on_report: Callable[[Report], None] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    on_compiled: Callable[[StepMemory, float], None] = lambda memory, seconds: None,
) -> Trained:
    """Train a network on a task.

    **Arguments:**

    - `model`: the initial model; it stays usable.
    - `task`: the samples, whose targets have `settings.unroll` frames. With `task.judged`, this is a tuning: its rollouts
      choose the weights instead of the loss on `task.valid`, and the weights of `model` are the first candidate.
    - `settings`: settings of the training; all defaults if None.
    - `free`, `unbound`: train only these directions and these values, see `only_free`.
    - `placement`: the devices; the default device if None.
    - `stop_after`: end after so many steps instead of after `settings.seconds`, while the learning rate falls over
      `settings.steps`. This repeats a training that ran out of time.
    - `saving`: how to save the state, from which the training can resume.
    - `on_begin`: called before the first step with the progress of the saved state.
    - `on_report`: called after every dispatch and every validation; an exception in it ends the training.
    - `interrupted`: called between dispatches; True saves the state and ends the training.
    - `on_compiled`: called before the first step with the memory of a step and the time that it took to compile.

    **Returns:** the trained network and how it came about. The same arguments give the same bytes on the same machine with
    the same number of devices, however often the training was interrupted and resumed.

    **Raises:** `NumericsError` if a loss is NaN or infinite, `ArgumentError` for settings that do not fit, `FileError`
    for a saved state that does not belong to this training, `MemoryLimitError` for a step that needs more memory than there
    is.
    """
    where = placement or Placement()
    tuning = task.judged is not None
    task = with_crop(model, task, settings or TrainSettings())
    settings = (settings or TrainSettings()).resolved(model.D, len(task.training), tuning=tuning)
    optimiser = _optimiser(model, settings, free, unbound)
    objective = _objective(task, settings)
    batch = settings.batch_size or 1
    validate = None if task.validation is None else validator(task.validation, objective, batch)
    if task.judged is not None:
        validate = judge(task.judged, task.frames, task.crop)
    if validate is not None:
        validate = where.on_one_device(validate)
    ends = [each for each in (settings.steps, stop_after) if each is not None]
    plan = Plan(
        steps=min(ends, default=None),
        seconds=settings.seconds if stop_after is None else None,
        batch_size=batch,
        accumulate=settings.accumulate,
        validate_every=None if validate is None else settings.looks_every(tuning=tuning),
        validate_seconds=None if validate is None else settings.looks_seconds(tuning=tuning),
        validate_start=tuning,
        patience=settings.patience,
        save_every=None if saving is None else saving.every_steps,
        save_seconds=None if saving is None else saving.every_seconds,
        save_end=saving is not None and saving.keep,
    )

    def go(told: _OnCompiled) -> tuple[TrainState, Progress, Reason]:
        state, progress = initial_state(model, optimiser), Progress()
        if saving is not None and saving.resume and saving.file.exists():
            state, progress = saving.file.load(state)
        elif saving is not None and not saving.resume and where.is_main:
            saving.file.remove()
        on_begin(progress)
        return run(
            state,
            task.training,
            plan=plan,
            map_and_loss=objective,
            optimizer=optimiser,
            key=training_key(settings.seed),
            order=BatchOrder if task.crop is None else CropOrder,
            progress=progress,
            augment=_noise(task, settings),
            placement=where,
            hooks=Hooks(
                validate=validate,
                save=saving.file.save if saving is not None and where.is_main else None,
                on_report=on_report,
                interrupted=interrupted,
                on_compiled=told,
            ),
        )

    found = _unless_too_large(go, on_compiled)
    if isinstance(found, StepMemory):
        share = (found.free or 0) / max(found.working or 1, 1)
        ways = ways_that_fit(
            lambda changed: measure_step(model, task, changed, free=free, unbound=unbound, placement=where),
            settings,
            found,
            shares=where.shares,
            crops=smaller_crops(model, task, settings, share),
        )
        raise found.refusal(ways)
    state, progress, reason = found
    changes = () if saving is None else saving.file.changes
    last = jax.tree.map(_from_devices, state.model)
    if progress.best_model is None:
        return Trained(last, None, progress, reason, settings, changes)
    best = model if progress.best_step == 0 else jax.tree.map(_from_devices, progress.best_model)
    other = last if progress.best_step != progress.step else None
    return Trained(best, other, progress, reason, settings, changes)


class _TooLarge(Exception):
    """Raised before the first step to end a training whose step needs more memory than there is."""

    def __init__(self, memory: StepMemory):
        super().__init__()
        self.memory = memory


def _unless_too_large(
    go: Callable[[_OnCompiled], tuple[TrainState, Progress, Reason]], on_compiled: _OnCompiled
) -> tuple[TrainState, Progress, Reason] | StepMemory:
    """Run a training; if its step does not fit into memory, return the memory that the step needs.

    When this returns, the arrays of the refused training are released, so that other ways to compute the step can be
    compiled in their place.

    **Arguments:**

    - `go`: runs the training; its argument must be called with the memory of a step.
    - `on_compiled`: called with the memory of a step that fits.
    """

    def take(memory: StepMemory, seconds: float) -> None:
        if not memory.fits:
            raise _TooLarge(memory)
        on_compiled(memory, seconds)

    try:
        return go(take)
    except _TooLarge as error:
        return error.memory


def measure_step(
    model: PyTree,
    task: WindowTask,
    settings: TrainSettings | None = None,
    *,
    free: Mapping[str, Float[np.ndarray, "_filters _free"]] | None = None,
    unbound: Mapping[str, Bool[np.ndarray, " _rows"]] | None = None,
    placement: Placement | None = None,
) -> StepMemory:
    """Measure the memory of a training step, which is compiled but not run.

    **Arguments:** as for `train_model`.

    **Raises:** `ArgumentError` for settings that do not fit.
    """
    where = placement or Placement()
    task = with_crop(model, task, settings or TrainSettings())
    settings = (settings or TrainSettings()).resolved(
        model.D, len(task.training), tuning=task.judged is not None
    )
    batch, optimiser = settings.batch_size or 1, _optimiser(model, settings, free, unbound)
    where.check_batch(batch, settings.accumulate)
    dispatch = make_dispatch(
        _objective(task, settings),
        optimiser,
        key=training_key(settings.seed),
        accumulate=settings.accumulate,
        augment=_noise(task, settings),
        placement=where,
    )
    loader = Loader(task.training, batch, MOST_STEPS, where)
    (feed,) = loader.feeds([np.zeros((1, batch), int)])
    return dispatch.compile(feed, where.replicate(initial_state(model, optimiser)))


def _objective(task: WindowTask, settings: TrainSettings) -> Objective:
    return Objective(
        loss=LOSSES.find(settings.loss),
        unroll=settings.unroll,
        frames=task.frames,
        remat=settings.remat,
        precision=settings.precision,
    )


def _noise(task: WindowTask, settings: TrainSettings) -> Noise | None:
    return Noise(settings.noise, task.frames.constants) if settings.noise else None


def _optimiser(
    model: PyTree,
    settings: TrainSettings,
    free: Mapping[str, Float[np.ndarray, "_filters _free"]] | None,
    unbound: Mapping[str, Bool[np.ndarray, " _rows"]] | None,
) -> optax.GradientTransformation:
    parts = [
        make_optimiser(
            settings.optimiser,
            settings.make_schedule(),
            weight_decay=settings.weight_decay,
            clip=settings.clip or None,
        )
    ]
    if free is not None:
        parts.append(only_free(free, unbound))
    if settings.freeze:
        parts.append(keep_frozen(frozen_names(model, settings.freeze)))
    return parts[0] if len(parts) == 1 else optax.chain(*parts)


def _from_devices(leaf: object) -> object:
    """Copy an array to the default device, whatever devices or processes it was spread over."""
    return jnp.asarray(np.asarray(leaf)) if isinstance(leaf, jax.Array | np.ndarray) else leaf
