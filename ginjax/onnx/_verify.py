"""Comparison of two graphs: on fields that repeat one slice along the new axes, and on white noise as the control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError

from ._convert import convert_onnx, dimension_of_graph
from ._random_fields import (
    free_inputs,
    lifted,
    probable_places,
    random_inputs,
    second_slice,
    side_for,
    tolerance_for,
    white_noise,
    widest_gap,
)
from ._read import OnnxNetwork
from ._record import OnnxRecord, graph_digest, read_onnx_record
from ._session import Session
from ._step import dims_of


@dataclass(frozen=True)
class OnnxVerification:
    """The result of running two graphs.

    **Arguments:**

    - `lift`: largest difference on fields that repeat one slice, relative to the largest value of the lower network's output.
    - `noise`: the same on white noise: one slice of the output, compared with the lower network. It is within the tolerance if
      the network treats slices one by one.
    - `reaction`: the relative difference between the lower network's outputs for two random fields.
    - `tolerance`: largest lift that counts as zero, by the precision of the fields. If the lift of a few slices is within it,
      it grows in proportion to the depth, because sums over more points have more rounding errors.
    - `shape`: shape of the field that the higher network was run on.
    - `record`: the record of the conversion in the higher graph; None if it has none. `stale`: whether the graph has changed
      since.
    - `made_again`: whether the same conversion of the lower graph gives the higher graph; None without a record.
    """

    lift: float
    noise: float
    reaction: float
    tolerance: float
    shape: tuple[int, ...]
    record: OnnxRecord | None
    stale: bool
    made_again: bool | None

    @property
    def promised(self) -> bool:
        """Whether the rule promises that the lift holds."""
        return self.record is None or self.record.certificate.promises

    @property
    def exact(self) -> bool:
        """Whether the lift is within the tolerance."""
        return self.lift <= self.tolerance

    @property
    def slice_by_slice(self) -> bool:
        """Whether white noise showed that slices along the new axes are not mixed."""
        return self.noise <= self.tolerance

    @property
    def controlled(self) -> bool:
        """Whether the comparison can fail: the outputs for two fields differ by more than ten tolerances."""
        return self.reaction > 10 * self.tolerance


def verify_onnx(
    low: OnnxNetwork,
    high: OnnxNetwork,
    *,
    size: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> OnnxVerification:
    """Run a graph and its conversion in onnxruntime, and compare them.

    **Arguments:**

    - `low`, `high`: the graphs.
    - `size`: grid points along each axis of free length; by default 32, or twice the coarsest stride if that is larger.
    - `tolerance`: largest relative difference that counts as zero; by default it depends on the precision of the fields.
    - `seed`: seed of the random fields.

    **Raises:** `UnsupportedError` if onnxruntime cannot run a graph, `ArgumentError` for graphs that do not belong together.
    """
    record = read_onnx_record(high)
    dim = dimension_of_graph(low) if record is None else record.certificate.from_dim
    stride = 1 if record is None else record.stride
    if size is not None and size % stride:
        raise ArgumentError("`size`", got=size, expected=f"a multiple of {stride}, the stride of the network")
    side = size or side_for(record)
    rng = np.random.default_rng(seed)
    fields, others = random_inputs(low, rng, side), random_inputs(low, rng, side)
    added = _added_axes(high, fields)
    depth = stride * max(2, -(-(side * 3 // 4) // stride)) if size is None else side
    place = 1 if record is not None and record.channels_last else 2
    place += dim if record is not None and record.last else 0

    def repeated(length: int) -> dict[str, np.ndarray]:
        return {name: lifted(field, added[name], place, length) for name, field in fields.items()}

    volumes = repeated(depth)
    noise = white_noise(volumes, added, rng)
    with Session(low) as below, Session(high) as above:
        wanted, found = below.run(fields), above.run(volumes)
        of_others = below.run(others)
        of_slice, of_noise = below.run(second_slice(noise, added, place)), above.run(noise)
        places = None if record is None else record.new_axes
        if places is None:
            places = [probable_places(a.shape, b.shape, place) for a, b in zip(wanted, found, strict=True)]
        lift = widest_gap(wanted, found, places, whole=True)
        limit = tolerance_for(fields.values()) if tolerance is None else tolerance
        few = 2 * stride
        if tolerance is None and limit < lift <= limit * depth / few:
            of_few = _run_if_it_can(above, repeated(few))
            if of_few is not None and widest_gap(wanted, of_few, places, whole=True) <= limit:
                limit *= depth / few
    return OnnxVerification(
        lift=lift,
        noise=widest_gap(of_slice, of_noise, places, whole=False),
        reaction=widest_gap(wanted, of_others, [()] * len(wanted), whole=True),
        tolerance=limit,
        shape=next((each.shape for name, each in volumes.items() if added[name]), ()),
        record=record,
        stale=record is not None and record.is_stale(high),
        made_again=None if record is None else _made_again(low, high, record),
    )


def _added_axes(high: OnnxNetwork, fields: Mapping[str, np.ndarray]) -> dict[str, int]:
    """The number of axes that each input of the higher graph has more.

    **Raises:** `ArgumentError` for graphs that do not belong together.
    """
    targets = {each.name: each for each in free_inputs(high)}
    if targets.keys() != fields.keys():
        raise ArgumentError(
            "graphs", got=f"inputs {sorted(fields)} and {sorted(targets)}", expected="the same"
        )
    added = {name: len(dims_of(targets[name])) - fields[name].ndim for name in fields}
    new = max(added.values(), default=0)
    if new <= 0 and any(added.values()):
        raise ArgumentError(
            "graphs",
            got="one of a higher dimension before one of a lower",
            expected="them the other way round",
            hint="Name the graph before conversion first.",
        )
    if not 1 <= new <= 2 or not set(added.values()) <= {0, new}:
        raise ArgumentError(
            "graphs",
            got=f"{new or 'no'} more axes in the second",
            expected="one or two, by which it was converted",
            hint="Name the graph before conversion first, and what it was converted to.",
        )
    return added


def _run_if_it_can(session: Session, inputs: dict[str, np.ndarray]) -> list[np.ndarray] | None:
    """The outputs; None if windows without padding do not fit, of which some give outputs without points."""
    try:
        found = session.run(inputs)
    except UnsupportedError:
        return None
    return found if all(each.size for each in found) else None


def _made_again(low: OnnxNetwork, high: OnnxNetwork, record: OnnxRecord) -> bool:
    where: Literal["first", "last"] = "last" if record.last else "first"
    try:
        again = convert_onnx(
            low,
            record.certificate.to_dim,
            record.rule,
            new_axis=where,
            new_boundary=None if record.boundary == "zeros" else record.boundary,
            channels_last=record.channels_last,
            from_dim=record.certificate.from_dim,
        )
    except (UnsupportedError, ArgumentError):
        return False
    return graph_digest(again.after) == graph_digest(high)
