"""Conversion of a model file to another dimension, without running the network."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ginjax._unknown_name import unknown_name
from ginjax._version import __version__
from ginjax.errors import ArgumentError, NumericsError
from ginjax.filters import FilterBank, FilterKey, make_bank
from ginjax.transfer import (
    Certificate,
    PlainRule,
    Rule,
    array_digest,
    axis_order,
    bank_chain,
    convert_weights,
    find_rule,
    inflate_weights,
    role_keys,
    with_axes_in_order,
)

from ._arrays import check_finite
from ._contract import NewBoundary
from ._conversion import Conversion
from ._lift import lift_record
from ._limits import check_bank_size, check_kernel_size
from ._model_file import ModelRecord, read_model
from ._new_axes import NewAxis, axes_added_since, new_axis_places
from ._walls import new_boundaries, spec_in_dimension

DTYPES = ("float16", "float32", "float64")


def convert_record(
    record: ModelRecord,
    to_dim: int,
    rule: Rule | PlainRule | str,
    *,
    dtype: str | None = None,
    banks: Mapping[str, FilterBank] | None = None,
    parity_lift: bool = False,
    new_boundary: str | Mapping[str, str] | None = None,
    new_axis: NewAxis | None = None,
) -> Conversion:
    """Convert a model in memory; whether the certificate shows an exact conversion is not checked here.

    **Arguments:**

    - `record`: the model.
    - `to_dim`: the new dimension.
    - `rule`: a transfer rule, or the name of one, see `ginjax.transfer.find_rule`. A `PlainRule`, such as `"centre"`
      or `"mean"`, inflates the kernels of a model that is not equivariant.
    - `dtype`: dtype of the arrays in the result; unchanged by default.
    - `banks`: filters in the new dimension by role, for a model whose own filters match no recipe.
    - `parity_lift`: turn odd scalars into odd vectors along the added axis; see `ginjax.transfer.lift_key`.
    - `new_boundary`: how fields continue beyond the ends of the new axes: `"periodic"` (the default), `"edge"` (the last
      value is repeated) or `"mirror"` (the mirror image, for even fields). One word for all new axes, or words by axis name.
    - `new_axis`: which axes of the higher dimension are added, such as `"y"`, or removed on the way down; see
      `new_axis_places`. By default the last ones; on the way down, those that a conversion added.

    **Raises:** `ArgumentError` if the dimension, the rule or the axes to remove do not fit, such as a rule for filters and a
    model without them.
    """
    rule = find_rule(rule) if isinstance(rule, str) else rule
    places = _places(record, to_dim, new_axis)
    new = new_boundaries(new_boundary, record.contract.axes, to_dim, places)
    if not isinstance(rule, Rule):
        if dtype is not None:
            raise ArgumentError(
                "dtype",
                got=repr(dtype),
                expected=f"none with the rule {rule.name!r}, which keeps that of the weights",
            )
        if parity_lift:
            raise ArgumentError(
                "parity lift",
                got=f"rule {rule.name!r}",
                expected="an equivariant model and a rule that promises compatibility",
            )
        return inflate_record(record, to_dim, rule, new_boundary=new_boundary, new_axis=new_axis)
    check_finite(record.arrays)
    if not record.layers:
        raise ArgumentError(
            "conversion by filters of a model without invariant filters",
            got=f"{record.spec.get('architecture', 'a model')} with equivariant=False",
            expected="an equivariant model",
            hint="Its kernels can be inflated, by the rule 'centre' or 'mean'.",
        )
    if dtype is not None and dtype not in DTYPES:
        raise unknown_name("dtype", dtype, DTYPES)
    _check_removed(record, to_dim, places)
    for bank in record.banks.values() if to_dim > record.D else ():
        check_bank_size(to_dim, bank.side, bank.keys, bank.recipe)
    chains = {role: bank_chain(bank, to_dim, (banks or {}).get(role)) for role, bank in record.banks.items()}
    after = lift_record(record) if parity_lift else record
    if rule.promises_compatibility:
        _check_mirror(after, new)
    if parity_lift:
        chains = {
            role: (chain[0], _with_keys(chain[-1], role_keys(after.layers, role)))
            for role, chain in chains.items()
        }
    with np.errstate(over="ignore", invalid="ignore"):  # answered below
        arrays, certificate = convert_weights(
            record.arrays,
            record.layers,
            chains,
            rule,
            None if dtype is None else np.dtype(dtype),
            parity_lift,
        )
    _check_range(arrays)
    banks_after = {role: chain[-1] for role, chain in chains.items()}
    certificate = replace(certificate, new_boundaries=new, new_axes=places)
    return _conversion(record, after, to_dim, banks_after, arrays, certificate)


def inflate_record(
    record: ModelRecord,
    to_dim: int,
    rule: PlainRule,
    *,
    new_boundary: str | Mapping[str, str] | None = None,
    new_axis: NewAxis | None = None,
) -> Conversion:
    """Convert a model that is not equivariant by inflating its kernels.

    **Arguments:**

    - `record`, `to_dim`, `rule`, `new_boundary`, `new_axis`: as in `convert_record`. In a plain network, a mirror
      never changes the sign of a field.

    **Raises:** `ArgumentError` for an equivariant model, or a dimension that is not higher.
    """
    if not record.plain_layers:
        raise ArgumentError(
            "inflation of an equivariant model",
            got=f"rule {rule.name!r}",
            expected="a model with equivariant=False",
            hint="Use the rule 'compatibility', which is exact.",
        )
    places = _places(record, to_dim, new_axis)
    new = new_boundaries(new_boundary, record.contract.axes, to_dim, places)
    check_finite(record.arrays)
    if to_dim > record.D:
        weights = (record.arrays.get(f"{layer.name}.weight", np.zeros(1)) for layer in record.plain_layers)
        check_kernel_size((kernel.shape for kernel in weights), to_dim - record.D)
    arrays, certificate = inflate_weights(record.arrays, record.plain_layers, record.D, to_dim, rule)
    if places:
        order = axis_order(places, to_dim)
        arrays = with_axes_in_order(arrays, record.plain_layers, order)
        certificate = certificate.of_weights(array_digest(arrays), certificate.paths)
    certificate = replace(certificate, new_boundaries=new, new_axes=places)
    return _conversion(record, record, to_dim, {}, arrays, certificate)


def _conversion(
    before: ModelRecord,
    described: ModelRecord,
    to_dim: int,
    banks: Mapping[str, FilterBank],
    arrays: Mapping[str, np.ndarray],
    certificate: Certificate,
) -> Conversion:
    """The record `described` (the old one, lifted if requested) with the changes of the conversion."""
    new: Any = certificate.new_boundaries
    places = certificate.new_axes
    after = replace(
        described,
        spec=spec_in_dimension(described.spec, before.D, to_dim, new, places),
        banks=banks,
        contract=described.contract.in_dimension(to_dim, new, places),
        arrays=arrays,
    ).certified(certificate)
    after = after.with_step(
        step="convert",
        version=__version__,
        rule=certificate.rule,
        flex=certificate.flex,
        from_dim=before.D,
        to_dim=to_dim,
        parity_lift=certificate.parity_lift,
        **({"new_boundaries": list(new)} if new else {}),
        **({"new_axes": list(places)} if places else {}),
        source=before.digest,
    )
    return Conversion(before, after, after.certificate or certificate)


def convert_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    to_dim: int,
    rule: Rule | PlainRule | str,
    *,
    dtype: str | None = None,
    allow_inexact: bool = False,
    parity_lift: bool = False,
    new_boundary: str | Mapping[str, str] | None = None,
    new_axis: NewAxis | None = None,
    force: bool = False,
) -> Conversion:
    """Read a model file, convert it, check condition (C), and write the result.

    Equal input gives equal bytes. If a rule promises compatibility and does not keep its promise, nothing is written, except
    with `allow_inexact`.

    **Arguments:**

    - `source`, `target`: the model file to read, and the one to write.
    - `to_dim`, `rule`, `dtype`, `parity_lift`, `new_boundary`, `new_axis`: as in `convert_record`.
    - `allow_inexact`: write the closest weights if a rule cannot keep its promise.
    - `force`: replace an existing target.

    **Returns:** the conversion, with its certificate.

    **Raises:** `FileError` as reading and writing do, `VerificationError` as `check_certificate` does.
    """
    conversion = convert_record(
        read_model(source),
        to_dim,
        rule,
        dtype=dtype,
        parity_lift=parity_lift,
        new_boundary=new_boundary,
        new_axis=new_axis,
    )
    conversion.write(target, allow_inexact=allow_inexact, force=force)
    return conversion


def _places(record: ModelRecord, to_dim: int, asked: NewAxis | None) -> tuple[int, ...]:
    """The places, in the higher dimension, of the axes that are added or removed; empty if they are the last."""
    if asked is None and to_dim < record.D:
        places = axes_added_since(record, to_dim)
        return () if places == tuple(range(to_dim, record.D)) else places
    return new_axis_places(asked, record.contract.axes, to_dim)


def _check_removed(record: ModelRecord, to_dim: int, places: Sequence[int]) -> None:
    """Refuse to remove an axis if a field that is constant along it would not stay constant."""
    odd = _odd_inputs(record)
    removed = places or range(to_dim, record.D)
    for axis in (record.contract.axes[i] for i in removed if to_dim < record.D):
        if axis.padding == "zeros" or (axis.padding == "mirror" and odd):
            raise ArgumentError(
                "axes to be removed",
                got=f"{axis.name} not periodic, continued by {axis.padding}"
                if axis.padding == "zeros"
                else f"{axis.name} continued by the mirror image of odd fields",
                expected="axes that are periodic, or continued by their edge or the mirror image of even fields",
            )


def _check_mirror(record: ModelRecord, new: Sequence[NewBoundary]) -> None:
    """Refuse a mirror along a new axis if there are odd fields: their sign changes in it, so they would not stay constant."""
    odd = _odd_inputs(record)
    if "mirror" in new and odd:
        raise ArgumentError(
            "`new_boundary`",
            got=f"'mirror', and odd fields in {odd}, which change sign in a mirror",
            expected="'edge' or 'periodic'",
            hint="A field that does not vary along the new axis must not change at its ends, or the conversion is not exact.",
        )


def _odd_inputs(record: ModelRecord) -> str | None:
    """The name of the first convolution with an odd input."""
    names = (layer.name for layer in record.layers for _, parity, _ in layer.inputs if parity)
    return next(names, None)


def _check_range(arrays: Mapping[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            raise NumericsError(
                f"array {name!r}",
                got=f"values beyond the range of {array.dtype.name}",
                expected="finite values",
                hint="Choose a wider `dtype`, or a `flex` nearer to 1.",
            )


def _with_keys(bank: FilterBank, keys: Iterable[FilterKey]) -> FilterBank:
    """The bank of the same recipe for other keys."""
    if bank.recipe is None:
        raise ArgumentError(
            "parity lift", got="filters that match no recipe", expected="a bank built from a recipe"
        )
    return make_bank(bank.D, bank.recipe, keys)
