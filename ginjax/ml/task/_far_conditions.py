"""Remarks on conditions that are far from those of the training."""

from __future__ import annotations

from collections.abc import Iterable

from ginjax.checkpoint import DataContract
from ginjax.data import Source, condition_values


def condition_remarks(
    contract: DataContract, source: Source, trajectories: Iterable[int] | None = None
) -> tuple[str, ...]:
    """Write remarks on conditions of data that are far from those of a model's training.

    **Arguments:**

    - `contract`: contract of the model.
    - `source`: data that fit it.
    - `trajectories`: numbers of the trajectories to use; all by default.
    """
    known = {each.name: each for each in contract.conditions if each.low is not None}
    values = condition_values(source, tuple(known), trajectories)
    remarks = (each.remark(values[name].tolist()) for name, each in known.items())
    return tuple(remark for remark in remarks if remark is not None)
