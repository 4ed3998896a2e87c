"""The model file: everything about a trained model except its code."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ginjax.errors import ArgumentError, FileError
from ginjax.filters import (
    BankRecipe,
    FilterBank,
    FilterKey,
    bank_from_arrays,
    make_bank,
    nameless_bank,
    symmetries,
)
from ginjax.transfer import Certificate, ConvLayer, PlainLayer, array_digest, check_weights, model_digest

from ._contract import DataContract
from ._contract_json import contract_from_json, contract_to_json
from ._describe import read_spec
from ._earlier import from_schema_1
from ._expect import expect
from ._file import ModelFile, read_file, write_file
from ._limits import check_bank_size

ROLES = ("conv", "upsample", "product")

_BANK_PREFIX = "bank"


@dataclass(frozen=True, eq=False)
class ModelRecord:
    """A model as its file stores it. Two records are equal if all their parts are equal, bit for bit.

    **Arguments:**

    - `spec`: the description of the model, independent of the dimension, as a JSON object.
    - `banks`: its filters by role.
    - `layers`: the layer table.
    - `contract`: the data contract.
    - `arrays`: all trained values by dotted name.
    - `provenance`: every step so far, oldest first, as JSON objects.
    - `certificate`: certificate of the last conversion, or None.
    - `plain_layers`: the convolutions of a model that is not equivariant.
    """

    spec: Mapping[str, Any]
    banks: Mapping[str, FilterBank]
    layers: tuple[ConvLayer, ...]
    contract: DataContract
    arrays: Mapping[str, np.ndarray] = field(repr=False)
    provenance: tuple[Mapping[str, Any], ...] = ()
    certificate: Certificate | None = None
    plain_layers: tuple[PlainLayer, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModelRecord):
            return NotImplemented
        named = (each.name for each in fields(self) if each.name != "arrays")
        return (
            all(getattr(self, name) == getattr(other, name) for name in named)
            and self.arrays.keys() == other.arrays.keys()
            and all(_same_bits(array, other.arrays[name]) for name, array in self.arrays.items())
        )

    @property
    def D(self) -> int:
        """Number of spatial dimensions."""
        return self.contract.D

    @property
    def is_torus(self) -> tuple[bool, ...]:
        """For each axis, whether it is periodic."""
        return self.contract.is_torus

    @property
    def digest(self) -> str:
        """The digest of everything that a prediction depends on, and of the numbers of the certificate."""
        described = {
            "spec": self.spec,
            "banks": {role: [_bank_to_json(bank), bank.digest] for role, bank in self.banks.items()},
            "layers": [layer.to_json() for layer in self.layers],
            "plain_layers": [layer.to_json() for layer in self.plain_layers],
            "contract": contract_to_json(self.contract),
            "certificate": None if self.certificate is None else self.certificate.numbers(),
        }
        return model_digest(self.arrays, described)

    @property
    def certificate_is_stale(self) -> bool:
        """Whether something that the certificate covers has changed since it was made."""
        if self.certificate is None:
            return False
        now = array_digest(self.arrays) if self.certificate.covers == "weights" else self.digest
        return self.certificate.digest != now

    def certified(self, certificate: Certificate | None) -> "ModelRecord":
        """The record with a certificate that covers the whole record from now on.

        A certificate of other weights is not changed, and is stale.
        """
        if certificate is None:
            return replace(self, certificate=None)
        made = replace(self, certificate=certificate)
        if certificate.covers == "model" or made.certificate_is_stale:
            return made
        return replace(made, certificate=certificate.sealed(made.digest))

    @property
    def parameters(self) -> int:
        """The number of trained values."""
        return sum(int(a.size) for a in self.arrays.values())

    def with_step(self, **step: object) -> "ModelRecord":
        """The record with one more step of provenance."""
        return replace(self, provenance=(*self.provenance, step))


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()


def write_model(path: str | os.PathLike[str], record: ModelRecord, *, force: bool = False) -> str:
    """Write a model file; equal records give equal bytes.

    **Returns:** the SHA-256 of the file, in hexadecimal.

    **Raises:** as `write_file`.
    """
    arrays = dict(record.arrays)
    banks = {}
    for role, bank in record.banks.items():
        check_bank_size(bank.D, bank.side, bank.keys, bank.recipe)
        banks[role] = _bank_to_json(bank) | {"stored": not _is_recipes_own(bank)}
        if banks[role]["stored"]:
            arrays |= {_bank_array(role, key): block.filters for key, block in bank.blocks.items()}
    header = {
        "kind": "model",
        "spec": record.spec,
        "banks": banks,
        "layers": [layer.to_json() for layer in record.layers],
        "plain_layers": [layer.to_json() for layer in record.plain_layers],
        "contract": contract_to_json(record.contract),
        "provenance": list(record.provenance),
        "certificate": None if record.certificate is None else record.certificate.to_json(),
    }
    return write_file(path, arrays, header, force=force)


def read_model(path: str | os.PathLike[str]) -> ModelRecord:
    """Read and check a model file.

    **Raises:** `FileError` that names the file and says what is wrong with it.
    """
    content = read_file(path, kind="model")
    try:
        return _record(content)
    except ArgumentError as error:
        raise FileError(
            f"{path}: {error.problem}", hint=error.hint or "The file is corrupt or was changed by hand."
        ) from error


def _record(content: ModelFile) -> ModelRecord:
    header, where = content.header, content.path
    if header["schema"] == 1:
        header = from_schema_1(header, where)
    contract = contract_from_json(expect(header, "contract", dict, where=where), where)
    spec = read_spec(header, where)
    rows = expect(header, "layers", list, where=where, most=100_000)
    layers = tuple(ConvLayer.from_json(row) for row in rows)
    if len({layer.name for layer in layers}) != len(layers):
        raise ArgumentError("layer table", expected="each layer once")
    plain = expect(header, "plain_layers", list, where=where, default=[], most=100_000)
    described = expect(header, "banks", dict, where=where)
    arrays = {name: a for name, a in content.arrays.items() if not name.startswith(f"{_BANK_PREFIX}.")}
    stored = {name: a for name, a in content.arrays.items() if name not in arrays}
    banks = {}
    for role in described:
        if role not in ROLES:
            raise ArgumentError("role of a bank", got=repr(role), expected=" or ".join(ROLES))
        banks[role] = _read_bank(where, described[role], role, contract.D, stored)
    if stored:
        raise ArgumentError("filter arrays", got=sorted(stored)[:3], expected="those of a bank of the model")
    check_weights(layers, banks, {name: a.shape for name, a in arrays.items()})
    certificate = header.get("certificate")
    steps = expect(header, "provenance", list, where=where, most=100_000)
    if not all(isinstance(step, dict) for step in steps):
        raise ArgumentError("field 'provenance'", expected="a list of objects")
    return ModelRecord(
        spec=spec,
        banks=banks,
        layers=layers,
        contract=contract,
        arrays=arrays,
        provenance=tuple(steps),
        certificate=None if certificate is None else Certificate.from_json(certificate),
        plain_layers=tuple(PlainLayer.from_json(row) for row in plain),
    )


def _read_bank(
    where: Path, described: object, role: str, D: int, stored: dict[str, np.ndarray]
) -> FilterBank:
    """Build a bank from its description; the arrays used for it are removed from `stored`."""
    if not isinstance(described, dict):
        raise ArgumentError(f"bank {role!r}", expected="an object")
    keys = [_read_key(key) for key in expect(described, "keys", list, where=where, most=64)]
    given = described.get("recipe")
    recipe = None if given is None else BankRecipe.from_json(given)
    if not expect(described, "stored", bool, where=where):
        if recipe is None:
            raise ArgumentError(f"bank {role!r}", got="neither recipe nor filters", expected="one of them")
        check_bank_size(D, recipe.side, keys, recipe)
        return make_bank(D, recipe, keys)
    blocks = {}
    for key in keys:
        name = _bank_array(role, key)
        if name not in stored:
            raise ArgumentError(f"array {name!r}", got="nothing", expected="the filters of a bank")
        blocks[key] = stored.pop(name)
        if blocks[key].ndim != 1 + D + key[0]:
            raise ArgumentError(f"array {name!r}", got=blocks[key].shape, expected=f"{1 + D + key[0]} axes")
    if not blocks:
        raise ArgumentError(f"bank {role!r}", got="no filters", expected="an order and parity at least")
    check_bank_size(D, max(b.shape[1] for b in blocks.values()), keys, recipe)
    if recipe is not None:
        return bank_from_arrays(D, blocks, recipe)
    bank = nameless_bank(D, blocks)
    if symmetries(D, blocks) == 1:
        raise ArgumentError(
            f"filters of bank {role!r}",
            got="filters that change under every reflection and rotation of the grid",
            expected="filters with a symmetry",
            hint="The file is corrupt or was changed by hand: no network with them is equivariant.",
        )
    return bank


def _read_key(key: object) -> FilterKey:
    if not (isinstance(key, list) and len(key) == 2 and all(type(v) is int for v in key)):
        raise ArgumentError("key of a bank", got=repr(key)[:40], expected="[order, parity]")
    if not (0 <= key[0] <= 32 and key[1] in (0, 1)):
        raise ArgumentError("key of a bank", got=key, expected="an order up to 32 and a parity 0 or 1")
    return key[0], key[1]


def _bank_to_json(bank: FilterBank) -> dict[str, object]:
    recipe = None if bank.recipe is None else bank.recipe.to_json()
    return {"recipe": recipe, "keys": [list(key) for key in bank.keys]}


def _is_recipes_own(bank: FilterBank) -> bool:
    """Whether the recipe alone gives exactly this bank, including order and signs."""
    return bank.recipe is not None and make_bank(bank.D, bank.recipe, bank.keys).digest == bank.digest


def _bank_array(role: str, key: FilterKey) -> str:
    return f"{_BANK_PREFIX}.{role}.k{key[0]}p{key[1]}"
