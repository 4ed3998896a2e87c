"""Plain convolutions: kernels inflated along the new axis, as baselines that need no symmetry.

Components of tensor fields are channels here. The components of an embedded field keep their kernels, and the new components
get zeros. A rule decides how a kernel extends along the new axis, see `ginjax.transfer.rules.PlainRule`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ginjax.errors import ArgumentError

from ._certificate import Certificate, PathReport, tolerance_of
from ._digest import array_digest
from ._plain_check import Fields, channel_count, old_channels, plain_residual
from ._plain_layers import PlainLayer
from .rules import PlainRule, find_rule, profile


def inflate_weights(
    arrays: Mapping[str, np.ndarray],
    layers: Sequence[PlainLayer],
    from_dim: int,
    to_dim: int,
    rule: PlainRule | str,
) -> tuple[dict[str, np.ndarray], Certificate]:
    """Inflate every plain convolution of a model.

    **Arguments:**

    - `arrays`: all arrays by name; those that belong to no layer stay as they are.
    - `layers`: the table of plain convolutions.
    - `from_dim`, `to_dim`: the dimensions; the second one is higher.
    - `rule`: a rule for plain networks, or its name, such as `"centre"` or `"mean"`.

    **Returns:** the new arrays, and a certificate measured on them as in `plain_residual`. A rule that spreads kernels over
    several taps promises nothing if they meet a boundary of zeros along a new axis, because it cuts off some of these taps.
    """
    chosen = find_rule(rule) if isinstance(rule, str) else rule
    if not isinstance(chosen, PlainRule):
        raise ArgumentError(
            "rule for a plain network",
            got=f"{chosen.name!r}, which is for invariant filters",
            expected="a rule for plain networks, such as 'centre' or 'mean'",
        )
    if to_dim <= from_dim:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=f"more than {from_dim}",
            hint=f"A plain network is carried to higher dimensions only: from {from_dim}D to {from_dim + 1}D and beyond.",
        )
    result, reports = dict(arrays), []
    for layer in layers:
        name = f"{layer.name}.weight"
        kernel = result.get(name)
        rows, columns = (channel_count(side, from_dim) for side in (layer.outputs, layer.inputs))
        if kernel is None or kernel.ndim != 2 + from_dim or kernel.shape[:2] != (rows, columns):
            raise ArgumentError(
                f"array {name!r}",
                got="nothing" if kernel is None else kernel.shape,
                expected=f"({rows}, {columns}, ...)",
            )
        side = kernel.shape[-1]
        bias = result.get(f"{layer.name}.bias")
        kernel = _embed_channels(kernel, 0, layer.outputs, from_dim, to_dim)
        kernel = _embed_channels(kernel, 1, layer.inputs, from_dim, to_dim)
        for _ in range(from_dim, to_dim):
            kernel = _along_new_axis(kernel, layer, chosen)
        result[name] = np.ascontiguousarray(kernel)
        if bias is not None:
            bias = _embed_channels(bias, 0, layer.outputs, from_dim, to_dim)
            bias = bias.reshape(*bias.shape, *(1,) * (to_dim - from_dim))
            result[f"{layer.name}.bias"] = np.ascontiguousarray(bias)
        gap = plain_residual(layer, arrays, result, (from_dim, to_dim))
        reports.append(
            PathReport(
                layer=layer.name,
                path="channels",
                before=side**from_dim,
                after=side**to_dim,
                residual=gap.total,
                residual_new=gap.new,
                free=0,
                note=_note(layer, side, chosen),
            )
        )
    result = dict(sorted(result.items()))
    certificate = Certificate(
        rule=chosen.name,
        flex=None,
        promises=chosen.promises_compatibility and not any(report.note == _LOST for report in reports),
        from_dim=from_dim,
        to_dim=to_dim,
        tolerance=tolerance_of(next(iter(result.values())).dtype),
        parity_lift=False,
        digest=array_digest(result),
        paths=tuple(reports),
    )
    return result, certificate


_LOST = "the new axes are padded with zeros, where part of the spread kernel is lost"


def _note(layer: PlainLayer, side: int, rule: PlainRule) -> str:
    """Why the kernel is not exact, or on which grids it is, in words."""
    if layer.transposed:
        return ""
    if layer.is_ordinary:
        return _LOST if rule.spreads and layer.zero_padded and side > 1 else ""
    axis = layer.axis(side)
    weights = profile(rule, axis)
    always, divides = (
        np.abs(axis.patterns(each) @ weights - 1).max(initial=0.0) < 1e-9 for each in (False, True)
    )
    if not divides:
        return _LOST
    return "" if always else f"exact where its stride {layer.stride} divides the grid"


def _embed_channels(array: np.ndarray, axis: int, fields: Fields, D_old: int, D_new: int) -> np.ndarray:
    """Place the components of one axis among those of the new dimension; new components are zero."""
    moved = np.moveaxis(array, axis, 0)
    result = np.zeros((channel_count(fields, D_new), *moved.shape[1:]), array.dtype)
    result[old_channels(fields, D_old, D_new)] = moved
    return np.moveaxis(result, 0, axis)


def _along_new_axis(kernel: np.ndarray, layer: PlainLayer, rule: PlainRule) -> np.ndarray:
    """Give a kernel `(out, in, *(M,)*D)` one more axis."""
    side = kernel.shape[-1]
    if layer.transposed:  # stride equals side: an output pixel meets one tap of the new axis
        return np.repeat(kernel[..., None], side, axis=-1)
    if not layer.is_ordinary:
        return (kernel[..., None] * profile(rule, layer.axis(side))).astype(kernel.dtype)
    new, wanted = np.asarray(rule.along_new_axis(kernel)), (*kernel.shape, side)
    if new.shape != wanted or new.dtype != kernel.dtype:
        raise ArgumentError(
            f"what rule {rule.name!r} makes of a kernel {kernel.shape}",
            got=f"{new.dtype} of shape {new.shape}",
            expected=f"{kernel.dtype} of shape {wanted}",
        )
    return new
