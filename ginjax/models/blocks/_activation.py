"""Activations by name, and how they act on fields."""

from collections.abc import Callable, Iterable
from typing import Any

import equinox as eqx
import jax
from jax import Array

from ...errors import ArgumentError
from ...layers import LayerWrapper, VectorNeuronNonlinear

Activation = Callable[[Array], Array] | str | None

ACTIVATION_REGISTRY: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "gelu": jax.nn.gelu,
    "tanh": jax.numpy.tanh,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "elu": jax.nn.elu,
    "leaky_relu": jax.nn.leaky_relu,
    "sin": jax.numpy.sin,
}
"""Elementwise activations a file may name. `gelu` is the tanh form."""


def activation_name(activation_f: Activation) -> Any:
    """The registered name of an activation; the function itself if it has none, None for the identity."""
    if activation_f is None or isinstance(activation_f, str):
        if activation_f is not None and activation_f not in ACTIVATION_REGISTRY:
            raise ArgumentError(
                "activation", got=repr(activation_f), expected=" or ".join(ACTIVATION_REGISTRY)
            )
        return activation_f
    if not callable(activation_f):
        raise ArgumentError("activation", got=repr(activation_f), expected="a function, a name or None")
    for name, known in ACTIVATION_REGISTRY.items():
        if known is activation_f:
            return name
    return activation_f


def handle_activation(
    activation_f: Activation, equivariant: bool, input_keys: Iterable[Any], D: int, key: Array | None
) -> Callable:
    """The nonlinearity of a block as a module on multi-images.

    Equivariant: vector neurons, which act on even scalars elementwise. Otherwise elementwise on every block.

    **Arguments:**

    - `activation_f`: an elementwise function, a name in `ACTIVATION_REGISTRY`, or None for the identity.
    - `equivariant`, `input_keys`, `D`: of the field it acts on.
    - `key`: random key of the vector neurons' weights.
    """
    if activation_f is None:
        return eqx.nn.Identity()
    name = activation_name(activation_f)
    function = ACTIVATION_REGISTRY[name] if isinstance(name, str) else name
    if equivariant:
        return VectorNeuronNonlinear(input_keys, D, function, key=key)
    return LayerWrapper(eqx.nn.Lambda(function), input_keys)
