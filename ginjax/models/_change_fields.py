"""Adding fields to a model and removing fields from it, without changing what it computes of the others."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np

from .._version import __version__
from ..checkpoint import DataContract, FieldChange, ModelRecord, kept_channels
from ..errors import UnsupportedError
from ..filters import FilterBank, FilterKey, bank_from_arrays, make_bank
from ..geometric import Signature, SignatureLike, signature_union
from ..transfer import (
    Certificate,
    ConvLayer,
    Ends,
    LayerChannels,
    array_digest,
    carry_channels,
    match_channels,
    match_plain_channels,
    role_keys,
)
from ._any_dimensional import AnyDimensionalModel
from ._architectures import OWN, find_architecture
from ._build import build_model
from ._file import from_record, to_record
from ._kept_outputs import check_kept
from ._module import MultiImageModule
from ._named_arrays import layer_table, named_arrays, plain_table
from ._network import signature_of
from ._spec import ModelSpec, signature_to_rows
from ._wrappers import GroupAverage, LastStepIdentity
from .blocks import PRODUCT_KEYS

_Model = TypeVar("_Model", bound=MultiImageModule)


def change_fields(record: ModelRecord, change: FieldChange, *, seed: int = 0) -> ModelRecord:
    """Add fields to a model or remove fields from it.

    New fields get weights of zero. So their values do not change the old outputs. The new outputs are zero, which is the mean
    of the field, or no change if the model predicts changes. Hidden channels of new orders and parities start with initial
    weights, and no old channel reads them. When a field is removed, its weights are removed. The model then computes what it
    computed before with that field at its mean.

    A certificate still holds for the fields that the model had when it was converted, and names these fields.

    **Arguments:**

    - `record`: the model.
    - `change`: the change, from `ginjax.checkpoint.change_of_fields`.
    - `seed`: the seed of the initial weights of new hidden channels.

    **Raises:** `UnsupportedError` if the width of a layer or of a norm depends on the fields, or if the new fields need filters
    that the model lacks and its filters match no recipe.
    """
    result = record
    for contract in (change.between, change.after):
        result = _with_channels(result, contract, seed)
    result = replace(result, certificate=_of_fields(record, change, result.arrays))
    if record.certificate is not None and not record.certificate_is_stale:
        result = result.certified(result.certificate)
    return result.with_step(
        step="fields",
        version=__version__,
        added=[each.kind for each in change.added],
        dropped=[each.kind for each in change.dropped],
        source=record.digest,
    )


def with_changed_fields(model: _Model, before: DataContract, after: DataContract, *, seed: int = 0) -> _Model:
    """Add fields to a network in memory or remove fields from it, as `change_fields` does for a record.

    **Arguments:**

    - `model`: the network, alone or in a `GroupAverage`. A `LastStepIdentity` works on any fields and is returned as it is.
    - `before`, `after`: contracts with the fields before and after the change.
    - `seed`: the seed of the initial weights of new hidden channels.

    **Raises:** as `change_fields`, and `UnsupportedError` for a network that is not an `AnyDimensionalModel`.
    """
    if isinstance(model, LastStepIdentity):
        return model
    if isinstance(model, GroupAverage):
        return eqx.tree_at(
            lambda each: each.model, model, with_changed_fields(model.model, before, after, seed=seed)
        )
    if not isinstance(model, AnyDimensionalModel):
        raise UnsupportedError(
            f"other fields for a {type(model).__name__}",
            expected="one of the library's architectures, alone or in a GroupAverage",
        )
    record = to_record(model, contract=before)
    names = {each.name for each in before.everything}
    fields, constants = (
        (*own, *(each for each in new if each.name not in names))
        for own, new in ((before.fields, after.fields), (before.constants, after.constants))
    )
    for contract in (before.with_fields(fields, constants), after):
        record = _with_channels(record, contract, seed)
    return from_record(record)  # pyright: ignore[reportReturnType]


def drop_fields(record: ModelRecord, names: Collection[str]) -> ModelRecord:
    """Remove fields: the model computes what it did with them at their means; history and certificate are not updated."""
    contract = record.contract
    if not names:
        return record
    fields, constants = (
        [each for each in some if each.name not in names] for some in (contract.fields, contract.constants)
    )
    return _with_channels(record, contract.with_fields(fields, constants), 0)


def layer_channels(
    before: ModelRecord, after: ModelRecord, inputs: Ends, outputs: Ends
) -> dict[str, LayerChannels]:
    """Match the channels of every convolution before and after, if fields were only added or only removed."""
    plain = match_plain_channels(before.plain_layers, after.plain_layers, inputs, outputs, after.D)
    shapes = [{name: array.shape for name, array in each.arrays.items()} for each in (before, after)]
    return plain | match_channels(before.layers, after.layers, inputs, outputs, (shapes[0], shapes[1]))


def _with_channels(record: ModelRecord, contract: DataContract, seed: int) -> ModelRecord:
    """Make the record for a contract to which fields were only added, or from which they were only removed."""
    inputs, outputs = kept_channels(record.contract, contract)
    spec = ModelSpec.from_json(record.spec)
    signatures = signature_of(contract.inputs), signature_of(contract.predicted)
    if (record.contract.fields, record.contract.constants) == (contract.fields, contract.constants):
        return replace(record, contract=contract)
    new = _spec_for(spec, *signatures)
    banks = _banks_for(new, record.D, record.banks)
    model = build_model(new, record.D, banks, jax.random.key(seed))
    dtype = _common(record.arrays.values())
    fresh = {name: array.astype(dtype) for name, array in named_arrays(model).items()}
    made = replace(
        record,
        spec=new.to_json(),
        banks=banks,
        layers=layer_table(model),
        plain_layers=plain_table(model),
        contract=contract,
        arrays=fresh,
    )
    channels = layer_channels(record, made, inputs, outputs)
    made = replace(
        made, arrays=carry_channels(record.arrays, fresh, channels, _last(model, frozenset(channels)))
    )
    if find_architecture(spec.architecture) not in OWN:
        check_kept(record, made)
    return made


def _spec_for(spec: ModelSpec, inputs: Signature, outputs: Signature) -> ModelSpec:
    """Change the signatures of input and output, and add hidden channels for new orders and parities."""
    options = dict(spec.options)
    cls = find_architecture(spec.architecture)
    complete = cls.complete(options)
    if spec.equivariant and "mid_keys" in complete:
        depth = complete[cls.words["channels"]] if "channels" in cls.words else None
        middle = complete["mid_keys"]
        if middle is None and depth is not None:
            middle = signature_union(spec.inputs, spec.outputs, depth)
        if middle is not None:
            have = {key for key, _ in middle}
            width = depth if isinstance(depth, int) else max(channels for _, channels in middle)
            more = [(key, width) for key, _ in signature_union(inputs, outputs, 1) if key not in have]
            options["mid_keys"] = Signature([*middle, *more])
    return ModelSpec.make(spec.architecture, inputs, outputs, **options)


def _banks_for(spec: ModelSpec, D: int, banks: Mapping[str, FilterBank]) -> Mapping[str, FilterBank]:
    """Return the filters of a network, with additional ones if its fields need them."""
    if not spec.equivariant:
        return banks
    middle: SignatureLike = spec.option("mid_keys") or ()
    everything = signature_to_rows(signature_union(signature_union(spec.inputs, spec.outputs, 1), middle, 1))
    needed = role_keys((ConvLayer("", "conv", everything, everything),), "conv")
    cls = find_architecture(spec.architecture)
    found = dict(banks)
    conv = banks["conv"].recipe
    recipes: Mapping[str, Any] = (
        {} if conv is None else cls.bank_recipes(cls.complete(dict(spec.options)), conv)
    )
    for role in {*banks, *recipes}:
        keys = set(PRODUCT_KEYS) if role == "product" else needed
        if role in banks:
            found[role] = _with_keys(banks[role], keys)
        else:
            found[role] = make_bank(D, recipes[role], tuple(sorted(keys)))
    return found


def _with_keys(bank: FilterBank, keys: Iterable[FilterKey]) -> FilterBank:
    missing = sorted(set(keys) - set(bank.keys))
    if not missing:
        return bank
    if bank.recipe is None:
        raise UnsupportedError(
            "new fields for a network with filters that match no recipe",
            got=f"no filters of {', '.join(f'order {k}, parity {p}' for k, p in missing)}",
            expected="filters that are made by a recipe, of which there are more",
        )
    whole = make_bank(bank.D, bank.recipe, tuple(sorted({*bank.keys, *missing})))
    blocks = {key: (bank if key in bank.keys else whole).blocks[key].filters for key in whole.keys}
    return bank_from_arrays(bank.D, blocks, bank.recipe)


def _last(model: AnyDimensionalModel, names: frozenset[str]) -> frozenset[str]:
    """Return the convolutions whose outputs are those of the network."""
    ends = model.output_convs
    found = {name for name in names if any(name == end or name.startswith(f"{end}.") for end in ends)}
    beside = {f"{name.removesuffix('.conv')}.product_conv" for name in found if name.endswith(".conv")}
    return frozenset(found | (beside & names))


def _common(arrays: Iterable[np.ndarray]) -> np.dtype:
    """Return the widest dtype of the arrays."""
    return max(
        (array.dtype for array in arrays), key=lambda dtype: dtype.itemsize, default=np.dtype("float32")
    )


def _of_fields(
    record: ModelRecord, change: FieldChange, arrays: Mapping[str, np.ndarray]
) -> Certificate | None:
    """Restrict the certificate of a model to the fields that stay; None if none of its fields stay."""
    certificate = record.certificate
    if certificate is None:
        return None
    spoken = certificate.fields or tuple(each.name for each in record.contract.everything)
    gone = {each.name for each in change.dropped}
    stay = tuple(name for name in spoken if name not in gone)
    if not stay and spoken:
        return None
    if record.certificate_is_stale:
        return replace(certificate, fields=stay)
    return replace(certificate.of_weights(array_digest(arrays), certificate.paths), fields=stay)
