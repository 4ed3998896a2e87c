"""Random fields for the comparison of two graphs, and the difference of their outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError

from ._library import onnx_library
from ._read import OnnxNetwork
from ._record import OnnxRecord
from ._step import check_input, dims_of

TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1, "float64": 1e-5}
LEAST_SIDE = 32
MAX_ENTRIES = 2**30


def side_for(record: OnnxRecord | None) -> int:
    """Points along axes whose length a graph leaves open: 32, or twice the coarsest stride if that is larger."""
    return max(LEAST_SIDE, 2 * (1 if record is None else record.stride))


def lifted(field: np.ndarray, new: int, place: int, depth: int) -> np.ndarray:
    """Repeat a field along new axes.

    **Arguments:**

    - `field`: a field of the lower graph; `new`: number of new axes; `place`: their place; `depth`: their length.
    """
    for _ in range(new):
        field = np.repeat(np.expand_dims(field, place), depth, place)
    return field


def white_noise(
    volumes: Mapping[str, np.ndarray], added: Mapping[str, int], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """White noise instead of the inputs that have new axes; the other inputs are unchanged."""
    return {
        name: rng.standard_normal(each.shape).astype(each.dtype) if added[name] else each
        for name, each in volumes.items()
    }


def second_slice(
    volumes: Mapping[str, np.ndarray], added: Mapping[str, int], place: int
) -> dict[str, np.ndarray]:
    """The slices at index 1 of the new axes, or at index 0 of a new axis with a single point."""
    return {
        name: each[
            (slice(None),) * place + tuple(min(1, n - 1) for n in each.shape[place : place + added[name]])
        ]
        for name, each in volumes.items()
    }


def tolerance_for(fields: Iterable[np.ndarray]) -> float:
    """The largest relative difference of two runs that counts as zero, by the precision of the fields."""
    return max((TOLERANCES.get(each.dtype.name, 1e-5) for each in fields), default=1e-5)


def free_inputs(network: OnnxNetwork) -> list[Any]:
    """The inputs of a graph that are not constants in its file."""
    constants = {tensor.name for tensor in network.model.graph.initializer}
    return [each for each in network.model.graph.input if each.name not in constants]


def random_inputs(network: OnnxNetwork, rng: np.random.Generator, side: int) -> dict[str, np.ndarray]:
    """Random inputs of a graph. A length that the graph leaves open is 2 for the batch and `side` for other axes."""
    helper, made = onnx_library("helper"), {}
    for info in free_inputs(network):
        check_input(info)
        shape = []
        for i, each in enumerate(dims_of(info)):
            stated = each.HasField("dim_value") and each.dim_value > 0
            shape.append(each.dim_value if stated else 2 if i == 0 else side)
        if np.prod(shape, dtype=float) > MAX_ENTRIES:
            raise UnsupportedError(
                f"input {info.name!r}", got=f"shape {shape}", expected="one that fits into memory"
            )
        dtype = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        if dtype.kind in "iub":
            made[info.name] = rng.integers(0, 2, shape).astype(dtype)
        else:
            made[info.name] = rng.standard_normal(shape).astype(dtype)
    return made


def gap(low: np.ndarray, high: np.ndarray, places: Sequence[int], *, whole: bool) -> float:
    """The largest difference of two outputs: the lower one is repeated along the new axes, or compared with the second slice.

    **Arguments:**

    - `low`, `high`: the outputs of the lower and the higher graph.
    - `places`: places of the new axes in the higher output.
    - `whole`: whether to repeat the lower output; otherwise it is compared with the second slice.

    **Raises:** `ArgumentError` for outputs that differ in more than these axes, or have no points along one of these.
    """
    if high.dtype.kind not in "iufb" or low.dtype.kind not in "iufb":
        low, high = low.astype(np.float32), high.astype(np.float32)
    low, high = low.astype(np.float64), high.astype(np.float64)
    rest = [n for axis, n in enumerate(high.shape) if axis not in places]
    if rest != list(low.shape):
        raise ArgumentError(
            "outputs", got=f"shapes {low.shape} and {high.shape}", expected="the same but for new axes"
        )
    if not all(high.shape[axis] for axis in places):
        raise ArgumentError("outputs", got=f"shape {high.shape}", expected="a slice along each new axis")
    if whole:
        low = np.expand_dims(low, tuple(places))
    else:
        high = high[
            tuple(min(1, n - 1) if axis in places else slice(None) for axis, n in enumerate(high.shape))
        ]
    scale = float(np.abs(low).max(initial=0.0)) or 1.0
    gap = float(np.abs(high - low).max(initial=0.0)) / scale
    return gap if gap == gap else float("inf")


def widest_gap(
    low: Sequence[np.ndarray], high: Sequence[np.ndarray], places: Sequence[Sequence[int]], *, whole: bool
) -> float:
    """The largest `gap` over all outputs."""
    if not len(low) == len(high) == len(places):
        raise ArgumentError("outputs", got=f"{len(low)} and {len(high)}", expected=f"{len(places)} of both")
    return max(gap(a, b, each, whole=whole) for a, b, each in zip(low, high, places, strict=True))


def probable_places(low: tuple[int, ...], high: tuple[int, ...], expected: int) -> tuple[int, ...]:
    """The probable places of the new axes in an output, if there is no record: those of the input, if the lengths allow it."""
    left = list(range(len(high)))
    while len(left) > len(low):
        shape = [high[axis] for axis in left]
        order = sorted(range(len(left)), key=lambda i: i != expected)
        gone = next(
            (i for i in order if _fits(low, (*shape[:i], *shape[i + 1 :]))), min(expected, len(left) - 1)
        )
        del left[gone]
    return tuple(axis for axis in range(len(high)) if axis not in left)


def _fits(low: tuple[int, ...], rest: tuple[int, ...]) -> bool:
    """Whether a shape is another one without some of its axes."""
    position = 0
    for length in rest:
        if position < len(low) and low[position] == length:
            position += 1
    return position == len(low) and len(rest) >= len(low)
