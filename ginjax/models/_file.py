"""Saving and loading of model files."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax

from ..checkpoint import (
    DataContract,
    ModelRecord,
    check_padding,
    read_model,
    spec_padding,
    with_padding,
    write_model,
)
from ..errors import ArgumentError, FileError, GinjaxWarning, UnsupportedError
from ..geometric import parse_torus
from ..transfer import Certificate
from ._any_dimensional import AnyDimensionalModel
from ._architectures import ARCHITECTURES, find_architecture
from ._as_built import changed_by_hand
from ._build import outline
from ._named_arrays import layer_table, model_banks, named_arrays, plain_table, with_arrays
from ._network import signature_of
from ._spec import ModelSpec


@dataclass(frozen=True)
class LoadedModel:
    """A model that was read from a file, and its record."""

    model: AnyDimensionalModel
    record: ModelRecord


def to_record(
    model: AnyDimensionalModel,
    *,
    contract: DataContract | None = None,
    is_torus: bool | Sequence[bool] = True,
    provenance: Sequence[Mapping[str, Any]] = (),
    certificate: Certificate | None = None,
) -> ModelRecord:
    """Make the record of a model, which is the content of a model file.

    **Arguments:**

    - `model`: the model.
    - `contract`: the requirements on its data; None if only the boundaries are known. The padding beyond the ends of an axis is
      taken from the network.
    - `is_torus`: which axes are periodic, if there is no contract.
    - `provenance`: the steps that led to the model, as JSON objects.
    - `certificate`: the certificate of its conversion, if it was converted.

    **Raises:** `UnsupportedError` for a model with batch norm, because the running statistics are not part of the model, and for
    a model that could not be loaded again: its class is not registered, or layers were exchanged by hand. `ArgumentError` for a
    contract of another dimension or with other fields.
    """
    _check_registered(model)
    _check_stateless(model)
    changed = changed_by_hand(model)
    if changed is not None:
        raise UnsupportedError(
            f"a {model.spec.architecture} that was changed by hand in a file",
            got=f"another {changed} than its specification builds",
            expected="a change of the values of arrays alone",
            hint="A file holds the specification and arrays. Build the model with other arguments, or register a class "
            "of your own with ginjax.models.register_architecture.",
        )
    if contract is None:
        contract = DataContract.unknown(parse_torus(is_torus, model.D))
    if contract.D != model.D:
        raise ArgumentError("dimension of the contract", got=contract.D, expected=model.D)
    for what, fields, signature in (
        ("input", contract.inputs, model.spec.inputs),
        ("output", contract.predicted, model.spec.outputs),
    ):
        if contract.fields and signature_of(fields) != signature:
            raise ArgumentError(
                f"fields of the contract, as {what} of the network",
                got=signature_of(fields),
                expected=signature,
            )
    spec = model.spec.to_json()
    return ModelRecord(
        spec=spec,
        banks=model_banks(model),
        layers=layer_table(model),
        contract=with_padding(contract, spec_padding(spec, model.D)),
        arrays=named_arrays(model),
        provenance=tuple(provenance),
        plain_layers=plain_table(model),
    ).certified(certificate)


def from_record(record: ModelRecord) -> AnyDimensionalModel:
    """Build the model of a record.

    Float64 arrays are rounded to float32 unless `jax_enable_x64` is set.

    **Raises:** `ArgumentError` if spec, banks and arrays do not fit together.
    """
    spec = ModelSpec.from_json(record.spec)
    check_padding(record.spec, record.contract)
    _check_layers(spec, max(len(record.layers), len(record.plain_layers)))
    model = outline(spec, record.D, record.banks)
    if layer_table(model) != record.layers or plain_table(model) != record.plain_layers:
        raise ArgumentError("layer table", got="other layers", expected="those of the spec")
    return with_arrays(model, record.arrays)


def _check_stateless(model: AnyDimensionalModel) -> None:
    leaves = jax.tree_util.tree_leaves(model, is_leaf=lambda leaf: isinstance(leaf, eqx.nn.StateIndex))
    if any(isinstance(leaf, eqx.nn.StateIndex) for leaf in leaves):
        raise UnsupportedError(
            "a model with batch norm in a file",
            expected="a model without state",
            hint="Its statistics are in the eqx.nn.State beside it. Use group norm, or equinox's own serialisation.",
        )


def _check_registered(model: AnyDimensionalModel) -> None:
    """Refuse a model whose class is not the registered one, because a file holds only the name of the architecture."""
    name, cls = model.spec.architecture, type(model)
    known = ARCHITECTURES.get(name)
    if known is cls:
        return
    hint = (
        f"Give it a name of its own ({cls.__name__}.architecture) and register it with "
        "ginjax.models.register_architecture."
    )
    if known is not None and known.__qualname__ == cls.__qualname__:
        hint = "The class was registered again, by register_architecture, after the model was built: build it anew."
    raise UnsupportedError(
        f"a model of the class {cls.__qualname__} in a file",
        got="no architecture of it"
        if known is None
        else f"architecture {name!r}, which is {known.__qualname__}",
        expected="a registered class",
        hint=hint,
    )


def _check_layers(spec: ModelSpec, layers: int) -> None:
    """Refuse a spec with more layers than the file has, before any of them is built."""
    architecture = find_architecture(spec.architecture)
    least = architecture.least_layers(architecture.complete(dict(spec.options)))
    if least > layers:
        raise ArgumentError("options of the spec", got=f"{least} layers", expected=f"{layers}")


def save_model(
    path: str | os.PathLike[str], model: AnyDimensionalModel, *, force: bool = False, **about: Any
) -> str:
    """Write a network to a model file.

    Without a contract the file does not say what data the network is for. A `GinjaxWarning` then says so.

    **Arguments:**

    - `path`: the file to write.
    - `model`: the network.
    - `force`: whether to replace an existing file.
    - `about`: the keyword arguments of `to_record`: contract, history and so on.

    **Returns:** the SHA-256 of the file.

    **Raises:** `FileError` if the file cannot be written, and the errors of `to_record`.
    """
    if about.get("contract") is None:
        warnings.warn(
            "the file will not say what data the network is for: fields, scales, boundaries and history are not known; a "
            "network that was trained or loaded is saved with them by ginjax.Model (with_network, save)",
            GinjaxWarning,
            stacklevel=2,
        )
    return write_model(path, to_record(model, **about), force=force)


def load_model(path: str | os.PathLike[str]) -> LoadedModel:
    """Read a model file.

    **Raises:** `FileError` if the file cannot be read or its parts do not fit together.
    """
    record = read_model(path)
    try:
        return LoadedModel(from_record(record), record)
    except (ArgumentError, UnsupportedError) as error:
        raise FileError(
            f"{path}: {error.problem}", hint=error.hint or "The file is corrupt or was changed by hand."
        ) from error
