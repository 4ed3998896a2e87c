"""The contract of a model file that says enough about its data to run the model on them."""

from __future__ import annotations

from dataclasses import replace

from ginjax.checkpoint import DataContract, Field, FieldScale, ModelRecord
from ginjax.errors import FileError

_SILENT = "the model does not say how its fields are normalised"
_TOLD = "a model written by 'ginjax train', or converted from one"


def scaled_contract(record: ModelRecord) -> DataContract:
    """Return the contract of a model that was trained.

    **Raises:** `FileError` if the file does not say what the model was trained on, or its fields do not fit its network.
    """
    contract = record.contract
    if not contract.scales or contract.targets is not None:
        raise FileError(_SILENT, expected=_TOLD)
    if _channels(contract.inputs) != _rows(record.spec["inputs"]) or _channels(contract.fields) != _rows(
        record.spec["outputs"]
    ):
        raise FileError("the fields of the model are not those of its network", expected=_TOLD)
    if contract.residual and any(
        scale.increment is None for scale in contract.scales[: len(contract.fields)]
    ):
        raise FileError("the model does not say how large changes of its fields are", expected=_TOLD)
    return contract


def bare_contract(record: ModelRecord) -> DataContract:
    """Make a contract for a model that says nothing about its data: one past frame, fields named by place, unscaled.

    Inputs that are not outputs too are constants.

    **Raises:** `FileError` if the inputs lack a field of the outputs.
    **Raises:** `FileError` if the inputs lack a field of the outputs.
    """
    outputs, inputs = (_rows(record.spec[which]) for which in ("outputs", "inputs"))
    if any(channels > inputs.get(key, 0) for key, channels in outputs.items()):
        raise FileError(_SILENT, expected=_TOLD)
    fields, constants = [], []
    for (k, p), channels in inputs.items():
        for i in range(channels):
            made = Field(f"k{k}p{p}.{i}", k, p)
            (fields if i < outputs.get((k, p), 0) else constants).append(made)
    return replace(
        DataContract.unknown(record.is_torus),
        fields=tuple(fields),
        constants=tuple(constants),
        scales=tuple(FieldScale(each, 1.0) for each in (*fields, *constants)),
    )


def _rows(rows: list[list[int]]) -> dict[tuple[int, int], int]:
    return {(k, p): channels for k, p, channels in rows}


def _channels(fields: tuple[Field, ...]) -> dict[tuple[int, int], int]:
    counts: dict[tuple[int, int], int] = {}
    for each in fields:
        counts[each.k, each.p] = counts.get((each.k, each.p), 0) + 1
    return counts
