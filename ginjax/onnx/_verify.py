"""Run two graphs side by side: on fields that repeat one slice along the new axes, and on white noise as the control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError

from ._convert import convert_onnx, dimension_of_graph
from ._library import onnx_library, runtime_library
from ._read import OnnxNetwork
from ._record import OnnxRecord, graph_digest, read_onnx_record
from ._step import dims_of
from ._write import write_onnx

TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1, "float64": 1e-5}
LEAST_SIDE = 32
_IN_MEMORY = 2**30


@dataclass(frozen=True)
class OnnxVerification:
    """What two runs showed.

    **Arguments:**

    - `lift`: largest difference on fields that repeat one slice, relative to the largest value of the lower network's output.
    - `noise`: the same on white noise; 0 of a network that treats slices one by one.
    - `reaction`: how far the lower network's outputs of two random fields are apart, likewise.
    - `tolerance`: largest lift that counts as none.
    - `shape`: of the field that the higher network was run on.
    - `record`: what the higher graph says of its conversion; None if it says nothing. `stale`: whether it has changed since.
    - `made_again`: whether converting the lower graph in the same way gives the higher one; None without a record.
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
    def controlled(self) -> bool:
        """Whether the comparison can fail: the outputs depend on the inputs, and on the new axis where slices are mixed."""
        mixes = self.record is not None and not self.record.blind
        return self.reaction > 10 * self.tolerance and (not mixes or self.noise > self.lift)


