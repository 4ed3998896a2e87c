"""Zero-shot transfer: a network trained in one dimension, run in another by every rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.ml._one_step import OneStepTask, one_step_error, predict
from ginjax.models import AnyDimensionalModel, to_dimension

STUDY_RULES: tuple[tuple[str, float | None], ...] = (
    ("compatibility", None),
    ("compat-flex", 0.0),
    ("volume", None),
    ("compatibility-norm", None),
    ("none", None),
)
"""Rules and flex values that differ: `spin-embed` and `compat-flex` at 1 are `compatibility`."""


@dataclass(frozen=True)
class ZeroShot:
    """How a converted network does on held-out fields it was never trained on.

    - `dim`, `rule`: where and how it was converted; the rule is `"trained"` in the training dimension, and a flex
      value is part of its name.
    - `residual`: of condition (C), None where nothing was converted.
    - `error`, `persistence`: one-step nRMSE of the network and of predicting no change.
    - `note`: why a rule could not be applied, else empty; then `error` is None.
    """

    dim: int
    rule: str
    residual: float | None
    error: float | None
    persistence: float
    note: str = ""


def zero_shot_study(
    model: AnyDimensionalModel,
    tasks: Sequence[OneStepTask],
    rules: Sequence[tuple[str, float | None]] = STUDY_RULES,
    progress: Callable[[str], None] = lambda status: None,
) -> list[ZeroShot]:
    """Evaluate a trained model on tasks of its own and of higher dimensions.

    **Arguments:**

    - `model`: trained in `model.D` dimensions.
    - `tasks`: held-out tasks, one for each dimension, normalised as the training data were.
    - `rules`: transfer rules.
    - `progress`: told what has been done, once for each evaluation.
    """
    rows = []
    for task in tasks:
        D = task.X.D
        for rule, flex in (("trained", None),) if model.D == D else rules:
            rows.append(_evaluate(model, task, rule, flex))
            progress(f"{D}D {rows[-1].rule}")
    return rows


def _evaluate(model: AnyDimensionalModel, task: OneStepTask, rule: str, flex: float | None) -> ZeroShot:
    D, residual, converted = task.X.D, None, model
    name = rule if flex is None else f"{rule} {flex:g}"
    if rule != "trained":
        try:
            converted, certificate = to_dimension(model, D, rule, flex)
        except ArgumentError as error:
            persistence = one_step_error(lambda x: (x, None), task).persistence
            return ZeroShot(D, name, None, None, persistence, error.problem)
        residual = certificate.residual
    measured = one_step_error(converted, task, batch_size=8)
    return ZeroShot(D, name, residual, measured.model, measured.persistence)


def zero_shot_prediction(
    model: AnyDimensionalModel, task: OneStepTask
) -> tuple[MultiImage, MultiImage, MultiImage]:
    """Input, truth and zero-shot prediction of the first pair of a task, in physical units."""
    if task.X.D != model.D:
        model, _ = to_dimension(model, task.X.D, "compatibility")
    x, y = task.X.get_one(0), task.Y.get_one(0)

    def physical(image: MultiImage) -> MultiImage:
        return task.normalisation.invert(image).get_one(0, keepdims=False)

    return physical(x), physical(y), physical(predict(model, x))
