"""The measured programs of this library as functions of arrays, to be run here or compiled for another device."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from _cases import Case
from _workload import map_and_loss, resnet

from ginjax.ml import make_step, smse_loss, trainable


def plain_convolution(
    case: Case, channels_last: bool = False
) -> tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]:
    """Value and gradients of an ordinary periodic convolution with as many numbers at each pixel.

    **Returns:** the function of kernel, `x` and `w`, and their shapes.
    """
    D, c = case.D, case.plain_channels
    space, sides = (case.N,) * D, (case.M,) * D
    wrapped = [((case.M - 1) // 2, case.M // 2)] * D
    if channels_last:
        axes = "DHW"[3 - D :]
        names = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
        field, kernel, margins = (case.batch, *space, c), (*sides, c, c), [(0, 0), *wrapped, (0, 0)]
    else:
        names = None
        field, kernel, margins = (case.batch, c, *space), (c, c, *sides), [(0, 0), (0, 0), *wrapped]

    def loss(kernel: jax.Array, x: jax.Array, w: jax.Array) -> jax.Array:
        padded = jnp.pad(x, margins, mode="wrap")
        y = jax.lax.conv_general_dilated(padded, kernel, (1,) * D, "VALID", dimension_numbers=names)
        return jnp.vdot(w, y)

    return jax.value_and_grad(loss, argnums=(0, 1)), (kernel, field, field)


def training_step(
    case: Case,
    equivariant: bool = True,
    around: Callable[[Any], Any] = lambda model: model,
    **options: Any,
) -> tuple[Callable[..., Any], Any]:
    """One AdamW step of a residual network through `make_step`.

    **Arguments:**

    - `around`: what is put around the network inside of the loss.
    - `options`: of the network.

    **Returns:** the function of network, optimizer's state, `x` and `y`, and the first two to begin with.
    """
    model = resnet(case, equivariant, **options)
    inner = map_and_loss(smse_loss)

    def of_batch(model: Any, *rest: Any) -> tuple[jax.Array, Any]:
        return inner(around(model), *rest)

    optimizer = optax.adamw(1e-3)
    return make_step(of_batch, optimizer), (model, optimizer.init(trainable(model)))


def on_arrays(update: Callable[..., Any], state: Any) -> tuple[Callable[..., Any], Any]:
    """A training step as a function of arrays alone: what of the state is none becomes a constant of it.

    **Returns:** the function of the state's arrays, `x` and `y`, and these arrays.
    """
    arrays, static = eqx.partition(state, eqx.is_array)

    def whole(arrays: Any, x: Any, y: Any) -> Any:
        return eqx.filter(update(*eqx.combine(arrays, static), x, y), eqx.is_array)

    return whole, arrays
