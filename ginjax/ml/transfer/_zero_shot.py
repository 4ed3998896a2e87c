"""Zero-shot transfer: run a network that was trained in one dimension in another, converted by every rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.ml.task import OneStepTask, one_step_error, predict
from ginjax.models import AnyDimensionalModel, to_dimension
from ginjax.transfer import compared_rules, rule_label


@dataclass(frozen=True)
class ZeroShot:
    """The error of a converted network on held-out fields, without training in the new dimension.

    **Arguments:**

    - `dim`: the dimension of the fields.
    - `rule`: the rule of the conversion, with its flex value in the name; `"trained"` in the training dimension.
    - `residual`: residual of condition (C); None if nothing was converted.
    - `error`, `persistence`: one-step error (nRMSE) of the network and of predicting no change.
    """

    dim: int
    rule: str
    residual: float | None
    error: float
    persistence: float


@dataclass(frozen=True)
class Study:
    """Zero-shot errors; and by name the rules that could not be applied, with what they need."""

    rows: tuple[ZeroShot, ...]
    left_out: Mapping[str, str]


def zero_shot_study(
    model: AnyDimensionalModel,
    tasks: Sequence[OneStepTask],
    rules: Sequence[tuple[str, float | None]] | None = None,
    progress: Callable[[str], None] = lambda status: None,
) -> Study:
    """Evaluate a trained model on tasks of its own dimension and of higher ones.

    **Arguments:**

    - `model`: a model trained in `model.D` dimensions.
    - `tasks`: held-out tasks, one for each dimension, normalised as the training data were.
    - `rules`: transfer rules; by default `ginjax.transfer.compared_rules()`. Rules that do not fit the filters of the
      model are left out.
    - `progress`: called with a line of text after each rule and task.
    """
    rows, left_out = [], {}
    rules = compared_rules() if rules is None else rules
    for task in tasks:
        D = task.X.D
        if model.D == D:
            rows.append(_measure(model, task, "trained", None))
            progress(f"{D}D trained")
            continue
        for rule, flex in rules:
            name = rule_label(rule, flex)
            try:
                converted, certificate = to_dimension(model, D, rule, flex)
            except ArgumentError as error:
                left_out[name] = str(error.expected)
            else:
                rows.append(_measure(converted, task, name, certificate.residual))
            progress(f"{D}D {name}")
    return Study(tuple(rows), left_out)


def _measure(model: AnyDimensionalModel, task: OneStepTask, name: str, residual: float | None) -> ZeroShot:
    measured = one_step_error(model, task, batch_size=8)
    return ZeroShot(task.X.D, name, residual, measured.model, measured.persistence)


def zero_shot_prediction(
    model: AnyDimensionalModel, task: OneStepTask
) -> tuple[MultiImage, MultiImage, MultiImage]:
    """Make a zero-shot prediction for the first pair of a task; return input, truth and prediction in physical units."""
    if task.X.D != model.D:
        model, _ = to_dimension(model, task.X.D, "compatibility")
    x, y = task.X.get_one(0), task.Y.get_one(0)

    def physical(image: MultiImage) -> MultiImage:
        return task.normalisation.invert(image).get_one(0, keepdims=False)

    return physical(x), physical(y), physical(predict(model, x))
