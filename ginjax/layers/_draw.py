"""Initial weights."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

_BLOCK = 4096


@jax.jit
def _block(key: Array, index: Array) -> Array:
    return jax.random.uniform(jax.random.fold_in(key, index), (_BLOCK,), minval=-1, maxval=1)


def draw_uniform(key: Array, shape: tuple[int, ...], bound: float) -> Array:
    """Independent numbers, uniform between `-bound` and `bound`.

    They come in blocks of one size, so that one compiled program draws the weights of a whole network, whatever the
    shapes of its layers.

    **Arguments:**

    - `key`: a JAX random key, used for nothing else.
    - `shape`: of the result, in JAX's default precision.
    """
    count = math.prod(shape)
    blocks = [_block(key, np.uint32(i)) for i in range(-(-count // _BLOCK))]
    if any(isinstance(block, Tracer) for block in blocks):
        drawn = jnp.concatenate(blocks)[:count] if blocks else jnp.zeros(0)
        return (drawn * bound).reshape(shape)
    # On the host: joining and cutting would each be compiled for every shape.
    drawn = np.concatenate(jax.device_get(blocks))[:count] if blocks else np.zeros(0)
    return jax.device_put((drawn * drawn.dtype.type(bound)).reshape(shape).astype(jnp.result_type(float)))
