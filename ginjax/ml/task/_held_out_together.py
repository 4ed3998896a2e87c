"""Find data that none of several models was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ginjax.checkpoint import ModelRecord
from ginjax.data import DataReading
from ginjax.errors import ArgumentError
from ginjax.ml.task._held_out import HeldOut, held_out_in_files


def held_out_together(
    records: Mapping[str, ModelRecord],
    path: Path,
    reading: DataReading,
    *,
    split: str | None = None,
    count: int | None = None,
) -> HeldOut:
    """Choose trajectories to evaluate several models on, side by side: those that every model holds out.

    **Arguments:**

    - `records`: the models by name, of one dimension and for the same fields.
    - `path`, `reading`, `split`, `count`: as in `held_out_in_files`.

    **Raises:** `ArgumentError` for models that are not for the same fields, or if no trajectory was held out from the
    training of all of them; as `held_out_in_files`.
    """
    check_together(records)
    alone = len(records) == 1
    found = {
        name: held_out_in_files(
            record, record.contract, path, reading, split=split, count=count if alone else None
        )
        for name, record in records.items()
    }
    first = next(iter(found.values()))
    if alone:
        return first
    for name, each in found.items():
        if each.source.trajectories != first.source.trajectories:
            raise ArgumentError(
                "part of the data",
                got=f"{each.name} for {name}, and {first.name} for the first model",
                expected="one part for all",
                hint="Name it, such as `split='test'`.",
            )
    common = [
        each for each in first.trajectories if all(each in other.trajectories for other in found.values())
    ]
    if not common:
        held = ", ".join(f"{len(each.trajectories)} of {name}" for name, each in found.items())
        raise ArgumentError(
            "trajectories to evaluate on",
            got=f"none that every model holds out ({held})",
            expected="at least one",
            hint="Evaluate the models one by one, or on data that none of them was trained on.",
        )
    notes = dict.fromkeys(each.note for each in found.values() if each.note)
    if len(common) < max(len(each.trajectories) for each in found.values()):
        held = "trajectory is" if len(common) == 1 else "trajectories are"
        notes[f"{len(common)} {held} held out from the training of all models"] = None
    return replace(first, trajectories=common[:count], note="; ".join(notes) or None)


def check_together(records: Mapping[str, ModelRecord]) -> None:
    """Refuse models that cannot be evaluated on the same data.

    **Arguments:**

    - `records`: the models by name.

    **Raises:** `ArgumentError` that names the first model that differs from the first one.
    """
    (_, first), *others = records.items()
    for name, record in others:
        for what, got, expected in (
            ("dimension", f"{record.D}D", f"{first.D}D"),
            (
                "fields",
                ", ".join(each.kind for each in record.contract.everything) or "none",
                ", ".join(each.kind for each in first.contract.everything) or "none",
            ),
        ):
            if got != expected:
                raise ArgumentError(
                    f"{what} of {name}",
                    got=got,
                    expected=f"{expected}, as of the first model",
                    hint="Evaluate the models one by one.",
                )
