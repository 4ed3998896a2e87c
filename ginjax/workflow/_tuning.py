"""The request for a tuning: the training of a model that was trained before."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ginjax.ml import TrainingRequest, TrainSettings, request_training, start_from
from ginjax.models import LoadedModel
from ginjax.workflow._arguments import check_kind
from ginjax.workflow._data import Data, material_of


def request_tuning(
    model: LoadedModel,
    data: Data,
    settings: TrainSettings | None,
    *,
    keep_compatible: bool,
    adapt: str | Collection[str],
    padding: str | Mapping[str, str] | None,
    drop_fields: str | Collection[str],
    valid: float,
    test: float | None,
) -> TrainingRequest:
    """Make the request for the training that `Model.tune` describes."""
    check_kind("settings", settings, TrainSettings, "a ginjax.TrainSettings")
    settings = settings or TrainSettings()
    start, dropped = start_from(model, keep_compatible=keep_compatible), several(drop_fields)
    material = material_of(
        data,
        valid=valid,
        test=test,
        seed=settings.seed,
        tuning=start.trained,
        like=model.record.contract.without_conditions(dropped),
    )
    return request_training(
        material,
        settings,
        start=start,
        adapt=several(adapt),
        padding=padding,
        drop_fields=dropped,
    )


def several(names: str | Collection[str]) -> Collection[str]:
    """Return names as a collection; a single name may be given as a string."""
    return (names,) if isinstance(names, str) else names
