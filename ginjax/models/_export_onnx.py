"""Export of a network as an ONNX graph, checked by running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._version import __version__
from ..checkpoint import ModelRecord, dense_kernels
from ..errors import ArgumentError, UnsupportedError
from ..geometric import key_name
from ..onnx import OnnxNetwork, onnx_library, run_onnx, runtime_library
from ._any_dimensional import AnyDimensionalModel
from ._dense_network import with_dense_kernels
from ._export import (
    array_function,
    check_same,
    free_grid_refusal,
    least_side,
    random_inputs,
    refuse_free_grid,
    side_of,
    smallest_grid,
    symbolic_sides,
)
from ._file import from_record
from ._named_arrays import dotted
from ._onnx_operations import OPERATIONS
from ._onnx_program import OPSET, Program

OUT = "_out"
"""The end of the name of an output, because an input may have the same name."""
ROUNDINGS = 10
"""The allowed difference between programs that add in a different order, in roundings of the inputs."""
IR_VERSION = 8
"""The IR version that came with operator set 17."""


def export_onnx(record: ModelRecord, grid: Sequence[int] | None = None) -> bytes:
    """Export a network as an ONNX graph, and check it against the network by running it in onnxruntime.

    The graph takes a batch of any size. Without `grid` it takes any grid whose sides are multiples of the network's
    `grid_factor`; if the network mirrors or repeats pixels beyond walls, its coarsest level must also have more pixels than are
    padded. Inputs are blocks `(batch, channels, *space, components)` of normalised fields by order and parity, such as `k1p0`.
    Outputs are such blocks too, such as `k1p0_out`. Equivariant convolutions become ordinary convolutions with the kernels of
    `ginjax.checkpoint.dense_kernels`.

    **Arguments:**

    - `record`: the model.
    - `grid`: the sides of the only grid that the graph takes; None for any grid.

    **Raises:** `UnsupportedError` without the extra `onnx`, and for an operation that cannot be written as ONNX. `ArgumentError` if the
    network needs a `grid`, see `export_stablehlo`. `VerificationError` if the graph differs from the network by more than 1e-5 of the
    largest value, or by more than ten times the effect of rounding the inputs, if that is more.
    """
    onnx_library()
    runtime_library()
    model = eqx.nn.inference_mode(from_record(record))
    if grid is None and (refusal := free_grid_refusal(model, record)) is not None:
        raise refusal
    sides = symbolic_sides(model) if grid is None else [str(side_of(n, model)) for n in grid]
    if len(sides) != model.D:
        raise ArgumentError("`grid`", got=f"{len(sides)} sides", expected=f"{model.D}, one for each axis")
    dense = with_dense_kernels(model, dense_kernels(record)) if record.layers else model
    try:
        network = _written(dense, model, record, sides, is_free=grid is None)
    except Exception as error:
        refuse_free_grid(error, grid, model)
        if grid is not None and isinstance(error, UnsupportedError) and error.hint is None:
            error.hint = _larger_grid(dense, model, record, grid)
        raise
    function = jax.jit(array_function(model, record.is_torus))

    def run(x: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name.removesuffix(OUT): block for name, block in run_onnx(network, x).items()}

    for batch, factor in ((1, 2), (3, 3)) if grid is None else ((2, 1),):
        shape = [n * factor for n in smallest_grid(model, record)] if grid is None else list(grid)
        x = random_inputs(model, batch, shape)
        check_same("the exported graph", function, run, x, roundings=ROUNDINGS)
    return network.model.SerializeToString(deterministic=True)


def _larger_grid(
    dense: Any, model: AnyDimensionalModel, record: ModelRecord, grid: Sequence[int]
) -> str | None:
    """Return the hint that a larger grid works, if one does: windows that wrap a small grid need other operations."""
    for factor in (2, 4, 8):
        larger = [str(n * factor) for n in grid]
        try:
            _written(dense, model, record, larger, is_free=False)
        except UnsupportedError:
            continue
        return f"The windows of the network reach round this grid. A larger one works, such as {'x'.join(larger)}."
    return None


def _written(
    dense: Any, model: AnyDimensionalModel, record: ModelRecord, sides: list[str], *, is_free: bool
) -> OnnxNetwork:
    """Write the graph of a network with ordinary kernels; its arrays keep their names."""
    from jax import export

    scope = export.SymbolicScope(
        [f"n{axis} >= {least_side(record)}" for axis in range(model.D)] if is_free else ()
    )
    inputs = {}
    for key, channels in model.spec.inputs:
        words = ", ".join(["batch", str(channels), *sides, *(str(model.D),) * len(key[0])])
        shape = export.symbolic_shape(words, scope=scope)
        inputs[key_name(key)] = jax.ShapeDtypeStruct(shape, jnp.float32)
    arrays, rest = eqx.partition(dense, eqx.is_array)
    leaves, tree = jax.tree_util.tree_flatten_with_path(arrays)

    def function(weights: list[Any], x: dict[str, Any]) -> dict[str, Any]:
        whole = eqx.combine(jax.tree_util.tree_unflatten(tree, weights), rest)
        return array_function(whole, record.is_torus)(x)

    shapes = [jax.ShapeDtypeStruct(np.shape(leaf), leaf.dtype) for _, leaf in leaves]
    jaxpr, outputs = jax.make_jaxpr(function, return_shape=True)(shapes, inputs)
    first = next(iter(sorted(inputs)))
    lengths = {"batch": (first, 0, 1)}
    lengths |= {f"n{axis}": (first, 2 + axis, model.grid_factor) for axis in range(model.D)}
    program = Program(lengths, OPERATIONS)
    weights = [program.constant(leaf, dotted(path)) for path, leaf in leaves]
    names = program.run(jaxpr, [*weights, *sorted(inputs)])
    graph = program.graph
    results = [f"{name}{OUT}" for name in sorted(outputs)]
    for name, made in zip(results, names, strict=True):
        graph.add("Identity", [made], "program", outputs=[name])
    graph.pruned(results)
    helper = onnx_library("helper")

    def described(name: str, struct: Any) -> Any:
        return helper.make_tensor_value_info(
            name, 1, [_dim(each, model.grid_factor) for each in struct.shape]
        )

    made = helper.make_graph(
        graph.nodes,
        f"{model.spec.architecture} in {model.D}D",
        [described(name, inputs[name]) for name in sorted(inputs)],
        [described(result, outputs[name]) for result, name in zip(results, sorted(outputs), strict=True)],
        list(graph.constants.values()),
        doc_string="Normalised fields in, normalised fields out: blocks (batch, channels, *space, components) by order and parity.",
    )
    return OnnxNetwork(
        helper.make_model(
            made,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="ginjax",
            producer_version=__version__,
        )
    )


def _dim(size: Any, factor: int) -> int | str | None:
    """Return the length of an axis as a graph states it: a number, or a name if it is free."""
    if isinstance(size, int | np.integer):
        return int(size)
    text = str(size).removeprefix(f"{factor}*")
    return text if text.isidentifier() else None