def verify_onnx(
    low: OnnxNetwork,
    high: OnnxNetwork,
    *,
    size: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> OnnxVerification:
    """Run a graph and what it was converted to in onnxruntime.

    **Arguments:**

    - `low`, `high`: the graphs.
    - `size`: grid points along each axis that is free; 32 by default, or twice the coarsest stride if that is more.
    - `tolerance`: largest relative difference that counts as none; by the precision of the fields.
    - `seed`: of the random fields.

    **Raises:** `UnsupportedError` for what onnxruntime does not run, `ArgumentError` for graphs that do not belong together.
    """
    record = read_onnx_record(high)
    dim = dimension_of_graph(low) if record is None else record.certificate.from_dim
    last = record is not None and record.last
    channels_last = record is not None and record.channels_last
    stride = 1 if record is None else record.stride
    side = size or max(LEAST_SIDE, 2 * stride)
    rng = np.random.default_rng(seed)
    fields, others = _inputs(low, rng, side, dim), _inputs(low, rng, side, dim)
    targets = {each.name: each for each in _free_inputs(high)}
    if targets.keys() != fields.keys():
        raise ArgumentError(
            "graphs", got=f"inputs {sorted(fields)} and {sorted(targets)}", expected="the same"
        )
    added = {name: len(dims_of(targets[name])) - fields[name].ndim for name in fields}
    new = max(added.values(), default=0)
    if not 1 <= new <= 2 or not set(added.values()) <= {0, new}:
        raise ArgumentError(
            "graphs", got=f"{new} more axes in the second", expected="one or two, by which it was converted"
        )
    depth = stride * max(2, -(-(side * 3 // 4) // stride)) if size is None else side
    first_space = 1 if channels_last else 2
    place = first_space + dim if last else first_space

    def lifted(name: str, field: np.ndarray) -> np.ndarray:
        for _ in range(added[name]):
            field = np.repeat(np.expand_dims(field, place), depth, place)
        return field

    volumes = {name: lifted(name, field) for name, field in fields.items()}
    noise = {
        name: rng.standard_normal(each.shape).astype(each.dtype) if added[name] else each
        for name, each in volumes.items()
    }
    with _Session(low) as below, _Session(high) as above:
        wanted, found = below.run(fields), above.run(volumes)
        of_others = below.run(others)
        sliced = {name: each[(slice(None),) * place + (1,) * added[name]] for name, each in noise.items()}
        of_slice, of_noise = below.run(sliced), above.run(noise)
    lift = max(_gap(a, b, place, whole=True) for a, b in zip(wanted, found, strict=True))
    return OnnxVerification(
        lift=lift,
        noise=max(_gap(a, b, place, whole=False) for a, b in zip(of_slice, of_noise, strict=True)),
        reaction=max(_gap(a, b, place, whole=True) for a, b in zip(wanted, of_others, strict=True)),
        tolerance=tolerance if tolerance is not None else _tolerance(fields.values()),
        shape=next((each.shape for name, each in volumes.items() if added[name]), ()),
        record=record,
        stale=record is not None and record.is_stale(high),
        made_again=None if record is None else _made_again(low, high, record),
    )


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


def _tolerance(fields: Any) -> float:
    return max((TOLERANCES.get(each.dtype.name, 1e-5) for each in fields), default=1e-5)


def _free_inputs(network: OnnxNetwork) -> list[Any]:
    constants = {tensor.name for tensor in network.model.graph.initializer}
    return [each for each in network.model.graph.input if each.name not in constants]


def _inputs(network: OnnxNetwork, rng: np.random.Generator, side: int, dim: int) -> dict[str, np.ndarray]:
    """Random inputs of a graph; lengths that it leaves open are 2 of the batch, and `side` of other axes."""
    helper, made = onnx_library("helper"), {}
    for info in _free_inputs(network):
        shape = []
        for i, each in enumerate(dims_of(info)):
            stated = each.HasField("dim_value") and each.dim_value > 0
            shape.append(each.dim_value if stated else 2 if i == 0 else side)
        if np.prod(shape, dtype=float) > _IN_MEMORY:
            raise UnsupportedError(
                f"input {info.name!r}", got=f"shape {shape}", expected="one that fits into memory"
            )
        dtype = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        if dtype.kind in "iub":
            made[info.name] = rng.integers(0, 2, shape).astype(dtype)
        else:
            made[info.name] = rng.standard_normal(shape).astype(dtype)
    return made


def _gap(low: np.ndarray, high: np.ndarray, place: int, *, whole: bool) -> float:
    """The largest difference of two outputs, the lower one repeated along the axes that it lacks, or against the second slice."""
    if high.dtype.kind not in "iufb" or low.dtype.kind not in "iufb":
        low, high = low.astype(np.float32), high.astype(np.float32)
    low, high = low.astype(np.float64), high.astype(np.float64)
    while high.ndim > low.ndim:
        axis = _new_place(low.shape, high.shape, place)
        if whole:
            low = np.expand_dims(low, axis)
            if low.ndim < high.ndim:
                low = np.repeat(low, high.shape[axis], axis)
        else:
            high = np.take(high, min(1, high.shape[axis] - 1), axis)
    try:
        np.broadcast_shapes(low.shape, high.shape)
    except ValueError:
        raise ArgumentError("outputs", got=f"shapes {low.shape} and {high.shape}", expected="the same but for new axes") from None  # fmt: skip
    scale = float(np.abs(low).max(initial=0.0)) or 1.0
    gap = float(np.abs(high - low).max(initial=0.0)) / scale
    return gap if gap == gap else float("inf")


def _new_place(low: tuple[int, ...], high: tuple[int, ...], expected: int) -> int:
    """Which axis of the higher output the lower one lacks."""
    order = [expected, *(i for i in range(len(high)) if i != expected)]
    for axis in order:
        if axis < len(high) and _fits(low, high[:axis] + high[axis + 1 :]):
            return axis
    return min(expected, len(high) - 1)


def _fits(low: tuple[int, ...], rest: tuple[int, ...]) -> bool:
    """Whether a shape is another one with some axes left out."""
    position = 0
    for length in rest:
        if position < len(low) and low[position] == length:
            position += 1
    return position == len(low) and len(rest) >= len(low)


def run_onnx(network: OnnxNetwork, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a graph by name, as onnxruntime computes them on a processor.

    **Raises:** `UnsupportedError` for what onnxruntime does not run, or where it is not installed.
    """
    with _Session(network) as session:
        made = session.run(dict(inputs))
    return {each.name: array for each, array in zip(network.model.graph.output, made, strict=True)}


class _Session:
    """A graph in onnxruntime; one with large weights goes through a file."""

    def __init__(self, network: OnnxNetwork):
        self._network = network
        self._folder: Any = None

    def __enter__(self) -> _Session:
        import tempfile
        from pathlib import Path

        runtime = runtime_library()
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        weights = sum(len(each.raw_data) for each in self._network.model.graph.initializer)
        try:
            if weights <= _IN_MEMORY:
                source: Any = self._network.model.SerializeToString()
            else:
                self._folder = tempfile.TemporaryDirectory(prefix="ginjax-onnx-")
                source = str(Path(self._folder.name) / "graph.onnx")
                write_onnx(source, OnnxNetwork(self._network.model, None, external=True))
            self._session = runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            self.__exit__()
            raise self._refusal(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        try:
            return [np.asarray(each) for each in self._session.run(None, inputs)]
        except Exception as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> UnsupportedError:
        # onnxruntime has a class of exceptions for each of its states, none of which is public.
        if isinstance(error, UnsupportedError):
            return error
        said = " ".join(str(error).split())[:200]
        name = self._network.path or "the graph"
        return UnsupportedError(
            f"{name} in onnxruntime", got=said, expected="a graph that it runs on a processor"
        )
