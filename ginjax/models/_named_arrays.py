"""The arrays of a model by dotted name, and its layer table."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import DictKey, GetAttrKey, KeyPath, SequenceKey
from jaxtyping import PyTree, Shaped

from ..errors import ArgumentError, UnsupportedError
from ..filters import FilterBank
from ..geometric import AnyArray, Signature, key_name
from ..layers import ConvContract
from ..transfer import ConvLayer, PlainLayer
from ._spec import signature_to_rows
from .blocks import PlainConv


def named_arrays(model: PyTree) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Return all arrays of a model on the host, by dotted name, sorted.

    The weights of a convolution have names such as `blocks.0.1.conv.weight.k0p0->k1p0`. All other arrays are named by their
    path, such as `blocks.0.1.group_norm.scale.k1p0`.
    """
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_array))
    named = {dotted(path): np.asarray(jax.device_get(leaf)) for path, leaf in leaves}
    return dict(sorted(named.items()))


def with_arrays(model: PyTree, arrays: Mapping[str, Shaped[AnyArray, "..."]]) -> PyTree:
    """Replace all arrays of a model, or of its `outline`, by the arrays of the same names; these keep their dtypes.

    **Raises:** `ArgumentError` for a missing or unknown name, or a wrong shape.
    """
    dynamic, static = eqx.partition(model, lambda x: eqx.is_array(x) or isinstance(x, jax.ShapeDtypeStruct))
    paths, treedef = jax.tree_util.tree_flatten_with_path(dynamic)
    names = [dotted(path) for path, _ in paths]
    missing, surplus = sorted(set(names) - set(arrays)), sorted(set(arrays) - set(names))
    if missing or surplus:
        raise ArgumentError(
            "arrays of the model",
            got=f"{len(missing)} missing ({', '.join(missing[:3])}), {len(surplus)} not known ({', '.join(surplus[:3])})",
            expected=f"the {len(names)} arrays of this architecture",
        )
    for name, (_, leaf) in zip(names, paths, strict=True):
        if arrays[name].shape != leaf.shape:
            raise ArgumentError(f"array {name!r}", got=arrays[name].shape, expected=leaf.shape)
    leaves = [jnp.asarray(arrays[name]) for name in names]
    return eqx.combine(jax.tree_util.tree_unflatten(treedef, leaves), static)


def named_map(function: Callable[[str, Any], Any], tree: PyTree) -> PyTree:
    """Apply a function of dotted name and leaf to every leaf of a model, or of a tree of the same structure."""
    return jax.tree_util.tree_map_with_path(lambda path, leaf: function(dotted(path), leaf), tree)


def convolutions(model: PyTree) -> dict[str, ConvContract]:
    """Return the equivariant convolutions of a model by dotted name."""
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda x: isinstance(x, ConvContract))
    found = {dotted(path): leaf for path, leaf in leaves if isinstance(leaf, ConvContract)}
    return dict(sorted(found.items()))


def layer_table(model: PyTree) -> tuple[ConvLayer, ...]:
    """Return the layer table of a model: one row for each equivariant convolution.

    **Raises:** `UnsupportedError` for a stride or dilation that differs between axes.
    """
    roles = bank_roles(model)
    return tuple(
        ConvLayer(
            name=name,
            role=roles[conv.bank],
            inputs=signature_to_rows(conv.input_keys),
            outputs=signature_to_rows(conv.target_keys),
            stride=_one(name, "stride", conv.stride),
            input_dilation=_one(name, "lhs_dilation", conv.lhs_dilation),
            filter_dilation=_one(name, "rhs_dilation", conv.rhs_dilation),
            level=model.level_of(name),
        )
        for name, conv in convolutions(model).items()
    )


def plain_table(model: PyTree) -> tuple[PlainLayer, ...]:
    """Return the layer table of a plain model: one row for each plain convolution; empty for an equivariant model.

    **Raises:** `UnsupportedError` for hidden tensor fields, because their number of channels depends on the dimension; for a
    stride, dilation or padding that differs between axes; and for a class without `first_convs` or `last_convs`.
    """
    spec = model.spec
    if spec.equivariant:
        return ()
    middle = spec.option("mid_keys")
    if middle is not None and any(k for (k, _), _ in middle):
        raise UnsupportedError("plain model with tensor fields in the middle", got=middle, expected="scalars")
    kinds = (eqx.nn.Conv, eqx.nn.ConvTranspose)
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda x: isinstance(x, kinds))
    found = {dotted(path): leaf for path, leaf in leaves if isinstance(leaf, kinds)}
    padded_before = _padded_before(model)
    first, last = model.first_convs, model.last_convs
    if not first or not last:
        raise UnsupportedError(
            f"plain variant of {spec.architecture}",
            got="no first_convs or last_convs",
            expected="the names of its convolutions at the input and at the output, in its class",
        )
    return tuple(
        PlainLayer(
            name=name,
            inputs=_plain_rows(spec.inputs, name.removesuffix(_MODULE) in first, conv.in_channels),
            outputs=_plain_rows(spec.outputs, name.removesuffix(_MODULE) in last, conv.out_channels),
            transposed=isinstance(conv, eqx.nn.ConvTranspose),
            zero_padded=name not in padded_before and conv.padding_mode.upper() == "ZEROS",
            level=model.level_of(name),
            **_settings(name, conv, padded_before=name in padded_before),
        )
        for name, conv in sorted(found.items())
    )


