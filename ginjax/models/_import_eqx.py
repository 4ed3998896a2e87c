"""Import of checkpoints (`.eqx`) of the reference library."""

import os
from collections.abc import Iterator, Sequence
from typing import NoReturn, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from ..checkpoint import DataContract, EqxFile, read_eqx
from ..errors import ArgumentError, FileError
from ..filters import BankRecipe, FilterBank, bank_from_arrays, filters_among, in_terms_of
from ._build import outline
from ._eqx_tree import Additive, Blocks, Entry, Filters, entries_of, split_records
from ._file import LoadedModel, to_record
from ._named_arrays import dotted
from ._spec import ModelSpec

_Model = TypeVar("_Model")

_HINT = "Describe the network as it was built: architecture, signatures and every option that is not at its default."


def import_eqx(
    path: str | os.PathLike[str],
    spec: ModelSpec,
    *,
    D: int | None = None,
    recipe: BankRecipe | None = None,
    contract: DataContract | None = None,
    **step: object,
) -> LoadedModel:
    """Read a checkpoint of the reference library, plain or equivariant.

    The filters are in the file; their order, signs and scale are kept. Filters that match a recipe up to 3e-4 are replaced by
    the exact filters of that recipe.

    **Arguments:**

    - `path`: the `.eqx` file; a line of JSON may stand before its arrays.
    - `spec`: the specification of the saved network, which the file does not contain.
    - `D`: the dimension; None takes it from the filters or kernels.
    - `recipe`: the recipe of the filters; None looks for one. In one dimension several recipes give the same filters, and the
      conversion to more dimensions depends on the recipe.
    - `contract`: the requirements on the data; None if they are not known.
    - `step`: further entries of the provenance.

    **Returns:** the model and its record, ready for `ginjax.checkpoint.write_model`.

    **Raises:** `FileError` if the file is not a checkpoint or holds another network; the message names the first array that
    differs. `ArgumentError` for a spec that cannot be built.
    """
    file = read_eqx(path)
    D = _dimension(file, spec) if D is None else D
    banks = _banks(file, D, recipe) if spec.equivariant else {}
    model = fill_from_eqx(outline(spec, D, banks), file)
    provenance = {"step": "import", **step}
    if file.further is not None:
        provenance["further"] = file.further
    return LoadedModel(model, to_record(model, contract=contract, provenance=[provenance]))


def fill_from_eqx(model: _Model, file: EqxFile) -> _Model:
    """Replace every array of a model by that of a checkpoint of the same structure.

    If the filters in the file differ from the model's filters in order, sign, scale or basis, the weights are changed so that
    the kernels stay the same with the model's filters.

    **Arguments:**

    - `model`: any pytree, or its outline.
    - `file`: the checkpoint.

    **Raises:** `FileError` for a checkpoint of another structure; the message names the first array that differs.
    """
    dimensions = {entry.bank.D for entry in entries_of(model) if isinstance(entry, Filters)}
    if len(dimensions) > 1:
        raise ArgumentError("model", got=f"dimensions {sorted(dimensions)}", expected="one dimension")
    try:
        records = split_records(file.arrays, dimensions.pop()) if dimensions else list(file.arrays)
    except FileError as error:
        raise FileError(f"{file.path}: {error.problem}", hint=_HINT) from error
    leaves = dict(_paired(model, records, file))

    def take(path: tuple, leaf: object) -> object:
        return leaves.get(jax.tree_util.keystr(path), leaf)

    return jax.tree_util.tree_map_with_path(take, model)


def _paired(
    model: PyTree, records: Sequence[np.ndarray | Blocks], file: EqxFile
) -> Iterator[tuple[str, object]]:
    """Yield the arrays of the file with their places in the model."""
    entries = list(entries_of(model))
    following = _filters_after(entries, records)
    for number, entry in enumerate(entries):
        record = records[number] if number < len(records) else None
        if isinstance(entry, Filters):
            if not isinstance(record, dict):
                _refuse(file, records, number, entry)
            continue
        if not isinstance(record, np.ndarray):
            _refuse(file, records, number, entry)
        if isinstance(entry, Additive):
            _check_additive(record, entry, file)
            continue
        if entry.of_filters is not None:
            given = following[number]
            record = _in_own_filters(record, *entry.of_filters, given) if given is not None else None
        if record is None or record.shape != entry.shape or record.dtype.kind != entry.kind:
            _refuse(file, records, number, entry)
        taken = jnp.asarray(record) if entry.scalar is None else entry.scalar(record.item())
        yield jax.tree_util.keystr(entry.path), taken
    if len(records) > len(entries):
        _refuse(file, records, len(entries), None)


