"""Construction of a model from its specification, filter banks and a random key."""

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
    """Build an untrained model.

    **Arguments:**

    - `spec`: the specification of the model.
    - `D`: the dimension.
    - `banks`: filters by role: `"conv"`, `"upsample"` for a UNet with transposed convolutions, `"product"` for products.
    - `key`: random key of the initial weights.

    **Raises:** `ArgumentError` for an unknown architecture, options that it does not accept, or a missing bank.
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
    """Build the model of `build_model` with a `jax.ShapeDtypeStruct` in place of each array.

    `with_arrays` fills it. This saves drawing weights that are replaced at once: JAX compiles its random numbers once for
    each shape, which takes seconds for one network.
    """
    with shapes_only():
        return eqx.filter_eval_shape(build_model, spec, D, banks)
