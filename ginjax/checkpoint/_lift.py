"""The parity lift of what a model file says about its fields; the weights are lifted by the conversion."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ginjax.errors import ArgumentError
from ginjax.transfer import lift_key

from ._model_file import ModelRecord


def lift_record(record: ModelRecord) -> ModelRecord:
    """The record with every odd scalar field renamed to an odd vector field, see `ginjax.transfer.lift_key`.

    **Raises:** `ArgumentError` if the model has odd vectors already, or no odd scalars at all.
    """
    keys = {row[:2] for layer in record.layers for row in (*layer.inputs, *layer.outputs)}
    if (0, 1) not in keys or (1, 1) in keys:
        raise ArgumentError(
            "parity lift",
            got="no odd scalars" if (0, 1) not in keys else "odd scalars and odd vectors",
            expected="a model with odd scalars (such as vorticity:0-) and no odd vectors",
        )
    spec = dict(record.spec)
    options = dict(spec.get("options", {}))
    if options.get("mid_keys"):
        options["mid_keys"] = _rows(options["mid_keys"])
    spec |= {"inputs": _rows(spec["inputs"]), "outputs": _rows(spec["outputs"]), "options": options}
    layers = tuple(
        replace(layer, inputs=_tuples(layer.inputs), outputs=_tuples(layer.outputs))
        for layer in record.layers
    )
    return replace(record, spec=spec, layers=layers, contract=record.contract.lifted())


def _rows(rows: Iterable[Sequence[int]]) -> list[list[int]]:
    return sorted([*lift_key((k, p)), c] for k, p, c in rows)


def _tuples(rows: Iterable[Sequence[int]]) -> tuple[tuple[int, int, int], ...]:
    return tuple((k, p, c) for k, p, c in _rows(rows))
