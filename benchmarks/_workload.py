"""The measured computations, written once against names both libraries share.

Each worker imports this file in its own environment, so `ginjax` here is the library that worker measures.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from _cases import Case
from _prepared import Prepared

import ginjax.geometric as geom
from ginjax.layers import ConvContract
from ginjax.models import ResNet

Key = tuple[tuple[bool, ...], int]


def keys_of(case: Case) -> list[Key]:
    return [((False,) * k, 0) for k in case.orders]


def signature_of(case: Case) -> Any:
    return geom.Signature(tuple((key, case.channels) for key in keys_of(case)))


def filters_of(case: Case) -> Any:
    """Filters for every pair of orders."""
    orders = sorted({a + b for a in case.orders for b in case.orders})
    narrow = {"max_pixel_l1": case.M // 2, "combine_equal_l1": True} if case.support == "orthoplex" else {}
    operators = geom.make_all_operators(case.D)
    return geom.get_invariant_filters([case.M], orders, [0], case.D, operators, **narrow)


def shapes_of(case: Case, channels: int | None = None) -> dict[Key, tuple[int, ...]]:
    """The shape of a batch of fields, `(batch, channels, *spatial, D, ..., D)` by key."""
    c = case.channels if channels is None else channels
    return {(k, p): (case.batch, c, *(case.N,) * case.D, *(case.D,) * len(k)) for k, p in keys_of(case)}


def random_fields(case: Case, seed: int, channels: int | None = None) -> Any:
    """A batch of white noise."""
    rng = np.random.default_rng(seed)
    return geom.MultiImage(
        {
            key: jnp.asarray(rng.standard_normal(shape), jnp.float32)
            for key, shape in shapes_of(case, channels).items()
        },
        case.D,
    )


def convolution(case: Case) -> Prepared:
    """The equivariant convolution, timed on white noise."""
    function, weights, facts = convolution_program(case)
    return prepared(function, (weights, random_fields(case, 0), random_fields(case, 1)), facts)


def convolution_program(case: Case) -> tuple[Callable[..., Any], Any, dict[str, Any]]:
    """Value and gradients of `<w, conv(x)>` for a fixed `w`, with respect to the layer's weights and `x`.

    **Returns:** the function of weights, `x` and `w`; the weights; facts about the filters.
    """
    filters = filters_of(case)
    layer = ConvContract(
        signature_of(case), signature_of(case), filters, use_bias=False, key=jax.random.PRNGKey(0)
    )
    # Only `weights` is differentiated: filters are constants whatever a library stores them as.
    weights = layer.weights

    def loss(weights: Any, x: Any, w: Any) -> jax.Array:
        y = jax.vmap(eqx.tree_at(lambda other: other.weights, layer, weights))(x)
        return sum((jnp.vdot(w[key], y[key]) for key in keys_of(case)), jnp.zeros(()))

    facts = {"filters": {len(k): int(block.shape[0]) for (k, _), block in filters.items()}}
    return jax.value_and_grad(loss, argnums=(0, 1)), weights, facts


def prepared(function: Callable[..., Any], arguments: tuple[Any, ...], facts: dict[str, Any]) -> Prepared:
    """A function of arrays, compiled once: the same program is run and asked for its memory."""

    @functools.cache
    def compiled() -> Any:
        started = time.perf_counter()
        lowered = jax.jit(function).lower(*arguments)
        facts["trace_s"] = time.perf_counter() - started
        program = lowered.compile()
        facts["compile_s"] = time.perf_counter() - started - facts["trace_s"]
        return program

    def run() -> None:
        jax.block_until_ready(compiled()(*arguments))

    return Prepared(run, lambda: temporary_memory(compiled()), facts)


def temporary_memory(program: Any) -> int:
    """Bytes a compiled program needs besides its arguments and results."""
    return int(program.memory_analysis().temp_size_in_bytes)


def resnet(case: Case, equivariant: bool = True, **options: Any) -> Any:
    """A residual network, with layer norm and vector neurons unless `options` say otherwise; plain, as wide in numbers."""
    size: dict[str, Any] = {"num_blocks": case.blocks, "use_group_norm": True, "key": jax.random.PRNGKey(0)}
    size |= options
    ends = geom.Signature(tuple((key, 1) for key in keys_of(case)))
    if equivariant:
        return ResNet(case.D, ends, ends, case.channels, conv_filters=filters_of(case), **size)
    return ResNet(case.D, ends, ends, case.plain_channels, equivariant=False, kernel_size=case.M, **size)


def map_and_loss(loss: Callable[[Any, Any], jax.Array]) -> Callable[..., tuple[jax.Array, Any]]:
    """A loss on batches as training wants it: `(model, x, y, aux_data) -> (loss, aux_data)`."""

    def of_batch(model: Any, x: Any, y: Any, aux_data: Any) -> tuple[jax.Array, Any]:
        def one(sample: Any, state: Any) -> Any:  # JAX would print a whole model as its name
            return model(sample, state)

        mapped = jax.vmap(one, in_axes=(0, None), out_axes=(0, None), axis_name="batch")
        prediction, aux_data = mapped(x, aux_data)
        return loss(prediction, y), aux_data

    return of_batch
