"""The baseline of a tuned model: the same network, trained on the same data from random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from ginjax.checkpoint import ModelRecord
from ginjax.errors import ArgumentError
from ginjax.ml._dispatch import initial_state
from ginjax.ml._engine import Report, run
from ginjax.ml._objective import Noise, Objective
from ginjax.ml._optimiser import make_optimiser, make_schedule
from ginjax.ml._plan import Plan
from ginjax.ml._window_task import WindowTask
from ginjax.models import ModelSpec, build_model


def last_training(record: ModelRecord) -> Mapping[str, Any]:
    """The settings of the newest training in the provenance of a model.

    **Raises:** `ArgumentError` if it was never trained, or not by a number of steps.
    """
    steps = [step for step in record.provenance if step.get("step") in ("train", "tune")]
    settings = dict(steps[-1]) if steps else {}
    count = settings.get("steps_done", settings.get("steps"))
    if not isinstance(count, int) or count < 1:
        raise ArgumentError(
            "training steps in the provenance of the model",
            got="none" if not steps else repr(count),
            expected="a number, to train from scratch as long",
        )
    return settings | {"steps": count}


def train_again(
    record: ModelRecord,
    task: WindowTask,
    settings: Mapping[str, Any],
    *,
    progress: Callable[[int, float], None] | None = None,
) -> Any:
    """Train the network of a model from random weights, with the settings that the model was trained with.

    **Arguments:**

    - `record`: the model; its specification and filters are used, its weights are not.
    - `task`: what to train on.
    - `settings`: from `last_training`. All weights are trained, for all steps: what was frozen and which model was best
      do not count.
    - `progress`: called as `progress(steps done, loss)`.

    **Returns:** the trained network.

    **Raises:** `NumericsError` when a loss is NaN or infinite.
    """
    seed, steps = int(settings.get("seed", 0)), int(settings["steps"])
    model = build_model(ModelSpec.from_json(record.spec), record.D, record.banks, jax.random.key(seed))
    schedule = make_schedule(
        settings.get("schedule", "cosine"),
        steps,
        learning_rate=float(settings.get("learning_rate", 3e-3)),
        warmup=float(settings.get("warmup", 0.05)),
    )
    optimiser = make_optimiser(
        settings.get("optimiser", "adamw"),
        schedule,
        weight_decay=float(settings.get("weight_decay", 1e-5)),
        clip=float(settings.get("clip", 1.0)) or None,
    )

    noise = float(settings.get("noise", 0.0))

    def tell(report: Report) -> None:
        if progress is not None and report.losses.size:
            progress(report.step, float(report.losses[-1]))

    state, _, _ = run(
        initial_state(model, optimiser),
        task.train,
        plan=Plan(steps=steps, batch_size=min(int(settings.get("batch_size", 8)), len(task.train))),
        map_and_loss=Objective(unroll=task.train.future_steps, frames=task.frames),
        optimizer=optimiser,
        key=jax.random.key(seed),
        augment=Noise(noise, task.frames.constants) if noise else None,
        on_report=tell,
    )
    return state.model
