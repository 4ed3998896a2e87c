"""The parity lift of the fields in a model file; the conversion lifts the weights."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ginjax.errors import ArgumentError
from ginjax.transfer import lift_key

from ._model_file import ModelRecord


def to_be_lifted(record: ModelRecord) -> str | None:
    """A warning before a 2D model with odd scalars is converted to 3D without a lift; None for any other model.

    The vorticity of a flow in the plane is one component of a vector in 3D, not an odd scalar there.

    **Arguments:**

    - `record`: the model before the conversion.
    """
    if record.D != 2 or not _can_be_lifted(record):
        return None
    odd = [
        each.name
        for each in (*record.contract.fields, *record.contract.constants)
        if (each.k, each.p) == (0, 1)
    ]
    named = f" ({', '.join(odd)})" if odd else ""
    return (
        f"the 2D model has odd scalars{named}: in 3D such fields, like the vorticity of a flow, are odd vectors; "
        "`lift_parity=True` converts them into these"
    )


def _can_be_lifted(record: ModelRecord) -> bool:
    keys = {row[:2] for layer in record.layers for row in (*layer.inputs, *layer.outputs)}
    return (0, 1) in keys and (1, 1) not in keys


def lift_record(record: ModelRecord) -> ModelRecord:
    """Turn every odd scalar field of a record into an odd vector field, see `ginjax.transfer.lift_key`.

    **Raises:** `ArgumentError` if the model already has odd vectors, or has no odd scalars.
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
