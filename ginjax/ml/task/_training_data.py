"""The data that a model was trained on, known again by what they hold and not by what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ginjax.checkpoint import DataPart, ModelRecord, check_contract, parts_from_json
from ginjax.data import (
    DataReading,
    Normalisation,
    Source,
    data_splits,
    select_fields,
    source_digest,
    split_trajectories,
)
from ginjax.errors import ArgumentError
from ginjax.ml.task._model_contract import scaled_contract
from ginjax.ml.task._parts import Parts, cut_parts, simulated_parts
from ginjax.ml.task._window_task import WindowTask


@dataclass(frozen=True)
class KnownParts:
    """What a model's training made of some data.

    - `parts`: by name, the trajectories of these data (None: all); empty if it did not use them.
    - `note`: how that is known.
    """

    parts: Mapping[str, Sequence[int] | None]
    note: str | None


def parts_of_training(record: ModelRecord, source: Source, name: str) -> KnownParts:
    """Which part of a model's training data some data are.

    **Arguments:**

    - `record`: the model.
    - `source`: the data.
    - `name`: what their file is called, by which alone models of earlier versions know their data.
    """
    trainings = _parts_by_training(record)
    if trainings:
        fields = record.contract.fields
        present = {(each.name, each.key) for each in source.schema}
        digest = source_digest(source, fields) if {(f.name, f.key) for f in fields} <= present else ""
        for parts in trainings:
            found = {part: data.trajectories for part, data in parts.items() if data.digest == digest}
            if found:
                used = ", ".join(found)
                return KnownParts(found, f"these are data of the model's training, which parted them: {used}")
        return KnownParts({}, "none of the data that the model was trained on (by their digest): all are used")
    steps = [step for step in record.provenance if step.get("data") == name]
    if not steps:
        return KnownParts({}, "the data have no parts: make sure that the model was trained on others")
    fractions = {part: float(steps[-1].get(part, 0.1)) for part in ("valid", "test")}
    found = default_parts(source, **fractions, seed=int(steps[-1].get("seed", 0)))
    earlier = "the model, written by an earlier version, knows its data by their name alone"
    return KnownParts(found.parts, f"{found.note}; {earlier}")


def _parts_by_training(record: ModelRecord) -> list[Mapping[str, DataPart]]:
    """The parts of the data of every training of a model that says so, the newest first."""
    earlier = [
        parts_from_json(step["trained_before"], "history of the model")
        for step in reversed(record.provenance)
        if isinstance(step.get("trained_before"), Mapping)
    ]
    return [parts for parts in (record.contract.parts, *earlier) if parts]


def default_parts(source: Source, *, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> KnownParts:
    """Data without parts, parted as training on them does.

    **Arguments:**

    - `valid`, `test`, `seed`: as in `ginjax.data.split_trajectories`.
    """
    chosen = split_trajectories(source.trajectories, valid=valid, test=test, seed=seed)
    return KnownParts(
        {part: [int(each) for each in indices] for part, indices in chosen.items() if len(indices)},
        f"parted as 'ginjax train --data' does: --valid {valid} --test {test} --seed {seed}",
    )


def training_task(
    record: ModelRecord,
    step: Mapping[str, Any],
    path: Path | None,
    reading: DataReading,
    progress: Callable[[int, int], None] | None = None,
) -> WindowTask:
    """What the newest training of a model had: simulated again, or read from the data.

    **Arguments:**

    - `record`: the model.
    - `step`: of its provenance.
    - `path`, `reading`: the data, where the model was not trained on simulations.
    - `progress`: of the simulations.

    **Raises:** `ArgumentError` without data, or with others than the model was trained on.
    """
    contract = scaled_contract(record)
    parts: Parts
    if "equation" in step:
        parts = simulated_parts(
            str(step["equation"]),
            record.D,
            side=int(step["size"]),
            trajectories=int(step["trajectories"]),
            frames=int(step["frames"]),
            seed=int(step.get("seed", 0)),
            progress=progress,
        )
    elif path is None:
        raise ArgumentError(
            "--from-scratch", got=f"a model trained on {step.get('data')}", expected="--data with it"
        )
    else:
        parts = _trained_parts(record, path, reading)
    check_contract(contract, parts["train"][0].contract)
    chosen = {
        name: (select_fields(source, contract.fields, contract.constants), trajectories)
        for name, (source, trajectories) in parts.items()
        if name == "train"
    }
    return cut_parts(
        chosen,
        past_steps=contract.past_steps,
        residual=contract.residual,
        unroll=int(step.get("unroll", 1)),
        normalisation=Normalisation.of_contract(contract),
    )


def _trained_parts(record: ModelRecord, path: Path, reading: DataReading) -> Parts:
    """The training part of the data that a model was trained on."""
    split = "train" if "train" in data_splits(path) else None
    source = reading.open(path, split=split)
    if split is not None and not record.contract.parts:
        return {"train": (source, None)}  # earlier versions took the parts of a folder as they are
    known = parts_of_training(record, source, path.name).parts
    if "train" not in known:
        raise ArgumentError(
            "data to train on from scratch",
            got=f"{path.name}, other data than those of the model's training",
            expected="the same data",
        )
    return {"train": (source, known["train"])}