def _filters_after(entries: list[Entry], records: Sequence[np.ndarray | Blocks]) -> list[Blocks | None]:
    """Return, for each record, the next filters in the file."""
    found: list[Blocks | None] = [None] * len(entries)
    latest: Blocks | None = None
    for number in reversed(range(min(len(entries), len(records)))):
        record = records[number]
        latest = record if isinstance(record, dict) else latest
        found[number] = latest
    return found


def _in_own_filters(
    weights: np.ndarray, known: np.ndarray, key: tuple[int, int], given: Blocks
) -> np.ndarray | None:
    """Express weights `(out, in, n)` of the file's filters by the model's filters; None if these do not span them."""
    if key not in given or weights.ndim != 3:
        return None
    filters = given[key]
    matrix = in_terms_of(known, filters) if weights.shape[2] == len(filters) else None
    if matrix is None:
        return None
    if matrix.shape == (len(known),) * 2 and np.array_equal(matrix, np.eye(len(known))):
        return weights
    return (weights.astype(np.float64) @ matrix).astype(weights.dtype)


def _check_additive(record: np.ndarray, entry: Additive, file: EqxFile) -> None:
    if record.shape != entry.shape or np.any(record != 0):
        raise FileError(
            f"{file.path}: the norm at {dotted(entry.path[:-2])} adds a constant to odd scalars",
            got=f"up to {np.abs(record).max(initial=0.0):.2g}",
            expected="0",
            hint="A constant does not change sign under a reflection as odd scalars do, so the network was not equivariant. "
            "Set that bias to zero and train on.",
        )


def _refuse(
    file: EqxFile, records: Sequence[np.ndarray | Blocks], number: int, entry: Entry | None
) -> NoReturn:
    record = records[number] if number < len(records) else None
    got = "the end of the file" if record is None else _described(record)
    if entry is None:
        expected = "the end of the file"
    elif isinstance(entry, Filters):
        expected = f"filters of side {entry.bank.side} in dimension {entry.bank.D}"
    else:
        expected = f"{entry.shape} for {dotted(entry.path)}"
    raise FileError(
        f"{file.path}: array {_position(records, number)} of {len(file.arrays)}",
        got=got,
        expected=expected,
        hint=f"{_HINT}{_seen(records)}",
    )


def _described(record: np.ndarray | Blocks) -> str:
    if isinstance(record, dict):
        return "filters of " + ", ".join(f"k{k}p{p}" for k, p in record)
    return f"{record.dtype} {record.shape}"


def _position(records: Sequence[np.ndarray | Blocks], number: int) -> int:
    """Return the number of a record in the file, counted from 1."""
    return 1 + sum(len(each) if isinstance(each, dict) else 1 for each in records[:number])


def _seen(records: Sequence[np.ndarray | Blocks]) -> str:
    """Describe the network as far as its file shows."""
    first = records[0]
    if isinstance(first, dict) or not first.ndim:
        return ""
    convolutions = sum(isinstance(each, dict) for each in records)
    kernels = sum(isinstance(each, np.ndarray) and each.ndim > 3 for each in records)
    count = convolutions or kernels
    return f" Its file has {count} convolutions; the first makes {first.shape[0]} channels." if count else ""


def _dimension(file: EqxFile, spec: ModelSpec) -> int:
    """Find the dimension of the filters or kernels."""
    if not spec.equivariant:
        D = file.arrays[0].ndim - 2
        if D < 1:
            raise FileError(
                f"{file.path}: the first array is no kernel", got=file.arrays[0].shape, hint=_HINT
            )
        return D
    found = list(filters_among(file.arrays))
    if len(found) == 1:
        return found[0]
    raise FileError(
        f"{file.path}: holds no invariant filters"
        if not found
        else f"{file.path}: has filters that fit dimensions {found}",
        expected="a checkpoint of an equivariant network",
        hint="An ordinary CNN is imported with `plain=True`." if not found else "State the dimension.",
    )


def _banks(file: EqxFile, D: int, recipe: BankRecipe | None) -> dict[str, FilterBank]:
    """Return the filters of the file by role: those of the first convolution, and others if there are any."""
    distinct: dict[bytes, Blocks] = {}
    for record in split_records(file.arrays, D):
        if isinstance(record, dict):
            text = repr([(key, each.shape) for key, each in record.items()]).encode()
            distinct.setdefault(text + b"".join(each.tobytes() for each in record.values()), record)
    if not 1 <= len(distinct) <= 2:
        raise FileError(
            f"{file.path}: has {len(distinct)} different collections of filters in dimension {D}",
            expected="one, and one for up-sampling",
            hint="Check the dimension; an ordinary CNN is imported with `plain=True`.",
        )
    recipes = (recipe, None)
    return {
        role: bank_from_arrays(D, blocks, given)
        for role, blocks, given in zip(("conv", "upsample"), distinct.values(), recipes, strict=False)
    }
