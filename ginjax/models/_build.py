"""Building a model from its specification, filter banks and a random key."""

from collections.abc import Mapping

import equinox as eqx
from jaxtyping import PRNGKeyArray, PyTree

from ..errors import ArgumentError
from ..filters import FilterBank
from ..layers import shapes_only
from ._any_dimensional import AnyDimensionalModel
from ._architectures import find_architecture
from ._spec import ModelSpec


def build_model(
    spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: PRNGKeyArray | None = None
) -> AnyDimensionalModel:
    """An untrained model.

    **Arguments:**

    - `spec`: what to build.
    - `D`: the dimension.
    - `banks`: filters by role: `"conv"`, and `"upsample"` for a UNet with transposed up-convolutions.
    - `key`: random key of the initial weights.

    **Raises:** `ArgumentError` if the spec names no known architecture or an option it does not have.
    """
    architecture = find_architecture(spec.architecture)
    architecture.complete(dict(spec.options))
    if spec.equivariant and "conv" not in banks:
        raise ArgumentError("banks", got=sorted(banks), expected="a bank for role 'conv'")
    try:
        return architecture.from_spec(spec, D, banks, key)
    except TypeError as error:
        # An option of a type that the constructor cannot use.
        raise ArgumentError(
            f"options of {spec.architecture}", got=str(error), expected="values that its constructor takes"
        ) from error


def outline(spec: ModelSpec, D: int, banks: Mapping[str, FilterBank]) -> PyTree:
    """The model of `build_model` with a `jax.ShapeDtypeStruct` in place of each array.

    To be filled by `with_arrays`. Weights that are replaced at once are not worth drawing: JAX compiles its random
    numbers once for each shape, seconds for one network.
    """
    with shapes_only():
        return eqx.filter_eval_shape(build_model, spec, D, banks)
