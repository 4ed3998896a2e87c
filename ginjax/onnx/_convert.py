"""Conversion of a whole graph to a higher dimension, one axis after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np

from ginjax._version import __version__
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.transfer import Certificate, PathReport, PlainRule, find_rule, tolerance_of

from ._layout import Side
from ._library import onnx_library
from ._read import OnnxNetwork
from ._record import OnnxRecord
from ._step import Step, dims_of
from ._walk import Boundary, Row
from .operators import ENDS

MAX_DIM = 3
EXPORT_AGAIN = (
    "ginjax exported this graph: convert the model that it was made of, and export that: "
    "ginjax convert-d MODEL.safetensors, then ginjax export."
)
_DOWN = "Graphs go up only. Going down is exact for arrays: save the weights as safetensors."


@dataclass(frozen=True, eq=False)
class OnnxConversion:
    """The result of a conversion.

    **Arguments:**

    - `before`, `after`: the network before and after; `after` has the record of the conversion in its metadata.
    - `rows`: what happened to each node; for a conversion by two axes, in the second step.
    - `record`: the record of the conversion, including the certificate.
    """

    before: OnnxNetwork
    after: OnnxNetwork
    rows: tuple[Row, ...]
    record: OnnxRecord

    @property
    def certificate(self) -> Certificate:
        """The certificate: how exactly each new kernel reproduces the old one."""
        return self.record.certificate


def convert_onnx(
    network: OnnxNetwork,
    to_dim: int,
    rule: PlainRule | str = "tile",
    *,
    new_axis: Literal["first", "last"] = "first",
    new_boundary: str | None = None,
    channels_last: bool = False,
    from_dim: int | None = None,
) -> OnnxConversion:
    """Convert a graph to a higher dimension.

    A kernel $K$ becomes $K \\otimes w$ with the profile $w$ of the rule along the new axis. The windows, strides and padding of
    the new axis are those of the spatial axis beside it. All other operators are rewritten so that a field that repeats one
    slice along the new axis gives the output of that slice: means, norms and extremes over space include the new axis, sums
    take the mean over it.

    **Arguments:**

    - `network`: the graph, in evaluation mode.
    - `to_dim`: the new dimension, 2 or 3.
    - `rule`: a rule for plain networks, or its name: `"tile"`, `"centre"` or `"mean"`.
    - `new_axis`: the place of the new axis among the spatial ones, first or last.
    - `new_boundary`: how fields continue beyond the ends of the new axis where the graph pads with zeros: None for zeros,
      `"periodic"` or `"edge"`.
    - `channels_last`: whether the inputs are `(batch, *space, channels)`.
    - `from_dim`: dimension of the network; found by `dimension_of_graph` if None.

    **Returns:** the network in the new dimension, with a certificate measured on its kernels as stored. Its new axis may have any
    length. Whether the certificate shows an exact conversion is not checked here.

    **Raises:** `UnsupportedError` that names the node that cannot be converted, its inputs and the reason; `ArgumentError` for a
    dimension that is not higher.
    """
    found = find_rule(rule) if isinstance(rule, str) else rule
    if not isinstance(found, PlainRule):
        raise ArgumentError(
            "rule for a network of another library",
            got=f"{found.name!r}, which is for invariant filters",
            expected="a rule for plain networks, such as 'tile', 'centre' or 'mean'",
        )
    boundary = _boundary(new_boundary)
    dim = dimension_of_graph(network) if from_dim is None else from_dim
    _check_dimension(dim, to_dim)
    current, paths, walks = network, (), []
    places = [() for _ in network.model.graph.output]
    for low in range(dim, to_dim):
        try:
            walk = Step(current, Side(low, new_axis == "last"), found, boundary, channels_last).run()
            walks.append(walk)
        except UnsupportedError as error:
            if is_exported(network):
                error.hint = EXPORT_AGAIN
            raise
        current = OnnxNetwork(walk.model, None, network.external)
        places = [_with_place(each, new) for each, new in zip(places, walk.places, strict=True)]
        paths = _joined(paths, tuple(walk.paths))
    last = walks[-1]  # it exists, because the dimension goes up
    certificate = Certificate(
        rule=found.name,
        flex=None,
        promises=found.promises_compatibility and not any(path.note == ENDS for path in paths),
        from_dim=dim,
        to_dim=to_dim,
        tolerance=_tolerance(current),
        parity_lift=False,
        digest="",
        paths=paths,
        new_boundaries=() if boundary == "zeros" else (boundary,) * (to_dim - dim),
    )
    record = OnnxRecord(
        version=__version__,
        rule=found.name,
        last=new_axis == "last",
        boundary=boundary,
        channels_last=channels_last,
        blind=last.blind,
        stride=_coarsest(last.strides),
        certificate=certificate,
        new_axes=tuple(places),
    ).sealed(current)
    record.put_into(current)
    return OnnxConversion(network, current, tuple(last.rows), record)


def is_exported(network: OnnxNetwork) -> bool:
    """Whether a graph was exported by ginjax; then its model can be converted instead."""
    return network.model.producer_name == "ginjax"


def _check_dimension(dim: int, to_dim: int) -> None:
    if to_dim == dim:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=f"another: the graph is in {dim}D already",
            hint=f"Ask for {dim + 1}D." if dim < MAX_DIM else None,
        )
    if dim >= MAX_DIM:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=f"a graph in less than {MAX_DIM}D, and it is in {dim}D",
            hint=_DOWN,
        )
    if not dim < to_dim <= MAX_DIM:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=" or ".join(map(str, range(dim + 1, MAX_DIM + 1))) + f", of a graph in {dim}D",
            hint=_DOWN if to_dim < dim else None,
        )


def _boundary(name: str | None) -> Boundary:
    if name not in (None, "periodic", "edge"):
        raise ArgumentError(
            f'`new_boundary="{name}"`', got="a graph of ONNX", expected="periodic or edge, or none for zeros"
        )
    return "zeros" if name is None else cast(Boundary, name)


def dimension_of_graph(network: OnnxNetwork) -> int:
    """The number of spatial axes of the convolution kernels of a graph; without convolutions, that of its inputs.

    If convolutions have several numbers of axes, the number that an input also has is used, or else the largest.

    **Raises:** `UnsupportedError` for a graph with neither a convolution nor a field.
    """
    graph = network.model.graph
    shapes = {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    ranks = set()
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose") and len(node.input) > 1:
            sides = next((len(each.ints) for each in node.attribute if each.name == "kernel_shape"), 0)
            ranks.add(sides or shapes.get(node.input[1], 2) - 2)
    inputs = [len(dims_of(each)) - 2 for each in graph.input if each.name not in shapes]
    fields = sorted({each for each in inputs if each in ranks and each > 0}) or sorted(ranks - {0})
    fields = fields or sorted({each for each in inputs if each > 0})
    if not fields:
        raise UnsupportedError(
            "graph", got="neither a convolution nor a field", expected="a network on a grid"
        )
    return fields[-1]


def _with_place(places: tuple[int, ...], new: int | None) -> tuple[int, ...]:
    """Places of axes in a tensor after another axis is added."""
    if new is None:
        return places
    return tuple(sorted((*(each + (each >= new) for each in places), new)))


def _joined(first: tuple[PathReport, ...], second: tuple[PathReport, ...]) -> tuple[PathReport, ...]:
    """The combined reports of two steps, for kernels that took both."""
    if not first:
        return second
    earlier = {path.layer: path for path in first}
    return tuple(
        replace(
            path,
            before=earlier[path.layer].before,
            residual=path.residual + earlier[path.layer].residual,
            note=path.note or earlier[path.layer].note,
        )
        if path.layer in earlier
        else path
        for path in second
    )


def _tolerance(network: OnnxNetwork) -> float:
    helper = onnx_library("helper")
    found = [tolerance_of(np.dtype(np.float32))]
    for tensor in network.model.graph.initializer:
        if tensor.data_type in (10, 16) and len(tensor.dims) > 2:
            found.append(tolerance_of(helper.tensor_dtype_to_np_dtype(tensor.data_type)))
    return max(found)


def _coarsest(strides: set[float]) -> int:
    return max(1, *(round(each) for each in strides if each == each and each < 2**20)) if strides else 1
