"""Measurements that are made once and answer with numbers."""

import time
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp

import ginjax.geometric as geom


def build_filters(D: int, M: int, k: int) -> float:
    """Seconds to build a filter bank of even parity; ask once a process, because banks are remembered."""
    geom.get_invariant_filters([3], [0], [0], 1, geom.make_all_operators(1))  # starts the JAX backend
    started = time.perf_counter()
    filters = geom.get_invariant_filters([M], [k], [0], D, geom.make_all_operators(D))
    jax.block_until_ready([block for _, block in filters.items()])
    return time.perf_counter() - started


def versions() -> dict[str, str]:
    return {name: version(name) for name in ("ginjax", "jax", "jaxlib", "equinox", "numpy", "optax")}


def machine_limits(megabytes: int = 256, side: int = 2048) -> dict[str, Any]:
    """What the machine can do through XLA: `a = b + s c` over long vectors, and a product of square matrices.

    **Returns:** `bandwidth` in bytes a second (two reads and a write each), `product` in floating-point
    operations a second, the best of several runs; `backend`, JAX's name of the device.
    """
    n = megabytes * 2**20 // 4
    b, c = jnp.ones(n, jnp.float32), jnp.full(n, 2, jnp.float32)
    triad = jax.jit(lambda b, c: b + 3 * c)
    m = jnp.ones((side, side), jnp.float32)
    product = jax.jit(lambda m: m @ m)
    return {
        "bandwidth": 12 * n / _best(lambda: triad(b, c)),
        "backend": jax.default_backend(),
        "product": 2 * side**3 / _best(lambda: product(m)),
    }


def _best(call: Any, repeats: int = 9) -> float:
    jax.block_until_ready(call())
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        jax.block_until_ready(call())
        seconds.append(time.perf_counter() - started)
    return min(seconds)
