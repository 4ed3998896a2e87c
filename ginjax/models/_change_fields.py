"""Models that gain fields, or lose some, and go on with all that they have learned of the others."""

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
    """A model with other fields.

    New fields come in by weights of zero: whatever they are, the old outputs stay what they were, and the new ones are
    zero, which is the mean of a field, or no change. Inside, channels for orders and parities that the network did not
    have begin with initial weights, and none of the old channels sees them. Of a field that is taken away the weights go:
    what is left computes what it did where that field was at its mean.

    A certificate goes on to hold for the fields that the model had when it was converted, and names them.

    **Arguments:**

    - `record`: the model.
    - `change`: from `ginjax.checkpoint.change_of_fields`.
    - `seed`: of initial weights inside.

    **Raises:** `UnsupportedError` for a network that cannot be carried so: the width of a layer or a norm depends on the
    fields, or filters are needed that its own, which match no recipe, do not have.
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
    """A network in memory with other fields, as `change_fields` makes it.

    **Arguments:**

    - `model`: the network, or one in a `GroupAverage`; a `LastStepIdentity` works on any fields.
    - `before`, `after`: contracts with its fields before and after.
    - `seed`: of initial weights inside.

    **Raises:** as `change_fields`; `UnsupportedError` for a network that is none of the library's architectures.
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
    """What a model is on its other fields while these are at their means; without history and certificate of its own."""
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
    """Which channels of every convolution go on as which, where fields were only added or only taken away."""
    plain = match_plain_channels(before.plain_layers, after.plain_layers, inputs, outputs, after.D)
    shapes = [{name: array.shape for name, array in each.arrays.items()} for each in (before, after)]
    return plain | match_channels(before.layers, after.layers, inputs, outputs, (shapes[0], shapes[1]))


def _with_channels(record: ModelRecord, contract: DataContract, seed: int) -> ModelRecord:
    """The record for a contract with other fields, which were only added or only taken away."""
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
    """The specification with other ends and the same blocks inside, and further ones for what is new."""
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
    """The filters of a network, with further ones where its fields ask for them."""
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
    """The convolutions whose outputs are those of the network."""
    ends = model.output_convs
    found = {name for name in names if any(name == end or name.startswith(f"{end}.") for end in ends)}
    beside = {f"{name.removesuffix('.conv')}.product_conv" for name in found if name.endswith(".conv")}
    return frozenset(found | (beside & names))


def _common(arrays: Iterable[np.ndarray]) -> np.dtype:
    """The dtype of the arrays, the widest where there are several."""
    return max(
        (array.dtype for array in arrays), key=lambda dtype: dtype.itemsize, default=np.dtype("float32")
    )


def _of_fields(
    record: ModelRecord, change: FieldChange, arrays: Mapping[str, np.ndarray]
) -> Certificate | None:
    """The certificate of a model as one of the fields that stay; None where none of those it speaks of do."""
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
