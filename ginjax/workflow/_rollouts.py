"""Roll a model out: forecasts from given frames, and their comparison with the truth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ginjax._progress import ProgressBar
from ginjax.checkpoint import ModelRecord, unchecked
from ginjax.errors import ArgumentError, GinjaxWarning
from ginjax.ml import (
    PERSISTENCE,
    Forecaster,
    HeldOut,
    OneStepError,
    OwnTask,
    condition_remarks,
    simulated_held_out,
    study_rollouts,
)
from ginjax.ml.forecast import NO_CHANGE
from ginjax.models import AnyDimensionalModel
from ginjax.workflow._arguments import check_whole
from ginjax.workflow._data import Data, held_out_of, start_of
from ginjax.workflow._evaluation import MODEL, Evaluation

_TAKEN = {MODEL, PERSISTENCE, NO_CHANGE, "truth", ""}
"""Names that a model beside the evaluated one cannot have, because tables and pictures use them."""


def forecast_from(
    start: object,
    forecaster: Forecaster,
    steps: int,
    *,
    first: int | None,
    show: Callable[..., ProgressBar],
    stacklevel: int,
) -> dict[str, np.ndarray]:
    """Forecast as `Model.predict` does.

    **Arguments:**

    - `show`: makes a progress bar, as `show(total, description)`.
    - `stacklevel`: as in `warnings.warn`, counted from the caller of this function.
    """
    check_whole("steps", steps, least=1)
    source, single = start_of(forecaster.contract, start)
    past = forecaster.frames.past_steps
    source.check_frames(past)
    begin = source.frames - past if first is None else check_whole("first", first, least=0)
    if begin > source.frames - past:
        raise ArgumentError(
            "first",
            got=f"{first}, of {source.frames} frames, {past} of which in a row are seen",
            expected=f"0 to {source.frames - past}",
        )
    forecaster.check(source, begin + past)
    for remark in condition_remarks(forecaster.contract, source):
        warnings.warn(remark, GinjaxWarning, stacklevel=stacklevel + 1)
    with show(source.trajectories * steps, "rolling out") as bar:
        found = forecaster.forecast(
            source.at_hand(), range(source.trajectories), steps=steps, first=begin, progress=bar.follow
        )
    return {name: values[0] for name, values in found.items()} if single else found


def check_names_beside(names: Sequence[str]) -> None:
    """Check the names of the models beside the evaluated one.

    **Raises:** `ArgumentError` for a name that a table or picture gives to something else.
    """
    taken = _TAKEN & set(names)
    if taken:
        raise ArgumentError(
            "name of a model beside",
            got=repr(min(taken)),
            expected="a name of its own, which this one is not",
        )


def to_evaluate_on(
    data: Data | None,
    record: ModelRecord,
    forecaster: Forecaster,
    *,
    steps: int | None,
    trajectories: int | None,
    split: str | None,
    seed: int,
    show: Callable[..., ProgressBar],
) -> HeldOut:
    """Choose data that a model was not trained on: from the given data, or new simulations."""
    for what, given in (("steps", steps), ("trajectories", trajectories)):
        if given is not None:
            check_whole(what, given, least=1)
    contract = forecaster.contract
    if data is None:
        with show(trajectories or 1, "simulating") as bar:
            return simulated_held_out(
                contract, trajectories=trajectories, steps=steps, seed=seed, progress=bar.follow
            )
    with show(1, "preparing the data") as bar:
        return held_out_of(data, record, contract, split=split, count=trajectories, progress=bar.follow)


def evaluation_of(
    networks: Mapping[str, AnyDimensionalModel],
    forecasters: Mapping[str, Forecaster],
    held_out: HeldOut,
    *,
    steps: int | None,
    tile: int | Mapping[str, int] | None,
    show: Callable[..., ProgressBar],
) -> Evaluation:
    """Compare rollouts and one-step predictions of some models with the truth.

    **Arguments:**

    - `networks`, `forecasters`: by the name of the model; the evaluated model has the name `MODEL`.
    - `held_out`: the data to compare on.
    - `steps`, `tile`: as in `Model.evaluate`.
    - `show`: makes a progress bar, as `show(total, description)`.
    """
    source, contract = held_out.source, forecasters[MODEL].contract
    with show(len(held_out.trajectories) * (steps or 1), "rolling out") as bar:
        study = study_rollouts(forecasters, source, held_out.trajectories, steps=steps, progress=bar.follow)
    one_step = dict[str, OneStepError]()
    for name, network in networks.items():
        task = OwnTask.of(forecasters[name].contract, source, held_out.trajectories)
        with show(len(task.indices), "predicting every next frame") as bar:
            one_step[name] = task.error(network, progress=bar.follow, tile=tile)
    return Evaluation(
        model=networks[MODEL].spec.architecture,
        data=held_out.name,
        study=study,
        D=source.D,
        grid=source.spatial,
        note=_noted(held_out.note, unchecked(contract, source.contract)),
        one_step=one_step,
        remarks=condition_remarks(contract, source, held_out.trajectories),
    )


def _noted(note: str | None, aspects: Sequence[str]) -> str | None:
    """Make the note on the data: how they were chosen, and what could not be compared with the model's contract."""
    unknown = f"not checked, because not known: {', '.join(aspects)}" if aspects else None
    return "; ".join(each for each in (note, unknown) if each) or None
