"""From a finished training to a model record: error, contract, history, certificate."""

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
    """What a finished training gives: the network, its record and its error.

    **Arguments:**

    - `model`, `record`: the network, and all that its file holds.
    - `last`: the record of the last network where another one was best; None otherwise, and where compatibility is kept.
    - `error`: of the next frame on the held-out part, beside predicting no change; None if nothing was held out.
    """

    model: AnyDimensionalModel
    record: ModelRecord
    last: ModelRecord | None
    error: OneStepError | None


def build_network(
    network: Network, contract: DataContract, spatial: Sequence[int], seed: int = 0
) -> AnyDimensionalModel:
    """An untrained network for data; the same seed gives the same weights.

    **Arguments:**

    - `network`: what it is like inside.
    - `contract`: of the data, with the past frames that it is to see.
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
    """Measure what a training made, and put together what its file is to hold.

    **Arguments:**

    - `trained`: the result of `train_model`.
    - `task`: what it was trained on.
    - `about`: what the history says of the data, as JSON values.
    - `start`: the model it went on from, if any.
    - `adapted`: in what the data differed from those of that model.
    """
    kept = start is not None and trained.kept_start
    model, certificate = (trained.model, None) if start is None or kept else start.settle(trained.model)
    step: dict[str, object] = {"step": "train" if start is None else "tune", "version": __version__, **about}
    step |= {"past_steps": task.train.past_steps, "residual": task.train.residual} | trained.provenance()
    if start is not None:
        step |= {"source": start.record.digest, "kept_compatible": start.free is not None}
        if start.record.contract.parts:
            # The contract knows the newest data; these were seen too.
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
        # What the new data do not say does not make the model forget it.
        contract = contract.completed_by(start.record.contract)
    before = {} if start is None else {each.name: each for each in start.record.contract.conditions}
    seen = tuple(each.united(before.get(each.name)) for each in contract.conditions)
    contract = replace(contract, conditions=seen)
    # Weights that stayed as they were have learnt nothing of the new numbers.
    own = tuple(before.get(each.name, each) for each in seen) if kept else seen
    common: dict[str, Any] = {
        "contract": replace(contract, conditions=own),
        "provenance": [*history, step],
    }
    keeps = start is not None and start.free is not None
    last = None
    if trained.last is not None and not keeps:
        # The error is that of the best model.
        other = {name: value for name, value in step.items() if name != "one_step_error"}
        last = to_record(trained.last, contract=contract, provenance=[*history, other])
    record = to_record(model, **common, certificate=certificate)
    if start is not None and kept:
        record = start.as_it_was(record)
    return TrainedModel(model, record, last, error)


def kept_start_in_words(trained: Trained, judged: Judged | None) -> str:
    """What the user hears of a tuning that found nothing better by a tenth than the model it began with.

    **Arguments:**

    - `trained`: its result.
    - `judged`: by what it was judged.
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
    """What the user of a training must not miss; None if there is nothing.

    **Arguments:**

    - `after`: the one-step error on the held-out part, None if nothing is held out.
    - `before`: the same of the model that was gone on from.
    - `residual`: whether changes are predicted.
    - `kept_start`: whether it is that model which is kept.
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
    """What a saved state belongs to: a training with any other of these is another training.

    **Arguments:**

    - `task`, `about`: the samples, and what is said of the data.
    - `settings`: of the training, resolved, as JSON.
    - `start`: the model it goes on from, if any.
    - `spec`: of the network, as JSON.
    """
    found = {**about, "past_steps": task.train.past_steps, "residual": task.train.residual, **settings}
    found |= contract_identity(task.contract, spec) | constant_identity(task)
    if start is not None:
        found |= {"source": start.record.digest, "kept_compatible": start.free is not None}
    if task.judged is not None:
        found["judged"] = str(task.judged)
    return found
