"""Models in files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..checkpoint import ModelRecord, read_model, write_model
from ..errors import ArgumentError, FileError
from ..geometric import parse_torus
from ..transfer import Certificate
from ._build import build_model
from ._module import AnyDimensionalModel
from ._named_arrays import layer_table, model_banks, named_arrays, with_arrays
from ._spec import ModelSpec


@dataclass(frozen=True)
class LoadedModel:
    """A model read from a file, and the record it came from."""

    model: AnyDimensionalModel
    record: ModelRecord


def to_record(
    model: AnyDimensionalModel,
    *,
    is_torus: bool | Sequence[bool] = True,
    data: Mapping[str, Any] | None = None,
    provenance: Sequence[Mapping[str, Any]] = (),
    certificate: Certificate | None = None,
) -> ModelRecord:
    """What a file holds of a model.

    **Arguments:**

    - `is_torus`: which axes are periodic.
    - `data`: what it was trained on, as a JSON object.
    - `provenance`: the steps that led to it, as JSON objects.
    - `certificate`: of its conversion, if it was converted.
    """
    return ModelRecord(
        D=model.D,
        spec=model.spec.to_json(),
        banks=model_banks(model),
        layers=layer_table(model),
        is_torus=parse_torus(is_torus, model.D),
        arrays=named_arrays(model),
        data=data,
        provenance=tuple(provenance),
        certificate=certificate,
    )


def from_record(record: ModelRecord) -> AnyDimensionalModel:
    """Build the model of a record.

    Arrays of a precision that JAX has not enabled (float64 without `jax_enable_x64`) are rounded to float32.

    **Raises:** `ArgumentError` if spec, banks and arrays do not fit each other.
    """
    spec = ModelSpec.from_json(record.spec)
    model = build_model(spec, record.D, record.banks)
    if layer_table(model) != record.layers:
        raise ArgumentError("layer table", got="other layers", expected="those of the spec")
    return with_arrays(model, record.arrays)


def save_model(
    path: str | os.PathLike[str], model: AnyDimensionalModel, *, force: bool = False, **about: Any
) -> str:
    """Write a model; `about` as in `to_record`. Returns the SHA-256 of the file."""
    return write_model(path, to_record(model, **about), force=force)


def load_model(path: str | os.PathLike[str]) -> LoadedModel:
    """Read a model.

    **Raises:** `FileError` if the file cannot be read or its parts do not fit each other.
    """
    record = read_model(path)
    try:
        return LoadedModel(from_record(record), record)
    except ArgumentError as error:
        raise FileError(
            f"{path}: {error.problem}", hint=error.hint or "The file is corrupt or was changed by hand."
        ) from error
