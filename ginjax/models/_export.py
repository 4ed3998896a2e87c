"""Export of networks for other programs, as StableHLO or with dense kernels, each checked by running it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from ..checkpoint import ModelRecord, dense_kernels
from ..errors import ArgumentError, UnsupportedError, VerificationError
from ..geometric import AnyArray, MultiImage, key_name, parse_torus
from ._any_dimensional import AnyDimensionalModel
from ._dense_network import with_dense_kernels
from ._file import from_record

EXPORT_TOLERANCE = 1e-5
"""The largest difference between a network and its export, relative to the largest value of the output."""

ArrayFunction = Callable[..., Any]
"""A function from blocks by name of the key, such as `{"k1p0": (batch, channels, *spatial, D)}`, to such blocks."""


def array_function(model: AnyDimensionalModel, is_torus: bool | Sequence[bool] = True) -> ArrayFunction:
    """Make a function of a batch of plain arrays from a network.

    **Arguments:**

    - `model`: the network.
    - `is_torus`: which axes are periodic.

    **Returns:** a function that takes and returns blocks `(batch, channels, *spatial, D, ..., D)` by `key_name`.
    """
    torus = parse_torus(is_torus, model.D)
    keys = {key_name(key): key for key, _ in model.spec.inputs}

    def function(x: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        def one(blocks: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
            image = MultiImage({keys[name]: block for name, block in blocks.items()}, model.D, torus)
            y, _ = model(image)
            return {key_name(key): block for key, block in y.items()}

        return jax.vmap(one)(dict(x))

    return function


def export_stablehlo(record: ModelRecord, grid: Sequence[int] | None = None) -> bytes:
    """Export a network as serialised StableHLO for CPUs and GPUs, and check it by running it.

    The program takes a batch of any size. Without `grid` it takes any grid whose sides are multiples of the network's
    `grid_factor`; if the network mirrors or repeats pixels beyond walls, its coarsest level must also have more pixels than are
    padded. `jax.export.deserialize(bytes).call({"k1p0": ...})` runs the program without this library. Inputs and outputs are
    normalised fields, as the contract of the model says.

    **Arguments:**

    - `record`: the model.
    - `grid`: the sides of the only grid that the program takes; None for any grid.

    **Raises:** `UnsupportedError` if the package flatbuffers is not installed. `ArgumentError` if the network needs a `grid` and there is
    none: if plain convolutions pad by copying pixels, or if it wraps further than a grid may be long. `VerificationError` if the
    program computes something else.
    """
    from jax import export

    _check_flatbuffers()
    model = eqx.nn.inference_mode(from_record(record))
    if grid is None and (refusal := free_grid_refusal(model, record)) is not None:
        raise refusal
    function = array_function(model, record.is_torus)
    sides = symbolic_sides(model) if grid is None else [str(side_of(n, model)) for n in grid]
    if len(sides) != model.D:
        raise ArgumentError("`grid`", got=f"{len(sides)} sides", expected=f"{model.D}, one for each axis")
    scope = export.SymbolicScope(
        [f"n{axis} >= {least_side(record)}" for axis in range(model.D)] if grid is None else ()
    )
    arguments = {
        key_name(key): jax.ShapeDtypeStruct(
            export.symbolic_shape(
                ", ".join(["batch", str(channels), *sides, *(str(model.D),) * len(key[0])]), scope=scope
            ),
            jnp.float32,
        )
        for key, channels in model.spec.inputs
    }
    try:
        exported = export.export(jax.jit(function), platforms=("cpu", "cuda"))(arguments)
    except Exception as error:
        refuse_free_grid(error, grid, model)
        raise
    payload = bytes(exported.serialize())
    run = export.deserialize(bytearray(payload)).call
    for batch, factor in ((1, 2), (3, 3)) if grid is None else ((2, 1),):
        shape = [n * factor for n in smallest_grid(model, record)] if grid is None else list(grid)
        check_same("the exported program", jax.jit(function), run, random_inputs(model, batch, shape))
    return payload


def export_dense(record: ModelRecord) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Return the arrays of `ginjax.checkpoint.dense_kernels`, checked by running the network with them.

    **Raises:** `VerificationError` if the network computes something else with them.
    """
    arrays = dense_kernels(record)
    model = eqx.nn.inference_mode(from_record(record))
    if record.layers:
        ours = array_function(model, record.is_torus)
        theirs = array_function(with_dense_kernels(model, arrays), record.is_torus)
        shape = smallest_grid(model, record)
        check_same(
            "the network with dense kernels", jax.jit(ours), jax.jit(theirs), random_inputs(model, 2, shape)
        )
    return arrays


def check_same(
    what: str,
    ours: ArrayFunction,
    theirs: ArrayFunction,
    x: Mapping[str, Float[np.ndarray, "..."]],
    *,
    roundings: int = 0,
) -> None:
    """Refuse an export that does not compute the same as the network.

    **Arguments:**

    - `what`: what was exported, for the error message.
    - `ours`: the network, compiled.
    - `theirs`: the export.
    - `x`: the inputs.
    - `roundings`: the allowed difference, in units of the change by a rounding of the inputs, if that is more than
      `EXPORT_TOLERANCE`.

    **Raises:** `VerificationError`.
    """
    wanted = jax.device_get(ours(x))
    worst, limit = _gap(wanted, jax.device_get(theirs(x))), EXPORT_TOLERANCE
    if roundings and not worst <= limit:
        limit = max(limit, roundings * _gap(wanted, jax.device_get(ours(_rounded(x)))))
    if not worst <= limit:
        raise VerificationError(
            f"{what} computes something else than the model",
            got=f"a relative difference of {worst:.1g}",
            expected=f"at most {limit:.2g}",
        )


