"""Random initial weights of layers."""

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PRNGKeyArray

from .._jax_internals import is_traced

_BLOCK = 4096
_drawing = ContextVar("drawing", default=True)


@contextlib.contextmanager
def shapes_only() -> Iterator[None]:
    """Make all initial weights zero within this context, for an outline that needs only shapes and types.

    Tracing random numbers would take JAX most of the time of an outline.
    """
    token = _drawing.set(False)
    try:
        yield
    finally:
        _drawing.reset(token)


@jax.jit
def _block(key: Array, index: Array) -> Array:
    return jax.random.uniform(jax.random.fold_in(key, index), (_BLOCK,), minval=-1, maxval=1)


def draw_uniform(key: PRNGKeyArray, shape: tuple[int, ...], bound: float) -> Float[Array, "..."]:
    """Draw independent numbers, uniform between `-bound` and `bound`, in JAX's default precision.

    They are drawn in blocks of one size. So one compiled program draws the weights of a whole network with layers of any
    shape.

    **Arguments:**

    - `key`: a JAX random key, used for nothing else.
    - `shape`: the shape of the result.
    - `bound`: the largest absolute value.
    """
    count = math.prod(shape)
    blocks = -(-count // _BLOCK)
    if not count or not _drawing.get():
        return jnp.zeros(shape)
    first = _block(key, np.uint32(0))
    if is_traced(first):
        drawn = jax.vmap(_block, (None, 0))(key, jnp.arange(blocks, dtype=jnp.uint32)).ravel()[:count]
        return (drawn * bound).reshape(shape)
    # Joined and cut on the host: on the device both would be compiled for every shape.
    rest = [_block(key, np.uint32(i)) for i in range(1, blocks)]
    drawn = np.concatenate(jax.device_get([first, *rest]))[:count]
    return jax.device_put((drawn * drawn.dtype.type(bound)).reshape(shape))
