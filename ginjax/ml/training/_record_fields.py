"""Adapt a model to the fields of some data, without training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ginjax.checkpoint import ModelRecord, change_of_fields, check_contract
from ginjax.data import Source, measure_normalisation, select_fields
from ginjax.models import change_fields


def record_with_fields_of(record: ModelRecord, source: Source, drop: Collection[str] = ()) -> ModelRecord:
    """Adapt the record of a model to the fields of some data; return the record itself if the fields are the same.

    **Arguments:**

    - `record`: the model.
    - `source`: the data, on which the scales of new fields are measured.
    - `drop`: names of fields that the model is not to have.

    **Raises:** `ContractError` for data that lack some of its fields and have others, or differ in other ways; as
    `change_of_fields` and `change_fields`.
    """
    change = None if source.D != record.D else change_of_fields(record.contract, source.contract, drop)
    wanted = record.contract if change is None else change.after
    check_contract(wanted, source.contract, adapting=True)
    if change is None:
        return record
    if change.added and change.before.scales:
        known = {each.field.name: each for each in change.before.scales}
        measured = measure_normalisation(select_fields(source, wanted.fields, wanted.constants)).or_else(
            known
        )
        change = replace(change, after=replace(wanted, scales=measured.everything))
    return change_fields(record, change)