def _padded_before(model: PyTree) -> set[str]:
    """Return the names of the plain convolutions in a `PlainConv`, which pads their input before them."""
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda x: isinstance(x, PlainConv))
    return {f"{dotted(path)}{_MODULE}" for path, leaf in leaves if isinstance(leaf, PlainConv)}


_MODULE = ".modules.k0p0"
"""The end of the name of a plain kernel, after that of its convolution: it acts on even scalars."""


def _settings(
    name: str, conv: eqx.nn.Conv | eqx.nn.ConvTranspose, *, padded_before: bool = False
) -> dict[str, Any]:
    """Return stride, dilation and padding of a plain convolution, which must be the same along all axes.

    **Arguments:**

    - `padded_before`: whether a `PlainConv` pads its input so that the size is kept.
    """
    if isinstance(conv, eqx.nn.ConvTranspose):
        return {}
    stride, dilation = _one(name, "stride", conv.stride), _one(name, "dilation", conv.dilation)
    reach = dilation * (conv.kernel_size[0] - 1)
    half = reach // 2
    said = conv.padding.upper() if isinstance(conv.padding, str) else None
    if said == "SAME_LOWER" and stride > 1:
        raise UnsupportedError(
            f"padding of {name}", got="SAME_LOWER with a stride", expected="SAME, VALID, or numbers"
        )
    by_name = {"SAME": None, "SAME_LOWER": (reach - half, half), "VALID": (0, 0)}
    if said in by_name:
        pads = by_name[said]
    else:
        pairs = {(int(before), int(after)) for before, after in conv.padding}  # pyright: ignore[reportAssignmentType]
        if len(pairs) != 1:
            raise UnsupportedError(
                f"padding of {name}",
                got=conv.padding,
                expected="the same along every axis, for dimension transfer",
            )
        (pads,) = pairs
    if padded_before or (pads == (half, reach - half) and stride == 1):
        pads = None  # the same as "SAME"
    return {"stride": stride, "dilation": dilation, "padding": pads}


def _plain_rows(signature: Signature, is_end: bool, channels: int) -> tuple[tuple[int, int, int], ...]:
    return signature_to_rows(signature) if is_end else ((0, 0, channels),)


_PRODUCT = ".product_conv"
"""The end of the names of the convolutions of products."""


def bank_roles(model: PyTree) -> dict[FilterBank, str]:
    """Return the role of each bank of a model; `"upsample"` is a bank for transposed convolutions only."""
    transposed: dict[FilterBank, bool] = {}
    products: dict[FilterBank, str] = {}
    for name, conv in convolutions(model).items():
        if name.endswith(_PRODUCT):
            products[conv.bank] = "product"
            continue
        dilated = _one("convolution", "lhs_dilation", conv.lhs_dilation) > 1
        transposed[conv.bank] = transposed.get(conv.bank, True) and dilated
    roles = {bank: "upsample" if only else "conv" for bank, only in transposed.items()} | products
    if len(set(roles.values())) != len(roles):
        raise UnsupportedError(
            "a model with several filter banks", got=len(roles), expected="one, and one for up-sampling"
        )
    return roles


def model_banks(model: PyTree) -> dict[str, FilterBank]:
    """Return the banks of a model by role."""
    return {role: bank for bank, role in bank_roles(model).items()}


def _one(name: str, what: str, value: int | tuple[int, ...] | None) -> int:
    values = {1} if value is None else {value} if isinstance(value, int) else set(value)
    if len(values) != 1:
        raise UnsupportedError(
            f"{what} of {name}", got=value, expected="the same along every axis, for dimension transfer"
        )
    return values.pop()


def dotted(path: KeyPath) -> str:
    """Return the path of a leaf as a readable name with dots between its parts."""
    parts: list[str] = []
    previous: object = None
    for entry in path:
        if isinstance(entry, GetAttrKey):
            parts.append(entry.name)
        elif isinstance(entry, SequenceKey):
            parts.append(str(entry.idx))
        elif isinstance(entry, DictKey):
            name = key_name(entry.key) if isinstance(entry.key, tuple) else str(entry.key)
            if isinstance(previous, DictKey) and parts[-2] == "weights":
                parts[-2:] = ["weight", f"{parts[-1]}->{name}"]
            else:
                parts.append(name)
        else:
            parts.append(str(entry))
        previous = entry
    return ".".join(parts)
