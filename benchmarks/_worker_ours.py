"""Measures this library, and the plain convolution and network in the same process."""

from _serve import limit_memory, serve

limit_memory()

from ginjax.cpu_devices import one_device_per_core  # noqa: E402
from ginjax.host_memory import keep_freed_memory  # noqa: E402
from ginjax.xla_flags import set_xla_flags  # noqa: E402

keep_freed_memory()  # as the command line does
set_xla_flags()
one_device_per_core()

from dataclasses import replace  # noqa: E402
from typing import Any  # noqa: E402

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from _calls import build_filters, machine_limits, versions  # noqa: E402
from _cases import Case  # noqa: E402
from _prepared import Prepared  # noqa: E402
from _programs import on_arrays, plain_convolution, training_step  # noqa: E402
from _workload import convolution, prepared, random_fields, temporary_memory  # noqa: E402
from jax.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402

from ginjax.geometric.conv._ways import use_way  # noqa: E402
from ginjax.ml import in_precision, owned_copy, rematerialised, trainable  # noqa: E402
from ginjax.ml.training import Precision  # noqa: E402


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
    function, shapes = plain_convolution(size)
    rng = np.random.default_rng(0)
    kernel, x, w = (jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in shapes)
    return prepared(function, (kernel / np.sqrt(size.plain_channels * size.M**size.D), x, w), {})


def step(
    case: dict[str, Any],
    equivariant: bool = True,
    remat: bool = False,
    precision: Precision = "float32",
    options: dict[str, Any] | None = None,
    divided: bool = False,
) -> Prepared:
    """One AdamW step of a residual network through `make_step`.

    **Arguments:**

    - `options`: of the network.
    - `divided`: whether the cores divide the batch, each a device of its own.
    """
    size = Case.from_json(case)

    def around(model: Any) -> Any:
        network = in_precision(model, precision)
        return rematerialised(network) if remat else network

    update, fresh_state = training_step(size, equivariant, around, **(options or {}))
    x, y = random_fields(size, 0, 1), random_fields(size, 1, 1)
    state = [owned_copy(fresh_state)]
    if divided:
        cores = Mesh(np.asarray(jax.devices()), ("data",))
        state = [eqx.filter_shard(state[0], NamedSharding(cores, PartitionSpec()))]
        x, y = eqx.filter_shard((x, y), NamedSharding(cores, PartitionSpec("data")))

    def run() -> None:
        fresh, opt_state, loss, _ = update(*state[0], x, y)
        state[0] = fresh, opt_state
        jax.block_until_ready((loss, fresh))

    def memory() -> int:
        function, arrays = on_arrays(update, state[0])
        return temporary_memory(jax.jit(function, donate_argnums=(0, 1, 2)).lower(arrays, x, y).compile())

    parameters = sum(leaf.size for leaf in jax.tree.leaves(trainable(fresh_state[0])))
    return Prepared(run, memory, {"parameters": parameters})


if __name__ == "__main__":
    serve(
        {"conv": conv, "plain_conv": plain_conv, "step": step},
        {"filters": build_filters, "limits": machine_limits, "versions": versions},
    )
