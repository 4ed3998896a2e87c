"""Measures this library, and the plain convolution and network in the same process."""

from _serve import limit_memory, serve

limit_memory()

from ginjax.xla_flags import set_xla_flags  # noqa: E402

set_xla_flags()  # as the command line does

from dataclasses import replace  # noqa: E402
from typing import Any  # noqa: E402

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from _calls import build_filters, machine_limits, versions  # noqa: E402
from _cases import Case  # noqa: E402
from _workload import Prepared, convolution, map_and_loss, prepared, random_fields, resnet, temporary_memory  # noqa: E402

from ginjax.geometric.conv._ways import use_way  # noqa: E402
from ginjax.ml import make_step, owned_copy, smse_loss, trainable  # noqa: E402
from ginjax.ml.training import (  # noqa: E402
    Precision,
    in_precision,
    rematerialised,
)


def conv(case: dict[str, Any], way: str | None = None) -> Prepared:
    """The equivariant convolution; `way` overrules the library's own choice of how to compute it."""
    ready = convolution(Case.from_json(case))
    if way is None:
        return ready

    def run() -> None:
        # The choice is made while tracing, which the first run does.
        with use_way(way):  # pyright: ignore[reportArgumentType]
            ready.run()

    return replace(ready, run=run)


def plain_conv(case: dict[str, Any]) -> Prepared:
    """An ordinary periodic convolution with as many numbers at each pixel."""
    size = Case.from_json(case)
    D, c = size.D, size.plain_channels
    rng = np.random.default_rng(0)
    shape = (size.batch, c, *(size.N,) * D)
    x, w = (jnp.asarray(rng.standard_normal(shape), jnp.float32) for _ in range(2))
    kernel = jnp.asarray(rng.standard_normal((c, c, *(size.M,) * D)) / np.sqrt(c * size.M**D), jnp.float32)
    left, right = (size.M - 1) // 2, size.M // 2

    def loss(kernel: jax.Array, x: jax.Array, w: jax.Array) -> jax.Array:
        wrapped = jnp.pad(x, [(0, 0), (0, 0), *[(left, right)] * D], mode="wrap")
        return jnp.vdot(w, jax.lax.conv_general_dilated(wrapped, kernel, (1,) * D, "VALID"))

    return prepared(jax.value_and_grad(loss, argnums=(0, 1)), (kernel, x, w), {})


def step(
    case: dict[str, Any], equivariant: bool = True, remat: bool = False, precision: Precision = "float32"
) -> Prepared:
    """One AdamW step of a residual network through `make_step`."""
    size = Case.from_json(case)
    model = resnet(size, equivariant)
    inner = map_and_loss(smse_loss)

    def of_batch(model: Any, *rest: Any) -> tuple[jax.Array, Any]:
        network = in_precision(model, precision)
        return inner(rematerialised(network) if remat else network, *rest)

    optimizer = optax.adamw(1e-3)
    update = make_step(of_batch, optimizer)
    x, y = random_fields(size, 0, 1), random_fields(size, 1, 1)
    state = [owned_copy((model, optimizer.init(trainable(model))))]

    def run() -> None:
        fresh, opt_state, loss, _ = update(*state[0], x, y)
        state[0] = fresh, opt_state
        jax.block_until_ready((loss, fresh))

    def memory() -> int:
        arrays, static = eqx.partition((*state[0], x, y), eqx.is_array)

        def whole(arrays: Any) -> Any:
            result = update(*eqx.combine(arrays, static))
            return eqx.filter(result, eqx.is_array)

        return temporary_memory(jax.jit(whole, donate_argnums=0).lower(arrays).compile())

    parameters = sum(leaf.size for leaf in jax.tree.leaves(trainable(model)))
    return Prepared(run, memory, {"parameters": parameters})


if __name__ == "__main__":
    serve(
        {"conv": conv, "plain_conv": plain_conv, "step": step},
        {"filters": build_filters, "limits": machine_limits, "versions": versions},
    )
