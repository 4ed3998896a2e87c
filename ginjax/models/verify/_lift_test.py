"""Does a converted network do what it promises? The lift test and the equivariance defect, on random fields."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from ...checkpoint import ModelRecord
from ...errors import ArgumentError, NumericsError
from ...geometric import MultiImage, Signature, compiled
from ...transfer import (
    condition_residual,
    embed_field,
    lift_key,
    plain_condition_residual,
)
from .._any_dimensional import AnyDimensionalModel
from .._file import LoadedModel, from_record, load_model
from .._module import MultiImageModule
from .._spec import ModelSpec
from ._verification import Verification

_T = TypeVar("_T")

STAGES = 4
"""How often a verification tells its progress."""


def load_pair(low: str | os.PathLike[str], high: str | os.PathLike[str]) -> tuple[LoadedModel, LoadedModel]:
    """Read two models without rounding float64 weights."""
    with jax.enable_x64(True):
        return load_model(low), load_model(high)


def verify_records(
    before: ModelRecord,
    after: ModelRecord,
    *,
    side: int | None = None,
    seed: int = 0,
    progress: Callable[[], None] = lambda: None,
) -> "Verification":
    """`verify_transfer` for a conversion, up or down, without rounding float64 weights."""
    low, high = (before, after) if before.D < after.D else (after, before)
    parity_lift = after.certificate is not None and after.certificate.parity_lift
    with jax.enable_x64(True):
        models = from_record(low), from_record(high)
    found = verify_transfer(
        *models, is_torus=low.is_torus, side=side, seed=seed, parity_lift=parity_lift, progress=progress
    )
    return with_condition(found, low, high, parity_lift)


def with_condition(
    found: "Verification", low: ModelRecord, high: ModelRecord, parity_lift: bool
) -> "Verification":
    """The verification with the residual of condition (C), or of what stands for it between plain kernels."""
    if low.plain_layers and low.plain_layers == high.plain_layers:
        kernels = (low.arrays, low.D), (high.arrays, high.D)
        return replace(found, condition=plain_condition_residual(*kernels, low.plain_layers), plain=True)
    if not (low.layers and high.layers):
        return found
    sides = [(record.arrays, record.layers, record.banks) for record in (low, high)]
    return replace(found, condition=condition_residual(*sides, parity_lift=parity_lift))


def verify_transfer(
    low: AnyDimensionalModel,
    high: AnyDimensionalModel,
    *,
    is_torus: tuple[bool, ...] | None = None,
    side: int | None = None,
    seed: int = 0,
    parity_lift: bool = False,
    fields: MultiImage | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Verification:
    """Compare a converted network with the one it came from, on random or given fields.

    **Arguments:**

    - `low`, `high`: the networks before and after, the second in a higher dimension. To be run in float64 their
      float64 weights must not have been rounded: load them with `jax_enable_x64`.
    - `is_torus`: which axes of the lower dimension are periodic (default: all); added axes are.
    - `side`: pixels along each axis of random fields and along added ones; default 8, or as many as a UNet's pooling
      needs.
    - `seed`: of the random fields.
    - `parity_lift`: whether odd scalars were converted to odd vectors, see `ginjax.transfer.lift_key`.
    - `fields`: inputs of the first network for the lift tests, blocks `(samples, channels, *spatial, D, ..., D)`;
      random ones if None. The equivariance defect is always that on random fields.
    - `progress`: called `STAGES` times, when a part of the work is done.

    **Raises:** `ArgumentError` if the two cannot belong together, `NumericsError` if an output is not finite.
    """
    if high.D <= low.D:
        raise ArgumentError(
            "dimension of the second model",
            got=high.D,
            expected=f"more than {low.D}",
            hint="Name the model before conversion first.",
        )
    expected = _lifted(low.spec) if parity_lift else low.spec
    if expected != high.spec:
        name, got, wanted = spec_difference(high.spec, expected)
        raise ArgumentError(
            f"{name} of the second model",
            got=got,
            expected=f"{wanted}, as of the first: a model and what it was converted to",
        )
    side = _default_side(low) if side is None else side
    torus = (True,) * low.D if is_torus is None else is_torus
    added = (side,) * (high.D - low.D)
    dtype = min(_dtype_of(low), _dtype_of(high), key=lambda name: np.dtype(name).itemsize)
    if fields is None:
        given = [_random_field(low.spec.inputs, low.D, side, seed, torus)]
    else:
        given = _samples_of(fields, low, torus)

    def worst_lift(precision: str) -> float:
        models = _cast(low, precision), _cast(high, precision)
        return max(_lift(*models, _cast(x, precision), added, parity_lift) for x in given)

    with jax.enable_x64(True):
        lift_float64 = worst_lift("float64")
        progress()
        lift_own = worst_lift(dtype)
        progress()
        wide = _cast(_random_field(high.spec.inputs, high.D, side, seed + 1, (True,) * high.D), dtype)
        equivariance = equivariance_defect(_cast(high, dtype), wide)
        noise_high = _rounding(high, wide, dtype)
        progress()
        noise = np.max([_noise(low, each, dtype, seed) for each in given], axis=0).tolist()
        progress()
    return Verification(dtype, side, lift_float64, lift_own, equivariance, *noise, noise_high=noise_high)


def spec_difference(got: ModelSpec, expected: ModelSpec) -> tuple[str, str, str]:
    """The first thing in which two specifications differ: its name, and what either says.

    **Arguments:**

    - `got`, `expected`: two specifications that are not equal.
    """
    for name in ("architecture", "inputs", "outputs"):
        mine, other = getattr(got, name), getattr(expected, name)
        if mine != other:
            return name, str(mine), str(other)
    mine, other = dict(got.options), dict(expected.options)
    for name in sorted(mine.keys() | other.keys()):
        if mine.get(name) != other.get(name):
            return f"option {name!r}", str(mine.get(name, "nothing")), str(other.get(name, "nothing"))
    return "specification", "another one", "an equal one"


def _samples_of(fields: MultiImage, low: AnyDimensionalModel, torus: tuple[bool, ...]) -> list[MultiImage]:
    """Given fields one by one, if they are inputs of a network."""
    found = Signature(fields.get_signature())
    if fields.D != low.D or found != low.spec.inputs or not fields.get_L():
        raise ArgumentError(
            "fields to compare on",
            got=f"{fields.get_L()} samples of {found} in {fields.D}D",
            expected=f"samples of {low.spec.inputs} in {low.D}D",
        )
    return [
        MultiImage({key: jnp.asarray(block[i]) for key, block in fields.items()}, low.D, torus)
        for i in range(fields.get_L())
    ]


def _noise(low: AnyDimensionalModel, fields: MultiImage, dtype: str, seed: int) -> tuple[float, float]:
    """`noise_float64` and `noise_own` of `Verification`."""
    if dtype == "float64":
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    unit = float(jnp.finfo(dtype).eps) / 2
    wide, x = _cast(low, "float64"), _cast(fields, "float64")
    moved = jax.tree_util.tree_map(
        lambda a: a * (1 + unit * rng.uniform(-1, 1, a.shape)) if eqx.is_inexact_array(a) else a, wide
    )
    return _relative(_run(moved, x), _run(wide, x)), _rounding(low, fields, dtype)


def _rounding(model: AnyDimensionalModel, x: MultiImage, dtype: str) -> float:
    """How far a network, run in a precision, is from itself in float64."""
    if dtype == "float64":
        return 0.0
    exact = _run(_cast(model, "float64"), _cast(x, "float64"))
    own = _cast(_run(_cast(model, dtype), _cast(x, dtype)), "float64")
    return _relative(own, exact)


def equivariance_defect(model: AnyDimensionalModel, x: MultiImage) -> float:
    """`max_g |f(g x) - g f(x)| / max |f(x)|` over generators of `B_D`: a reflection and transpositions."""
    y = _run(model, x)
    return max(
        _relative(_run(model, x.times_group_element(g)), y.times_group_element(g)) for g in generators(x.D)
    )


def generators(D: int) -> list[Int[np.ndarray, "dim dim"]]:
    """Matrices that generate `B_D`: the reflection of the first axis and the neighbour transpositions."""
    reflection = np.eye(D, dtype=int)
    reflection[0, 0] = -1
    swaps = []
    for i in range(D - 1):
        order = list(range(D))
        order[i], order[i + 1] = order[i + 1], order[i]
        swaps.append(np.eye(D, dtype=int)[order])
    return [reflection, *swaps]


@compiled
def _run(model: MultiImageModule, x: MultiImage) -> MultiImage:
    return model(x)[0]


def _lift(
    low: MultiImageModule, high: MultiImageModule, x: MultiImage, added: tuple[int, ...], parity_lift: bool
) -> float:
    return _relative(_run(high, _embed(x, added, parity_lift)), _embed(_run(low, x), added, parity_lift))


def _embed(x: MultiImage, added: tuple[int, ...], parity_lift: bool) -> MultiImage:
    blocks = {}
    for (k, p), block in x.items():
        order = len(k)
        new_key = lift_key((order, p)) if parity_lift else (order, p)
        embedded = embed_field(np.asarray(block), x.D, order, added, lifted=new_key != (order, p))
        blocks[new_key] = jnp.asarray(embedded)
    return MultiImage(blocks, x.D + len(added), (*x.is_torus, *(True,) * len(added)))


def _lifted(spec: ModelSpec) -> ModelSpec:
    """The spec with every odd scalar replaced by an odd vector."""

    def lifted(signature: Signature) -> Signature:
        return Signature((lift_key((len(k), p)), channels) for (k, p), channels in signature)

    options = dict(spec.options)
    if options.get("mid_keys") is not None:
        options["mid_keys"] = lifted(options["mid_keys"])
    return ModelSpec.make(spec.architecture, lifted(spec.inputs), lifted(spec.outputs), **options)


def _relative(a: MultiImage, b: MultiImage) -> float:
    difference = max(float(jnp.abs(a[key] - b[key]).max()) for key in b)
    scale = max(float(jnp.abs(b[key]).max()) for key in b)
    if not (np.isfinite(difference) and np.isfinite(scale)):
        raise NumericsError("output of the network is NaN or infinite", hint="Its weights may have diverged.")
    return difference / scale if scale > 0 else difference


def _random_field(
    signature: Signature, D: int, side: int, seed: int, is_torus: tuple[bool, ...]
) -> MultiImage:
    rng = np.random.default_rng(seed)
    blocks = {
        key: rng.standard_normal((c, *(side,) * D, *(D,) * len(key[0]))).astype(np.float32)
        for key, c in signature
    }
    return MultiImage({key: jnp.asarray(block) for key, block in blocks.items()}, D, is_torus)


def _cast(tree: _T, dtype: str) -> _T:
    return jax.tree_util.tree_map(lambda a: a.astype(dtype) if eqx.is_inexact_array(a) else a, tree)


def _dtype_of(model: MultiImageModule) -> str:
    dtypes = {leaf.dtype for leaf in jax.tree_util.tree_leaves(model) if eqx.is_inexact_array(leaf)}
    return max((np.dtype(d) for d in dtypes), key=lambda d: d.itemsize, default=np.dtype(np.float32)).name


def _default_side(model: AnyDimensionalModel) -> int:
    factor = model.grid_factor
    return factor * max(1, -(-8 // factor))
