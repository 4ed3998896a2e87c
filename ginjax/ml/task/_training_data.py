"""Find the data that a model was trained on, recognised by their content and not by the name of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ginjax.checkpoint import DataPart, Field, ModelRecord, check_contract, expect, parts_from_json
from ginjax.data import (
    DataReading,
    Normalisation,
    Source,
    data_splits,
    select_fields,
    source_digest,
    split_trajectories,
    trajectory_digests,
)
from ginjax.errors import ArgumentError
from ginjax.ml.task._model_contract import scaled_contract
from ginjax.ml.task._parts import Parts, TaskSettings, cut_parts, simulated_parts
from ginjax.ml.task._window_task import WindowTask

_HISTORY = "history of the model"
_LONGEST, _MOST = 256, 2**32
"""The longest name and the largest number in the history."""


_USED = {
    "train": "the part that it was trained on",
    "valid": "the part that it was validated on",
    "test": "the part that was held out from its training",
}


@dataclass(frozen=True)
class KnownParts:
    """How the trainings of a model used some data.

    **Arguments:**

    - `parts`: by name of the part, the trajectories of these data; empty if no training used them.
    - `unused`: the trajectories that no training used.
    - `note`: how this is known.
    - `by_content`: whether the data were recognised by their content as those of the training.
    """

    parts: Mapping[str, Sequence[int]]
    unused: Sequence[int]
    note: str
    by_content: bool = False

    def held_out(self, part: str) -> Sequence[int]:
        """Return the trajectories of a part; those that no training used belong to the part `test`."""
        chosen = list(self.parts.get(part, ()))
        return sorted([*chosen, *self.unused]) if part == "test" else chosen

    def in_words(self, part: str) -> str:
        """Say how the parts are known, and which trajectories are used if `part` is asked for."""
        if not self.by_content:
            return self.note
        used = _USED[part]
        if part == "test" and self.unused:
            more = f"{len(self.unused)} trajectories that its training did not use"
            used = f"{used}, and {more}, are" if "test" in self.parts else f"{more} are"
        else:
            used = f"{used} is"
        return f"{self.note}: {used} used"


def parts_of_training(record: ModelRecord, source: Source, name: str | None = None) -> KnownParts:
    """Find out which trajectories of some data a model was trained on, validated on, or held out from its trainings.

    A trajectory that one training used to train on does not count as held out, even if a later training did not use it.

    **Arguments:**

    - `record`: the model.
    - `source`: the data.
    - `name`: name of their file; models of earlier versions recognise their data only by this name.
    """
    trainings = _parts_by_training(record)
    found = _known(trainings, source, record.contract.fields) if trainings else {}
    if found:
        unused = sorted(set(range(source.trajectories)) - {i for chosen in found.values() for i in chosen})
        return KnownParts(found, unused, "the model was trained on these data", by_content=True)
    steps = [step for step in _unrecorded(record) if name is not None and step.get("data") == name]
    everything = range(source.trajectories)
    if steps:
        fractions = {
            part: expect(
                steps[-1], part, float, where=_HISTORY, default=getattr(TaskSettings, part), least=0, most=1
            )
            for part in ("valid", "test")
        }
        by_name = default_parts(source, **fractions, seed=_count(steps[-1], "seed", 0, least=0))
        earlier = "the model, written by an earlier version, knows its data by their name alone"
        return KnownParts(by_name.parts, (), f"{by_name.note}; {earlier}")
    if trainings:
        return KnownParts({}, everything, "not known as data of the model's training: all are used")
    return KnownParts(
        {}, everything, "the data have no parts: make sure that the model was trained on others"
    )


def _known(
    trainings: Sequence[Mapping[str, DataPart]], source: Source, fields: Sequence[Field]
) -> dict[str, list[int]]:
    """Find the trajectories of some data that trainings used, by part."""
    present = {(each.name, each.key) for each in source.schema}
    if not {(each.name, each.key) for each in fields} <= present:
        return {}
    found: dict[str, set[int]] = {part: set() for part in ("train", "valid", "test")}
    if any(data.each for parts in trainings for data in parts.values()):
        digests = trajectory_digests(source, fields)
        for part, chosen in found.items():
            seen = {name for parts in trainings if part in parts for name in parts[part].each}
            chosen.update(i for i, name in enumerate(digests) if name in seen)
    if not any(found.values()):
        digest = source_digest(source, fields)
        for part, chosen in found.items():
            for data in (parts[part] for parts in trainings if part in parts):
                if data.digest == digest:
                    everything = range(source.trajectories)
                    chosen.update(everything if data.trajectories is None else data.trajectories)
    found["valid"] -= found["train"]
    found["test"] -= found["train"] | found["valid"]
    return {part: sorted(chosen) for part, chosen in found.items() if chosen}


def _unrecorded(record: ModelRecord) -> list[Mapping[str, Any]]:
    """List the trainings that did not record which data they used; earlier versions did not."""
    steps = [step for step in record.provenance if step.get("step") in ("train", "tune")]
    known = [*("trained_before" in step for step in steps[1:]), bool(record.contract.parts)]
    return [step for step, recorded in zip(steps, known, strict=False) if not recorded]


def _parts_by_training(record: ModelRecord) -> list[Mapping[str, DataPart]]:
    """List the parts of the data of every training that recorded them, the newest first."""
    earlier = [
        parts_from_json(step["trained_before"], _HISTORY)
        for step in reversed(record.provenance)
        if isinstance(step.get("trained_before"), Mapping)
    ]
    return [parts for parts in (record.contract.parts, *earlier) if parts]


def default_parts(
    source: Source, *, valid: float = TaskSettings.valid, test: float = TaskSettings.test, seed: int = 0
) -> KnownParts:
    """Split data without parts as a training on them does.

    **Arguments:**

    - `valid`, `test`, `seed`: as in `ginjax.data.split_trajectories`.
    """
    chosen = split_trajectories(source.trajectories, valid=valid, test=test, seed=seed)
    return KnownParts(
        {part: [int(each) for each in indices] for part, indices in chosen.items() if len(indices)},
        (),
        f"parted as training on them would: {valid:g} for validation, {test:g} for testing, seed {seed}",
    )


def training_task(
    record: ModelRecord,
    step: Mapping[str, Any],
    path: Path | None,
    reading: DataReading,
    progress: Callable[[int, int], None] | None = None,
) -> WindowTask:
    """Make the samples of a model's newest training: simulated again, or read from the data.

    **Arguments:**

    - `record`: the model.
    - `step`: the step of its provenance that describes the training.
    - `path`, `reading`: the data, if the model was not trained on simulations.
    - `progress`: progress of the simulations.

    **Raises:** `ArgumentError` if data are needed but not given, or are not those that the model was trained on.
    """
    contract = scaled_contract(record)
    parts: Parts
    if "equation" in step:
        parts = simulated_parts(
            expect(step, "equation", str, where=_HISTORY, most=_LONGEST),
            record.D,
            side=_count(step, "size"),
            trajectories=_count(step, "trajectories"),
            frames=_count(step, "frames"),
            seed=_count(step, "seed", 0, least=0),
            cover=_count(step, "cover") if "cover" in step else None,
            planes=expect(step, "planes", str, where=_HISTORY, most=_LONGEST) if "planes" in step else None,
            progress=progress,
        )
    elif path is None:
        raise ArgumentError(
            "training from scratch",
            got="no data",
            expected=f"{step.get('data')}, the data that the model was trained on",
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
        unroll=_count(step, "unroll", 1),
        normalisation=Normalisation.of_contract(contract),
    )


def _trained_parts(record: ModelRecord, path: Path, reading: DataReading) -> Parts:
    """Find the training part in the data of a model's newest training."""
    split = "train" if "train" in data_splits(path) else None
    source = reading.for_model(record.contract).open(path, split=split)
    fields, part = record.contract.fields, record.contract.parts.get("train")
    if part is None and split is not None:
        return {"train": (source, None)}  # earlier versions used the parts of a folder as they are
    known = parts_of_training(record, source, path.name) if part is None else None
    if known is not None and "train" in known.parts:
        return {"train": (source, known.parts["train"])}
    digests = trajectory_digests(source, fields) if part is not None and part.each else ()
    if part is not None and digests and set(part.each) <= set(digests):
        return {"train": (source, [i for i, name in enumerate(digests) if name in set(part.each)])}
    if part is not None and not part.each and part.digest == source_digest(source, fields):
        return {"train": (source, part.trajectories)}
    raise ArgumentError(
        "data to train on from scratch",
        got=f"{path.name}, other data than those of the model's newest training",
        expected="the same data",
    )


def _count(step: Mapping[str, Any], name: str, default: int | None = None, *, least: int = 1) -> int:
    """Read a number from a step of a history, which comes from a file."""
    if default is not None and name not in step:
        return default
    return expect(step, name, int, where=_HISTORY, least=least, most=_MOST)
