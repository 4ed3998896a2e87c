"""Plain convolutions: kernels inflated along the new axis, the baselines that need no symmetry.

Components of tensor fields are channels here, so those of an embedded field keep their kernels and the new ones get
zeros. Along the new axis a kernel is placed in the central slice (`"centre"`, as in ACSConv and timm_3d) or spread
evenly (`"mean"`, as in I3D).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ginjax.errors import ArgumentError

from ._certificate import Certificate, PathReport, tolerance_of
from ._embedding import old_components
from ._layers import signature_rows

PLAIN_RULES = ("centre", "mean")
PlainRule = Literal["centre", "mean"]
_FIELDS = {"name", "inputs", "outputs", "transposed", "zero_padded"}


@dataclass(frozen=True)
class PlainLayer:
    """One plain convolution, free of the dimension.

    - `name`: dotted path; its arrays are `<name>.weight`, `(out, in, *(M,)*D)`, and `<name>.bias`, `(out, 1, ...)`.
    - `inputs`, `outputs`: `(order, parity, channels)` of the fields whose components are its channels.
    - `transposed`: a transposed convolution of stride equal to its side.
    - `zero_padded`: whether it meets zeros beyond the boundary; other paddings continue a constant.
    """

    name: str
    inputs: tuple[tuple[int, int, int], ...]
    outputs: tuple[tuple[int, int, int], ...]
    transposed: bool
    zero_padded: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inputs": [list(row) for row in self.inputs],
            "outputs": [list(row) for row in self.outputs],
            "transposed": self.transposed,
            "zero_padded": self.zero_padded,
        }

    @classmethod
    def from_json(cls, data: Any) -> "PlainLayer":
        if not isinstance(data, Mapping) or set(data) != _FIELDS or not isinstance(data["name"], str):
            raise ArgumentError("table of plain layers", expected=f"rows with {sorted(_FIELDS)}")
        if not all(isinstance(data[flag], bool) for flag in ("transposed", "zero_padded")):
            raise ArgumentError(
                "table of plain layers", expected="true or false for transposed and zero_padded"
            )
        if not all(isinstance(data[side], list) for side in ("inputs", "outputs")):
            raise ArgumentError("table of plain layers", expected="lists of [order, parity, channels]")
        return cls(
            data["name"],
            signature_rows(data["inputs"]),
            signature_rows(data["outputs"]),
            data["transposed"],
            data["zero_padded"],
        )


def inflate_weights(
    arrays: Mapping[str, np.ndarray],
    layers: Sequence[PlainLayer],
    from_dim: int,
    to_dim: int,
    rule: PlainRule,
    digest: Callable[[Mapping[str, np.ndarray]], str],
) -> tuple[dict[str, np.ndarray], Certificate]:
    """Inflate every plain convolution of a model.

    **Arguments:**

    - `arrays`: all arrays by name; those that belong to no layer are passed on.
    - `layers`: the table of plain convolutions.
    - `from_dim`, `to_dim`: dimensions, the second higher.
    - `rule`: `"centre"` or `"mean"`.
    - `digest`: ties the certificate to the arrays.

    **Returns:** the new arrays, and a certificate whose residual says how much of a kernel is missing where it
    meets a boundary of zeros along a new axis.
    """
    if rule not in PLAIN_RULES:
        raise ArgumentError("rule for a plain model", got=repr(rule), expected=" or ".join(PLAIN_RULES))
    if to_dim <= from_dim:
        raise ArgumentError("dimension to convert to", got=to_dim, expected=f"more than {from_dim}")
    result, reports = dict(arrays), []
    for layer in layers:
        name = f"{layer.name}.weight"
        kernel = result.get(name)
        rows, columns = (_channels(side, from_dim) for side in (layer.outputs, layer.inputs))
        if kernel is None or kernel.ndim != 2 + from_dim or kernel.shape[:2] != (rows, columns):
            raise ArgumentError(
                f"array {name!r}",
                got="nothing" if kernel is None else kernel.shape,
                expected=f"({rows}, {columns}, ...)",
            )
        bias = result.get(f"{layer.name}.bias")
        for D in range(from_dim, to_dim):
            kernel = _embed_channels(_embed_channels(kernel, 0, layer.outputs, D), 1, layer.inputs, D)
            kernel = _along_new_axis(kernel, layer.transposed, rule)
            if bias is not None:
                bias = _embed_channels(bias, 0, layer.outputs, D)[..., None]
        result[name] = np.ascontiguousarray(kernel)
        if bias is not None:
            result[f"{layer.name}.bias"] = np.ascontiguousarray(bias)
        reports.append(_report(layer, kernel.shape[-1], rule))
    result = dict(sorted(result.items()))
    certificate = Certificate(
        rule=rule,
        flex=None,
        promises=all(report.residual == 0 for report in reports),
        from_dim=from_dim,
        to_dim=to_dim,
        tolerance=tolerance_of(next(iter(result.values())).dtype),
        parity_lift=False,
        digest=digest(result),
        paths=tuple(reports),
    )
    return result, certificate


def _channels(signature: Sequence[tuple[int, int, int]], D: int) -> int:
    return sum(c * D**k for k, _, c in signature)


def _embed_channels(
    array: np.ndarray, axis: int, signature: Sequence[tuple[int, int, int]], D: int
) -> np.ndarray:
    """Spread the components of one axis over those of the next dimension; new ones are zero."""
    moved = np.moveaxis(array, axis, 0)
    result = np.zeros((_channels(signature, D + 1), *moved.shape[1:]), array.dtype)
    start_old = start_new = 0
    for k, _, channels in signature:
        components = old_components(D, D + 1, k)
        for channel in range(channels):
            rows = start_new + channel * (D + 1) ** k + components
            result[rows] = moved[start_old + channel * D**k : start_old + (channel + 1) * D**k]
        start_old, start_new = start_old + channels * D**k, start_new + channels * (D + 1) ** k
    return np.moveaxis(result, 0, axis)


def _along_new_axis(kernel: np.ndarray, transposed: bool, rule: PlainRule) -> np.ndarray:
    """Give a kernel `(out, in, *(M,)*D)` one more axis."""
    side = kernel.shape[-1]
    repeated = np.repeat(kernel[..., None], side, axis=-1)
    if transposed:
        return repeated  # stride equals side: an output pixel meets one tap of the new axis
    if rule == "mean":
        return repeated / np.asarray(side, kernel.dtype)
    middle = np.zeros(side, kernel.dtype)
    middle[(side - 1) // 2] = 1
    return repeated * middle


def _report(layer: PlainLayer, side: int, rule: PlainRule) -> PathReport:
    lost = 0.0
    if rule == "mean" and layer.zero_padded and not layer.transposed:
        lost = max((side - 1) // 2, side // 2) / side
    return PathReport(
        layer=layer.name,
        path="channels",
        before=side,
        after=side,
        residual=lost,
        residual_new=0.0,
        free=0,
        note="the new axes are padded with zeros, where part of the spread kernel is lost" if lost else "",
    )
