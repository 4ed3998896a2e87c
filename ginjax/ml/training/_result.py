"""Turn a finished training into a model record: error, contract, history, certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ginjax._version import __version__
from ginjax.checkpoint import DataContract, Difference, ModelRecord, parts_to_json
from ginjax.ml.task import Judged, OneStepError, WindowTask
from ginjax.ml.training._going_on import constant_identity, contract_identity
from ginjax.ml.training._train_model import Trained
from ginjax.ml.training._tuning import Start
from ginjax.models import AnyDimensionalModel, Network, to_record


@dataclass(frozen=True)
class TrainedModel:
    """The result of a finished training: the network, its record and its error.

    **Arguments:**

    - `model`, `record`: the network, and everything that its file holds.
    - `last`: the record of the last network if an earlier one was best; otherwise, and if compatibility is kept, None.
    - `error`: one-step error beside predicting no change, see `WindowTask.error`; None if nothing was held out.
    """

    model: AnyDimensionalModel
    record: ModelRecord
    last: ModelRecord | None
    error: OneStepError | None


def build_network(
    network: Network, contract: DataContract, spatial: Sequence[int], seed: int = 0
) -> AnyDimensionalModel:
    """Build an untrained network for data; the same seed gives the same weights.

    **Arguments:**

    - `network`: settings of the network.
    - `contract`: contract of the data, with the number of past frames in an input.
    - `spatial`: grid points along each axis.

    **Raises:** `ArgumentError` for settings or a grid that do not fit.
    """
    design = network.design(contract.inputs, contract.predicted, contract.axes)
    for side in sorted(set(spatial)):
        design.check_grid(side)
    return design.build(contract.D, seed)


def finish_training(
    trained: Trained,
    task: WindowTask,
    about: Mapping[str, object],
    start: Start | None = None,
    adapted: Sequence[Difference] = (),
) -> TrainedModel:
    """Measure the result of a training, and put together the content of its file.

    **Arguments:**

    - `trained`: the result of `train_model`.
    - `task`: the samples of the training.
    - `about`: what the history says about the data, as JSON values.
    - `start`: the initial model, if any.
    - `adapted`: the differences between the data and those of that model.
    """
    kept = start is not None and trained.kept_start
    model, certificate = (trained.model, None) if start is None or kept else start.settle(trained.model)
    step: dict[str, object] = {"step": "train" if start is None else "tune", "version": __version__, **about}
    step |= {"past_steps": task.train.past_steps, "residual": task.train.residual} | trained.provenance()
    if start is not None:
        step |= {"source": start.record.digest, "kept_compatible": start.free is not None}
        if start.record.contract.parts:
            # The contract describes the newest data; these were used too.
            step["trained_before"] = parts_to_json(start.record.contract.parts)
    if task.judged is not None:
        step["judged"] = str(task.judged)
    step |= constant_identity(task)
    if adapted:
        step["adapted"] = {each.aspect: list(each.values) for each in adapted}
    error = task.error(model)
    if error is not None:
        step["one_step_error"] = error.to_json()
    history = () if start is None else start.record.provenance
    contract = task.contract
    if start is not None:
        # The model does not forget what the new data leave open.
        contract = contract.completed_by(start.record.contract)
    before = {} if start is None else {each.name: each for each in start.record.contract.conditions}
    seen = tuple(each.united(before.get(each.name)) for each in contract.conditions)
    contract = replace(contract, conditions=seen)
    # Unchanged weights have learned nothing about the new values of conditions.
    own = tuple(before.get(each.name, each) for each in seen) if kept else seen
    common: dict[str, Any] = {
        "contract": replace(contract, conditions=own),
        "provenance": [*history, step],
    }
    keeps = start is not None and start.free is not None
    last = None
    if trained.last is not None and not keeps:
        # The measured error belongs to the best model.
        other = {name: value for name, value in step.items() if name != "one_step_error"}
        last = to_record(trained.last, contract=contract, provenance=[*history, other])
    record = to_record(model, **common, certificate=certificate)
    if start is not None and kept:
        record = start.as_it_was(record)
    return TrainedModel(model, record, last, error)


def kept_start_in_words(trained: Trained, judged: Judged | None) -> str:
    """Tell the user that a tuning found nothing better by a tenth than the initial model.

    **Arguments:**

    - `trained`: the result of the tuning.
    - `judged`: the criterion of the tuning.
    """
    looks = trained.progress.looks
    times = "once" if looks == 1 else f"{looks} times"
    return (
        f"the tuning, looked at {times}, never made the model better by a tenth (judged by {judged}): the weights are those "
        "it began with, bit for bit"
    )


def what_to_hear(
    after: OneStepError | None,
    before: OneStepError | None = None,
    *,
    residual: bool = True,
    kept_start: bool = False,
) -> str | None:
    """Write a warning about the error for the user of a training; None if there is nothing to warn about.

    **Arguments:**

    - `after`: the one-step error on the held-out part; None if nothing is held out.
    - `before`: the same error of the initial model.
    - `residual`: whether changes are predicted.
    - `kept_start`: whether the initial model is kept.
    """
    if after is None:
        return "the one-step error was not measured: nothing was held out to measure it on"
    if after.model >= after.persistence and kept_start:
        return (
            "that model does no better than predicting no change, which is not due to this tuning: "
            "it needs more data, more steps or a higher learning rate"
        )
    if after.model >= after.persistence:
        change = "" if residual else ", or let it predict changes (`residual=True`)"
        return (
            "the network does no better than predicting no change: train longer, or with a lower learning rate"
            + change
        )
    if not after.learned:
        return (
            "the network does no better than predicting the mean of the fields, whose error is 1: train longer, or with another "
            "learning rate"
        )
    if before is not None and after.model > before.model:
        return (
            f"the tuning made the one-step error larger: {before.model:.3g} before, {after.model:.3g} after"
        )
    return None


def run_identity(
    task: WindowTask,
    about: Mapping[str, object],
    settings: Mapping[str, object],
    start: Start | None,
    spec: object,
) -> dict[str, object]:
    """Describe a training by all that identifies it; a saved state belongs only to a training with the same description.

    **Arguments:**

    - `task`, `about`: the samples, and what is said about the data.
    - `settings`: resolved settings of the training, as JSON.
    - `start`: the initial model, if any.
    - `spec`: specification of the network, as JSON.
    """
    found = {**about, "past_steps": task.train.past_steps, "residual": task.train.residual, **settings}
    found |= contract_identity(task.contract, spec) | constant_identity(task)
    if start is not None:
        found |= {"source": start.record.digest, "kept_compatible": start.free is not None}
    if task.judged is not None:
        found["judged"] = str(task.judged)
    return found
