"""Activations by name, and their action on fields."""

from collections.abc import Callable

import equinox as eqx
import jax
from jax import Array
from jaxtyping import PRNGKeyArray, Shaped

from ..._registry import Registry
from ..._unknown_name import unknown_name
from ...errors import ArgumentError
from ...geometric import SignatureLike
from ...layers import LayerWrapper, VectorNeuronNonlinear

Elementwise = Callable[[Shaped[Array, "..."]], Shaped[Array, "..."]]
"""An elementwise function of arrays of any shape."""

Activation = Elementwise | str | None

NO_ACTIVATION = "none"
"""The word for the identity on the command line, which no activation may have as its name."""


def _check(name: str, function: Elementwise) -> None:
    if name == NO_ACTIVATION:
        raise ArgumentError(
            "name of the activation", got=repr(name), expected="another: this is the identity"
        )
    if not callable(function):
        raise ArgumentError(
            f"activation {name!r}", got=type(function).__name__, expected="an elementwise function of arrays"
        )


ACTIVATION_REGISTRY: Registry[Elementwise] = Registry(
    "activation",
    {
        "relu": jax.nn.relu,
        "gelu": jax.nn.gelu,
        "tanh": jax.numpy.tanh,
        "silu": jax.nn.silu,
        "softplus": jax.nn.softplus,
        "elu": jax.nn.elu,
        "leaky_relu": jax.nn.leaky_relu,
        "sin": jax.numpy.sin,
    },
    home="ginjax.models.blocks._activation:ACTIVATION_REGISTRY",
    group="ginjax.activations",
    check=_check,
)
"""The elementwise activations that a file may name: the library's own, registered ones, and those of installed packages.
`gelu` is the tanh form.
"""


def register_activation(name: str, function: Elementwise) -> Elementwise:
    """Register an activation by name, for models and their files, until the program ends.

    **Arguments:**

    - `name`: the name. A model file holds only the name, so a program that reads the file needs the same registration.
    - `function`: an elementwise function of arrays of any shape, written in JAX.

    **Returns:** `function`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return ACTIVATION_REGISTRY.add(name, function)


def activation_name(activation_f: Activation) -> Activation:
    """Return the registered name of an activation; the function itself if it has none, None for the identity."""
    if activation_f is None or isinstance(activation_f, str):
        if activation_f is not None and activation_f not in ACTIVATION_REGISTRY:
            raise unknown_name(
                "activation",
                activation_f,
                ACTIVATION_REGISTRY,
                got=f"{activation_f!r}, which is not registered",
                expected="one of " + ", ".join(ACTIVATION_REGISTRY),
                hint="Others are added by ginjax.models.register_activation, or by installing their package.",
            )
        return activation_f
    if not callable(activation_f):
        raise ArgumentError("activation", got=repr(activation_f), expected="a function, a name or None")
    for name, known in ACTIVATION_REGISTRY.items():
        if known is activation_f:
            return name
    return activation_f


def handle_scalars(activation_f: Elementwise | str) -> Elementwise:
    """Return the elementwise function of an activation that is given as a function or by name.

    **Raises:** `ArgumentError` for a name that is not registered.
    """
    name = activation_name(activation_f)
    return name if callable(name) else ACTIVATION_REGISTRY.find(str(name))


def handle_activation(
    activation_f: Activation, equivariant: bool, input_keys: SignatureLike, D: int, key: PRNGKeyArray | None
) -> Callable:
    """Make the nonlinearity of a block, as a module that acts on fields.

    If equivariant, it is a `VectorNeuronNonlinear`, which acts on even scalars elementwise. Otherwise it acts elementwise on
    every block.

    **Arguments:**

    - `activation_f`: an elementwise function, a name in `ACTIVATION_REGISTRY`, or None for the identity.
    - `equivariant`: whether the nonlinearity must be equivariant.
    - `input_keys`, `D`: signature and dimension of the field.
    - `key`: random key of the weights of the vector neurons.
    """
    if activation_f is None:
        return eqx.nn.Identity()
    function = handle_scalars(activation_f)
    if equivariant:
        return VectorNeuronNonlinear(input_keys, D, function, key=key)
    return LayerWrapper(eqx.nn.Lambda(function), input_keys)