def _gap(wanted: Mapping[str, AnyArray], found: Mapping[str, AnyArray]) -> float:
    """Return the largest difference of two outputs, relative to the largest value of the first."""
    scale = max(float(np.abs(block).max()) for block in wanted.values()) or 1.0
    return max(float(np.abs(found[name] - block).max()) for name, block in wanted.items()) / scale


def _rounded(x: Mapping[str, Float[np.ndarray, "..."]]) -> dict[str, np.ndarray]:
    """Move every entry up or down by a rounding."""
    rng, one = np.random.default_rng(1), np.finfo(np.float32).eps / 2
    return {
        name: (block * (1 + rng.choice([-one, one], block.shape))).astype(np.float32)
        for name, block in x.items()
    }


def random_inputs(model: AnyDimensionalModel, batch: int, shape: Sequence[int]) -> dict[str, np.ndarray]:
    """Make a batch of white noise, the same at every call: blocks `(batch, channels, *shape, D, ..., D)` by key name."""
    rng = np.random.default_rng(0)
    return {
        key_name(key): rng.standard_normal((batch, channels, *shape, *(model.D,) * len(key[0])), np.float32)
        for key, channels in model.spec.inputs
    }


def smallest_grid(model: AnyDimensionalModel, record: ModelRecord) -> list[int]:
    """Return the sides of a small grid that the network accepts, larger than its filters."""
    side = max((bank.side for bank in record.banks.values()), default=3)
    factor = model.grid_factor
    return [factor * max(-(-(side + 1) // factor), 2, least_side(record))] * model.D


def least_side(record: ModelRecord) -> int:
    """Return how many pixels the coarsest level needs along each axis: more than are padded by repeating or reflecting."""
    if not _goes_on_beyond_walls(record):
        return 1
    reaches = [(record.banks[layer.role].side - 1) * layer.filter_dilation for layer in record.layers]
    return max((reach - reach // 2 for reach in reaches), default=0) + 1


def _goes_on_beyond_walls(record: ModelRecord) -> bool:
    """Whether the network repeats or reflects values at the end of an axis."""
    return any(axis.padding in ("edge", "mirror") for axis in record.contract.axes)


def symbolic_sides(model: AnyDimensionalModel) -> list[str]:
    """Return the sides of a free grid as symbolic dimensions of JAX, which are multiples of `grid_factor`."""
    return [
        f"{model.grid_factor}*n{axis}" if model.grid_factor > 1 else f"n{axis}" for axis in range(model.D)
    ]


def side_of(n: int, model: AnyDimensionalModel) -> int:
    """Return the number of grid points `n` if the network accepts it.

    **Raises:** `ArgumentError` otherwise.
    """
    if n < 1 or n % model.grid_factor:
        raise ArgumentError("`grid`", got=n, expected=f"multiples of {model.grid_factor}, 1 or more")
    return n


def refuse_free_grid(error: Exception, grid: Sequence[int] | None, model: AnyDimensionalModel) -> None:
    """Raise `ArgumentError` if JAX failed because a decision depends on the size of the grid; ignore other errors."""
    # By name, because the public module of the class depends on the version of JAX.
    if grid is not None or type(error).__name__ != "InconclusiveDimensionOperation":
        return
    raise ArgumentError(
        f"{model.spec.architecture} for any grid",
        got="a network whose way to compute depends on the size of the grid",
        expected="a `grid` that is known",
        hint="Name its sides with `grid`.",
    ) from error


def free_grid_refusal(model: AnyDimensionalModel, record: ModelRecord) -> ArgumentError | None:
    """Return the reason why a network cannot be exported for any grid; None if it can."""
    if not (_copies_at_ends(model) or (record.plain_layers and _goes_on_beyond_walls(record))):
        return None
    return ArgumentError(
        f"a plain {model.spec.architecture} for any grid",
        got="convolutions that pad by copying",
        expected="a `grid` that is known",
        hint="Name its sides with `grid`.",
    )


def _copies_at_ends(model: AnyDimensionalModel) -> bool:
    """Whether a plain convolution wraps or mirrors, for which the size of the grid must be known in tracing."""
    leaves = jax.tree_util.tree_leaves(model, is_leaf=lambda x: isinstance(x, eqx.nn.Conv))
    return any(isinstance(each, eqx.nn.Conv) and each.padding_mode.upper() != "ZEROS" for each in leaves)


def _check_flatbuffers() -> None:
    from importlib.util import find_spec

    if find_spec("flatbuffers") is None:
        raise UnsupportedError(
            "serialised StableHLO",
            got="no package flatbuffers",
            expected="it, because JAX writes such files with it",
            hint="Install it: pip install flatbuffers",
        )
