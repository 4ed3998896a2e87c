"""Models as records with float64 weights drawn by NumPy: nothing is compiled and nothing is run."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from helpers import FULL2

from ginjax.checkpoint import DataContract, ModelRecord, axes_of
from ginjax.filters import BankRecipe, FilterBank, make_bank
from ginjax.geometric import Signature
from ginjax.models import ModelSpec, layer_table, named_map
from ginjax.models._build import outline
from ginjax.models._named_arrays import plain_table
from ginjax.transfer import ConvLayer, role_keys

TENSOR = Signature([((2, 0), 1)])
MIDDLE = Signature([((0, 0), 2), ((1, 0), 2)])
"""What is in the middle of a network on 2-tensors: outputs of order 2 would not transfer exactly."""


def small_spec(architecture: str, inputs: Any, outputs: Any = None, **options: Any) -> ModelSpec:
    """An architecture as small as it goes; `options` are the constructor's and replace those given here."""
    inputs, outputs = Signature(inputs), Signature(inputs if outputs is None else outputs)
    common = {"use_bias": "auto", "activation_f": "gelu"}
    framed = common | {"depth": 2, "use_group_norm": True}
    defaults = {
        "ResNet": framed | {"num_blocks": 1, "num_conv": 1},
        "DilResNet": framed | {"num_blocks": 1},
        "UNet": framed | {"num_downsamples": 1, "num_conv": 1, "upsample": "repeat"},
        "SimpleConvSeries": common | {"width": 2, "depth": 2},
    }
    if options.get("mid_keys") is not None:
        options["mid_keys"] = Signature(options["mid_keys"])
    return ModelSpec.make(architecture, inputs, outputs, **defaults.get(architecture, {}) | options)


def small_banks(spec: ModelSpec, D: int, recipe: BankRecipe) -> dict[str, FilterBank]:
    """The filters a spec uses in dimension `D`, by role."""
    sources, targets = ({(len(k), p) for (k, p), _ in s} for s in (spec.inputs, spec.outputs))
    given = spec.option("mid_keys")
    middle = sources | targets if given is None else {(len(k), p) for (k, p), _ in given}
    steps = [(sources, middle), (middle, middle), (middle, targets)]
    if spec.architecture == "SimpleConvSeries" and spec.option("depth") == 1:
        steps = [(sources, targets)]
    keys = set()
    for a, b in steps:
        rows = (tuple((*key, 1) for key in side) for side in (a, b))
        keys |= role_keys((ConvLayer("", "conv", *rows),), "conv")
    banks = {"conv": make_bank(D, recipe, keys)}
    if spec.option("upsample") == "transpose":
        banks["upsample"] = make_bank(D, FULL2, keys)
    return banks


def drawn_record(
    spec: ModelSpec,
    D: int,
    recipe: BankRecipe = BankRecipe(3),
    *,
    seed: int = 0,
    is_torus: bool = True,
    dtype: Any = np.float64,
    banks: Mapping[str, FilterBank] | None = None,
) -> ModelRecord:
    """A model in dimension `D` with every parameter away from its initial value."""
    banks, model = _outlined(spec, D, recipe) if banks is None else (banks, outline(spec, D, banks))
    arrays = draw_arrays(model, seed, dtype)
    return ModelRecord(
        spec=model.spec.to_json(),
        banks=banks,
        layers=layer_table(model),
        contract=DataContract.unknown((is_torus,) * D),
        arrays=arrays,
        plain_layers=plain_table(model),
    )


@functools.lru_cache(maxsize=16)
def _outlined(spec: ModelSpec, D: int, recipe: BankRecipe) -> tuple[Mapping[str, FilterBank], Any]:
    """Filters and outline of a network; several weights are drawn for one."""
    banks = small_banks(spec, D, recipe) if spec.equivariant else {}
    return banks, outline(spec, D, banks)


def with_boundary(record: ModelRecord, is_torus: tuple[bool, ...]) -> ModelRecord:
    """The record of a model for data with other boundaries."""
    return replace(record, contract=replace(record.contract, axes=axes_of(is_torus)))


def draw_arrays(model: Any, seed: int, dtype: Any) -> dict[str, np.ndarray]:
    """For each array of an outline by name: weights of about `1/sqrt(fan in)`, scales near 1, small biases.

    Large ones would let some networks push all of a field to where the nonlinearity is flat; the norm that follows
    would then magnify rounding to anything.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, slot: Any) -> None:
        if isinstance(slot, jax.ShapeDtypeStruct):
            shapes[name] = slot.shape

    named_map(note, model)
    rng = np.random.default_rng(seed)
    return {name: _draw(rng, name, shape).astype(dtype) for name, shape in sorted(shapes.items())}


def _draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if "bias" in name:
        return 0.2 * rng.standard_normal(shape)
    if len(shape) > 1:
        return rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return 1 + 0.2 * rng.standard_normal(shape)


def perturbed(arrays: Mapping[str, np.ndarray], name: str, by: float = 0.1) -> dict[str, np.ndarray]:
    """The arrays with one entry moved."""
    moved = arrays[name].copy()
    moved.reshape(-1)[0] += by
    return dict(arrays) | {name: moved}
