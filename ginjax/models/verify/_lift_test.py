"""Verification of a converted network on random or given fields: the lift test and the equivariance defect."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...checkpoint import ModelRecord, added_axes
from ...errors import ArgumentError
from ...geometric import MultiImage, Signature
from ...transfer import (
    axis_order,
    condition_residual,
    lift_key,
    plain_condition_residual,
    with_axes_in_order,
)
from .._any_dimensional import AnyDimensionalModel
from .._file import LoadedModel, from_record, load_model
from .._module import MultiImageModule
from .._named_arrays import layer_table, model_banks
from .._spec import ModelSpec
from ._equivariance import equivariance_defect
from ._lift import Lift
from ._outputs import relative_difference, run_network
from ._shared_fields import on_shared_fields
from ._verification import Verification

_T = TypeVar("_T")

STAGES = 4
"""How many times a verification calls `progress`."""


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
    """Verify a conversion, up or down, by `verify_transfer` without rounding float64 weights."""
    low, high = (before, after) if before.D < after.D else (after, before)
    parity_lift = after.certificate is not None and after.certificate.parity_lift
    shared = on_shared_fields(low, high, parity_lift)
    with jax.enable_x64(True):
        models = from_record(shared[0]), from_record(shared[1])
        whole = None if shared[0] is low and shared[1] is high else from_record(high)
    found = verify_transfer(
        *models,
        whole=whole,
        is_torus=low.is_torus,
        new_axes=(places := added_axes(low, high)),
        new_torus=tuple(high.is_torus[i] for i in places),
        side=side,
        seed=seed,
        parity_lift=parity_lift,
        progress=progress,
    )
    return with_condition(found, *shared, parity_lift, places)


def with_condition(
    found: "Verification",
    low: ModelRecord,
    high: ModelRecord,
    parity_lift: bool,
    new_axes: Sequence[int] = (),
) -> "Verification":
    """Add the residual of condition (C), or of the corresponding condition for plain kernels, to a verification.

    **Arguments:**

    - `found`: the verification.
    - `low`, `high`, `parity_lift`, `new_axes`: as in `verify_transfer`.
    """
    if low.plain_layers and low.plain_layers == high.plain_layers:
        arrays = high.arrays
        if new_axes:
            # Back to the order in which the new axes come last.
            order = np.argsort(axis_order(new_axes, high.D))
            arrays = with_axes_in_order(arrays, high.plain_layers, [int(axis) for axis in order])
        kernels = (low.arrays, low.D), (arrays, high.D)
        return replace(found, condition=plain_condition_residual(*kernels, low.plain_layers), plain=True)
    if not (low.layers and high.layers):
        return found
    # A network that gained fields may have further layers, for products of the new fields.
    known = {layer.name for layer in low.layers}
    layers = low.layers, tuple(layer for layer in high.layers if layer.name in known)
    sides = [(each.arrays, rows, each.banks) for each, rows in zip((low, high), layers, strict=True)]
    return replace(found, condition=condition_residual(*sides, parity_lift=parity_lift))


def verify_transfer(
    low: AnyDimensionalModel,
    high: AnyDimensionalModel,
    *,
    is_torus: tuple[bool, ...] | None = None,
    new_torus: tuple[bool, ...] | None = None,
    new_axes: Sequence[int] = (),
    side: int | None = None,
    seed: int = 0,
    parity_lift: bool = False,
    fields: MultiImage | None = None,
    whole: AnyDimensionalModel | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Verification:
    """Compare a converted network with its original on random or given fields.

    **Arguments:**

    - `low`, `high`: the two networks, the second in a higher dimension. Load them with `jax_enable_x64`, so that float64
      weights are not rounded.
    - `is_torus`: which axes of the lower dimension are periodic (default: all).
    - `new_torus`: which of the added axes are periodic (default: all). Along all others fields continue as the specification of
      the second network says.
    - `new_axes`: the positions of the added axes, counted from 0 and increasing; the last ones if empty.
    - `side`: the number of pixels along each axis of random fields and along added axes; `default_side` if None.
    - `seed`: the seed of the random fields.
    - `parity_lift`: whether odd scalars were converted to odd vectors, see `ginjax.transfer.lift_key`.
    - `fields`: inputs of the first network for the lift tests, blocks `(samples, channels, *spatial, D, ..., D)`;
      None for random fields. The equivariance defect is always measured on random fields.
    - `whole`: the second network with all of its fields, if `low` and `high` are restricted to the fields that both have, see
      `on_shared_fields`. The equivariance defect is that of `whole`.
    - `progress`: called `STAGES` times, each time when a part of the work is done.

    **Raises:** `ArgumentError` if the two networks cannot belong together, `NumericsError` if an output is not finite.
    """
    if high.D <= low.D:
        raise ArgumentError(
            "dimension of the second model",
            got=high.D,
            expected=f"more than {low.D}",
            hint="Name the model before conversion first.",
        )
    expected = _lifted(low.spec) if parity_lift else low.spec
    if not _belong(expected, high.spec, inside=whole is None):
        name, got, wanted = spec_difference(high.spec, expected)
        raise ArgumentError(
            f"{name} of the second model",
            got=got,
            expected=f"{wanted}, as of the first: a model and what it was converted to",
        )
    torus = (True,) * low.D if is_torus is None else is_torus
    added_torus = (True,) * (high.D - low.D) if new_torus is None else new_torus
    walled = not all((*torus, *added_torus))
    lift = Lift(low.D, high.D, tuple(new_axes) or tuple(range(low.D, high.D)), added_torus, parity_lift)
    _check_same_walls(low, high, torus, lift)
    side = default_side(high, walled=walled) if side is None else side
    dtype = min(_dtype_of(low), _dtype_of(high), key=lambda name: np.dtype(name).itemsize)
    if fields is None:
        given = [_random_field(low.spec.inputs, low.D, side, seed, torus)]
    else:
        given = _samples_of(fields, low, torus)

    def worst_lift(precision: str) -> float:
        models = _cast(low, precision), _cast(high, precision)
        return max(_lift_defect(*models, _cast(x, precision), side, lift) for x in given)

    with jax.enable_x64(True):
        lift_float64 = worst_lift("float64")
        progress()
        lift_own = worst_lift(dtype)
        progress()
        ends = lift.placed(torus, added_torus)
        all_of_it = high if whole is None else whole
        wide = _cast(_random_field(all_of_it.spec.inputs, high.D, side, seed + 1, ends), dtype)
        equivariance = equivariance_defect(_cast(all_of_it, dtype), wide)
        noise_high = _rounding(all_of_it, wide, dtype)
        progress()
        noise = np.max([_noise(low, each, dtype, seed) for each in given], axis=0).tolist()
        progress()
    return Verification(dtype, side, lift_float64, lift_own, equivariance, *noise, noise_high=noise_high)


def spec_difference(got: ModelSpec, expected: ModelSpec) -> tuple[str, str, str]:
    """Return the first difference of two specifications: its name, and both values as text.

    **Arguments:**

    - `got`, `expected`: two specifications that are not equal.
    """
    for name in ("architecture", "inputs", "outputs"):
        mine, other = getattr(got, name), getattr(expected, name)
        if mine != other:
            return name, str(mine), str(other)
    mine, other = dict(got.options), dict(expected.options)
    for name in sorted(mine.keys() | other.keys()):
        if name != "padding_mode" and mine.get(name) != other.get(name):
            return f"option {name!r}", str(mine.get(name, "nothing")), str(other.get(name, "nothing"))
    return "specification", "another one", "an equal one"


def _samples_of(fields: MultiImage, low: AnyDimensionalModel, torus: tuple[bool, ...]) -> list[MultiImage]:
    """Return the samples of given fields, after a check that they are inputs of a network."""
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
    """Measure `noise_float64` and `noise_own` of `Verification`."""
    if dtype == "float64":
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    unit = float(jnp.finfo(dtype).eps) / 2
    wide, x = _cast(low, "float64"), _cast(fields, "float64")
    moved = jax.tree_util.tree_map(
        lambda a: a * (1 + unit * rng.uniform(-1, 1, a.shape)) if eqx.is_inexact_array(a) else a, wide
    )
    return relative_difference(run_network(moved, x), run_network(wide, x)), _rounding(low, fields, dtype)


def _rounding(model: AnyDimensionalModel, x: MultiImage, dtype: str) -> float:
    """Measure the difference between a network run in a precision and the same network in float64."""
    if dtype == "float64":
        return 0.0
    exact = run_network(_cast(model, "float64"), _cast(x, "float64"))
    own = _cast(run_network(_cast(model, dtype), _cast(x, dtype)), "float64")
    return relative_difference(own, exact)


def _lift_defect(
    low: MultiImageModule, high: MultiImageModule, x: MultiImage, side: int, lift: Lift
) -> float:
    return relative_difference(run_network(high, lift(x, side)), lift(run_network(low, x), side))


def _check_same_walls(
    low: AnyDimensionalModel, high: AnyDimensionalModel, torus: tuple[bool, ...], lift: Lift
) -> None:
    """Refuse two networks with different padding modes along an old axis that is not periodic."""
    old = [i for i in range(high.D) if i not in lift.places]
    ours, theirs = low.spec.padding(low.D), high.spec.padding(high.D)
    for axis, (place, periodic) in enumerate(zip(old, torus, strict=True)):
        if ours[axis] != theirs[place] and not periodic:
            raise ArgumentError(
                f"padding of axis {place} of the second model",
                got=theirs[place],
                expected=f"{ours[axis]!r}, as of the first",
            )


def _belong(low: ModelSpec, high: ModelSpec, *, inside: bool) -> bool:
    """Whether two specifications describe one network in two dimensions, apart from its padding modes.

    **Arguments:**

    - `low`, `high`: the specifications.
    - `inside`: whether the hidden fields must be the same too.
    """
    aside = ("padding_mode",) if inside else ("padding_mode", "mid_keys")

    def rest(spec: ModelSpec) -> tuple[object, ...]:
        options = tuple(pair for pair in spec.options if pair[0] not in aside)
        return spec.architecture, spec.inputs, spec.outputs, options

    return rest(low) == rest(high)


def _lifted(spec: ModelSpec) -> ModelSpec:
    """Replace every odd scalar of a spec by an odd vector."""

    def lifted(signature: Signature) -> Signature:
        return Signature((lift_key((len(k), p)), channels) for (k, p), channels in signature)

    options = dict(spec.options)
    if options.get("mid_keys") is not None:
        options["mid_keys"] = lifted(options["mid_keys"])
    return ModelSpec.make(spec.architecture, lifted(spec.inputs), lifted(spec.outputs), **options)


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


def default_side(model: AnyDimensionalModel, *, walled: bool = False) -> int:
    """Return the pixels along each axis of random fields: 8, or more if the down-samplings or walls need more."""
    factor = model.grid_factor
    least = max(8, _reach(model)) if walled else 8
    return factor * max(1, -(-least // factor))


def _reach(model: AnyDimensionalModel) -> int:
    """Return how many pixels the input needs so that every convolution has more pixels than it pads."""
    banks = model_banks(model)
    table = layer_table(model)
    widths = [
        banks[row.role].side // 2 * row.filter_dilation * 2**row.level for row in table if row.stride == 1
    ]
    plain = [leaf for leaf in jax.tree.leaves(model, is_leaf=_is_plain) if _is_plain(leaf)]
    widths += [leaf.kernel_size[0] // 2 * leaf.dilation[0] * model.grid_factor for leaf in plain]
    return 1 + max(widths, default=0)


def _is_plain(leaf: object) -> bool:
    return isinstance(leaf, eqx.nn.Conv)
