"""Architectures by name: a spec, filters and a key make a model."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
from jax import Array

from ..errors import ArgumentError
from ..filters import FilterBank
from ._module import AnyDimensionalModel
from ._spec import ModelSpec
from .arch import DilResNet, ResNet, SimpleConvSeries, UNet

ARCHITECTURES: dict[str, type[AnyDimensionalModel]] = {
    "ResNet": ResNet,
    "DilResNet": DilResNet,
    "UNet": UNet,
    "SimpleConvSeries": SimpleConvSeries,
}


def build_model(
    spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Array | None = None
) -> AnyDimensionalModel:
    """An untrained model.

    **Arguments:**

    - `spec`: what to build.
    - `D`: the dimension.
    - `banks`: filters by role: `"conv"`, and `"upsample"` for a UNet with transposed up-convolutions.
    - `key`: random key of the initial weights.

    **Raises:** `ArgumentError` if the spec names no known architecture or an option it does not have.
    """
    if spec.architecture not in ARCHITECTURES:
        raise ArgumentError("architecture", got=repr(spec.architecture), expected=" or ".join(ARCHITECTURES))
    if spec.equivariant and "conv" not in banks:
        raise ArgumentError("banks", got=sorted(banks), expected="a bank for role 'conv'")
    try:
        return ARCHITECTURES[spec.architecture].from_spec(spec, D, banks, key)
    except TypeError as error:
        # A constructor refuses an option it does not know, or misses one, with a TypeError.
        raise ArgumentError(
            f"options of {spec.architecture}", got=str(error), expected="the constructor's own arguments"
        ) from error


def outline(spec: ModelSpec, D: int, banks: Mapping[str, FilterBank]) -> Any:
    """The model of `build_model` with a `jax.ShapeDtypeStruct` in place of each array.

    To be filled by `with_arrays`. Weights that are replaced at once are not worth drawing: JAX compiles its random
    numbers once for each shape, seconds for one network.
    """
    return eqx.filter_eval_shape(build_model, spec, D, banks)
