"""The baseline for a trained model: the same network, trained on the same data from random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax

from ginjax.checkpoint import ModelRecord
from ginjax.errors import ArgumentError
from ginjax.ml.task import WindowTask
from ginjax.ml.training._progress import Report
from ginjax.ml.training._settings import LEARNING_RATE, TrainSettings
from ginjax.ml.training._train_model import Trained, train_model
from ginjax.models import ModelSpec, build_model


def last_training(record: ModelRecord) -> Mapping[str, Any]:
    """Find the newest training in the provenance of a model; its number of steps is `steps_done`.

    **Raises:** `ArgumentError` if the model was never trained, or the file does not say for how long.
    """
    steps = [step for step in record.provenance if step.get("step") in ("train", "tune")]
    last = dict(steps[-1]) if steps else {}
    # Earlier versions did not always record the steps done; without a time limit all of them were done.
    done = last.get("steps_done", None if "seconds" in last else last.get("steps"))
    if type(done) is not int or done < 1:
        raise ArgumentError(
            "training steps in the provenance of the model",
            got="no training" if not steps else "only a time" if done is None else repr(done),
            expected="a number of steps, to train from scratch as long",
        )
    return last | {"steps_done": done}


def train_again(
    record: ModelRecord,
    task: WindowTask,
    step: Mapping[str, Any],
    *,
    progress: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train the network of a model from random weights, with the same settings and for as many steps.

    **Arguments:**

    - `record`: the model; its specification and filters are used, its weights are not.
    - `task`: the samples to train on.
    - `step`: from `last_training`. All weights are trained, for all steps; `freeze`, `patience` and validation are ignored.
      If the step is a tuning, the learning rate is raised to at least `LEARNING_RATE`, because random weights need more.
    - `progress`: called as `progress(steps done, loss)`.

    **Raises:** `NumericsError` if a loss is NaN or infinite, `ArgumentError` or `FileError` for a step that no
    training wrote.
    """
    asked = TrainSettings.from_json(step, "provenance of the model")
    settings = replace(asked, patience=None, validate_every=None, freeze=())
    if step.get("step") == "tune":
        settings = replace(settings, learning_rate=max(asked.learning_rate or 0.0, LEARNING_RATE))
    key = jax.random.key(settings.seed)
    model = build_model(ModelSpec.from_json(record.spec), record.D, record.banks, key)

    def tell(report: Report) -> None:
        if progress is not None and report.losses.size:
            progress(report.step, float(report.losses[-1]))

    return train_model(
        model,
        replace(task, valid=None, judged=None),
        settings,
        stop_after=int(step["steps_done"]),
        on_report=tell,
    )
