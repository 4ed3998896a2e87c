"""Architectures by name: a spec, filters and a key make a model."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
from jax import Array

from ..errors import ArgumentError
from ..filters import FilterBank
from ._dil_resnet import DilResNet
from ._module import AnyDimensionalModel
from ._resnet import ResNet
from ._series import SimpleConvSeries
from ._spec import ModelSpec
from ._unet import UNet

Build = Callable[[ModelSpec, int, Mapping[str, FilterBank], Array | None], AnyDimensionalModel]


def _standard(architecture: Any, *roles: str) -> Build:
    """The builder of an architecture whose banks are handed in as `<role>_filters`."""

    def build(
        spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Array | None
    ) -> AnyDimensionalModel:
        filters = {f"{role}_filters": banks.get(role) for role in roles}
        return architecture(D, spec.inputs, spec.outputs, **dict(spec.options), **filters, key=key)

    return build


def _series(
    spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Array | None
) -> AnyDimensionalModel:
    build: Any = SimpleConvSeries
    return build(spec.inputs, spec.outputs, conv_filters=banks.get("conv"), **dict(spec.options), key=key)


ARCHITECTURES: dict[str, Build] = {
    "ResNet": _standard(ResNet, "conv"),
    "DilResNet": _standard(DilResNet, "conv"),
    "UNet": _standard(UNet, "conv", "upsample"),
    "SimpleConvSeries": _series,
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
        return ARCHITECTURES[spec.architecture](spec, D, banks, key)
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
