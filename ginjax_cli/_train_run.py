"""One training run: the engine, its saved states, its logs and its progress."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ._interrupt import Interrupt
from ._output import Output
from ._train_files import TrainFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ginjax.ml import Placement, Progress, Report, WindowTask

VALIDATIONS = 20
"""How often a run looks at its validation loss unless told otherwise."""

LOG_ROWS = 200
"""About how many rows a log gets."""

LEAST_POINTS = 10
"""A learning curve of fewer points is not worth a picture."""


@dataclass(frozen=True)
class Training:
    """Everything about a run that is not the network or the data.

    - `steps`, `seconds`: where it ends; None for no limit.
    - `schedule`: None for the one that suits the end.
    - `clip`: 0 for no limit.
    - `validate_every`: None for `VALIDATIONS` times.

    The others are as the options of the command.
    """

    steps: int | None
    seconds: float | None
    batch_size: int
    learning_rate: float
    optimiser: Any
    schedule: Any
    warmup: float
    weight_decay: float
    clip: float
    noise: float
    unroll: int
    patience: int | None
    validate_every: int | None
    freeze: tuple[str, ...]
    accumulate: int
    remat: bool
    precision: Any
    seed: int

    def settings(self) -> dict[str, Any]:
        """What a model file says about it: every value but the silent ones."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value is not None and value is not False and value != ()
        }


@dataclass(frozen=True)
class Trained:
    """The result of a run.

    - `model`: the best one if there was validation, else the last.
    - `last`: the last model if another one was best, else None.
    - `progress`: how far it came.
    """

    model: Any
    last: Any
    progress: "Progress"


def steps_of(
    steps: int | None,
    epochs: float | None,
    seconds: float | None,
    default: int,
    samples: int,
    batch_size: int,
) -> int | None:
    """The number of steps that the options ask for; None if only time ends the run."""
    if steps is not None:
        return steps
    if epochs is not None:
        return math.ceil(epochs * samples / batch_size)
    return default if seconds is None else None


def run_training(
    out: Output,
    files: TrainFiles,
    model: Any,
    task: "WindowTask",
    training: Training,
    settings: "Mapping[str, Any]",
    *,
    free: "Mapping[str, np.ndarray] | None",
    placement: "Placement",
    saving: tuple[int | None, float | None],
    programs: tuple[str, ...],
    resume: bool,
    on_interrupt: Callable[[int], None],
) -> Trained:
    """Train, and keep the files of the run in order.

    **Arguments:**

    - `model`, `task`, `training`: what to train, on what, and how.
    - `settings`: what the state of this run belongs to.
    - `free`: train only in these directions, see `ginjax.ml.only_free`.
    - `placement`: the devices.
    - `saving`: steps or seconds between two saved states.
    - `programs`: further loggers.
    - `resume`: go on from a state if there is one.
    - `on_interrupt`: told the step at which the run was interrupted, once its state is saved.
    """
    import jax
    import optax

    from ginjax.ml import (
        Noise,
        Objective,
        Plan,
        Progress,
        frozen_names,
        initial_state,
        keep_frozen,
        make_optimiser,
        make_schedule,
        only_free,
        run,
        validator,
    )

    schedule = make_schedule(
        training.schedule or ("constant" if training.steps is None else "cosine"),
        training.steps,
        learning_rate=training.learning_rate,
        warmup=training.warmup,
    )
    parts = [
        make_optimiser(
            training.optimiser, schedule, weight_decay=training.weight_decay, clip=training.clip or None
        )
    ]
    if free is not None:
        parts.append(only_free(free))
    if training.freeze:
        parts.append(keep_frozen(frozen_names(model, training.freeze)))
    optimiser = parts[0] if len(parts) == 1 else optax.chain(*parts)
    objective = Objective(
        unroll=training.unroll, frames=task.frames, remat=training.remat, precision=training.precision
    )
    validate = None if task.valid is None else validator(task.valid, objective, training.batch_size)
    every = training.validate_every or max(1, (training.steps or 2000) // VALIDATIONS)
    plan = Plan(
        steps=training.steps,
        seconds=training.seconds,
        batch_size=training.batch_size,
        accumulate=training.accumulate,
        validate_every=None if validate is None else every,
        patience=training.patience,
        save_every=saving[0],
        save_seconds=saving[1],
    )
    state, progress = initial_state(model, optimiser), Progress()
    run_file = files.run_file(settings)
    if resume and run_file.exists():
        state, progress = run_file.load(state)
        out.note(f"going on after step {progress.step}" + (f" of {plan.steps}" if plan.steps else ""))
    elif resume:
        out.note("no interrupted run to go on with: beginning at step 0")
    elif placement.is_main:
        run_file.remove()
    noise = Noise(training.noise, task.frames.constants) if training.noise else None
    total = plan.steps or int(plan.seconds or 0)
    with (
        _Books(
            files, schedule, plan.steps, progress.step if resume else None, programs, settings, placement
        ) as books,
        out.progress(total, "training") as bar,
        Interrupt() as interrupt,
    ):
        bar.begin(progress.step if plan.steps else int(progress.seconds))

        def note(report: "Report") -> None:
            books.note(report)
            if report.validation is None:
                done = report.step if plan.steps else min(int(report.seconds), total)
                bar.update(done, f"loss {report.losses[-1]:.2e}")

        state, progress, reason = run(
            state,
            task.train,
            plan=plan,
            map_and_loss=objective,
            optimizer=optimiser,
            key=jax.random.key(training.seed),
            progress=progress,
            augment=noise,
            placement=placement,
            validate=validate,
            save=run_file.save if placement.is_main else None,
            on_report=note,
            interrupted=interrupt.asked,
        )
    if reason == "asked":
        on_interrupt(progress.step)
        raise KeyboardInterrupt
    if reason == "patience":
        out.note(f"no better for {progress.misses} validations: stopped after step {progress.step}")
    last = jax.tree.map(_from_devices, state.model)
    if progress.best_model is None:
        return Trained(last, None, progress)
    best = jax.tree.map(_from_devices, progress.best_model)
    return Trained(best, last if progress.best_step != progress.step else None, progress)


class _Books:
    """The logs of a run, kept by the main process alone."""

    def __init__(
        self,
        files: TrainFiles,
        schedule: Callable[[int], Any],
        steps: int | None,
        after: int | None,
        programs: tuple[str, ...],
        settings: "Mapping[str, Any]",
        placement: "Placement",
    ):
        from ginjax.ml import JsonLines, LogBook, make_logger

        self._book: LogBook | None = None
        self._step, self._seconds = after or 0, 0.0
        if placement.is_main:
            loggers = [make_logger(program, files.stem, settings) for program in programs]
            every = 10 if steps is None else max(1, steps // LOG_ROWS)
            self._book = LogBook([JsonLines(files.log, after), *loggers], schedule, every)

    def note(self, report: "Report") -> None:
        self._step, self._seconds = report.step, report.seconds
        if self._book is not None:
            self._book.note(report)

    def __enter__(self) -> "_Books":
        return self

    def __exit__(self, *_: object) -> None:
        if self._book is not None:
            self._book.close(self._step, self._seconds)


def _from_devices(leaf: Any) -> Any:
    """An array of the default device, whatever devices or processes it was spread over."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    return jnp.asarray(np.asarray(leaf)) if isinstance(leaf, jax.Array | np.ndarray) else leaf
