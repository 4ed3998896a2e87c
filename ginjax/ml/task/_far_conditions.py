"""Numbers that a network is told and was not trained with."""

from __future__ import annotations

from collections.abc import Iterable

from ginjax.checkpoint import DataContract
from ginjax.data import Source, condition_values


def condition_remarks(
    contract: DataContract, source: Source, trajectories: Iterable[int] | None = None
) -> tuple[str, ...]:
    """What is to be said of conditions of data that are far from those of a model's training.

    **Arguments:**

    - `contract`: of the model.
    - `source`: data that fit it.
    - `trajectories`: which of them are used; all by default.
    """
    known = {each.name: each for each in contract.conditions if each.low is not None}
    values = condition_values(source, tuple(known), trajectories)
    remarks = (each.remark(values[name].tolist()) for name, each in known.items())
    return tuple(remark for remark in remarks if remark is not None)
