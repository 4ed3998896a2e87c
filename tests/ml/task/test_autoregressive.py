import jax.numpy as jnp
import numpy as np
import pytest

from ginjax import ml
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage

SCALAR, VECTOR = ((), 0), ((False,), 0)


def channels(scalars, vectors=None):
    """An image on one pixel whose channels hold the given numbers."""
    blocks = {SCALAR: jnp.array(scalars, dtype=jnp.float32)[:, None]}
    if vectors is not None:
        blocks[VECTOR] = jnp.array(vectors, dtype=jnp.float32)[:, None, None]
    return MultiImage(blocks, 1)


def test_step_drops_the_oldest_frame_of_every_field_and_keeps_constants():
    # Two scalars a, b with three frames and a constant c; one vector with three frames.
    x = channels([1, 2, 3, 11, 12, 13, 99], [21, 22, 23])
    y = channels([4, 14], [24])
    stepped = ml.autoregressive_step(x, y, 3, {((), 0): 1})
    assert stepped == channels([2, 3, 4, 12, 13, 14, 99], [22, 23, 24])


def test_step_with_several_predicted_frames():
    x, y = channels([1, 2, 3, 11, 12, 13]), channels([4, 5, 14, 15])
    assert ml.autoregressive_step(x, y, 3, future_steps=2) == channels([3, 4, 5, 13, 14, 15])
    short = channels([1, 11])
    assert ml.autoregressive_step(short, y, 1, future_steps=2) == channels([5, 15])


def test_step_accepts_integer_keys_and_batches():
    x, y = channels([1, 2, 9]), channels([3])
    batch = MultiImage({SCALAR: jnp.stack([x[SCALAR], 10 * x[SCALAR]])}, 1)
    new = MultiImage({SCALAR: jnp.stack([y[SCALAR], 10 * y[SCALAR]])}, 1)
    stepped = ml.autoregressive_step(batch, new, 2, {(0, 0): 1})
    np.testing.assert_array_equal(stepped[SCALAR][..., 0], [[2, 3, 9], [20, 30, 90]])


def test_step_keeps_a_block_of_constants_only():
    x, y = channels([1, 2], [7]), channels([3])
    assert ml.autoregressive_step(x, y, 2, {VECTOR: 1}) == channels([2, 3], [7])


def test_step_refuses_channels_that_do_not_add_up():
    with pytest.raises(ArgumentError, match="channels of block"):
        ml.autoregressive_step(channels([1, 2, 3]), channels([4]), 2)
    with pytest.raises(ArgumentError, match="channels of block"):
        ml.autoregressive_step(channels([1, 2], [5]), channels([4]), 2)


def fibonacci(x, aux_data):
    """`next = oldest + newest` for every scalar field of two frames; counts its calls."""
    block = x[SCALAR][:4]
    return MultiImage({SCALAR: block[0::2] + block[1::2]}, 1), None if aux_data is None else aux_data + 1


def test_map_returns_every_prediction_with_time_fastest():
    x = channels([1, 1, 10, 10, 5])
    rollout, calls = ml.autoregressive_map(fibonacci, x, jnp.array(0), 2, 4, {SCALAR: 1})
    assert rollout == channels([2, 3, 5, 8, 20, 30, 50, 80])
    assert int(calls) == 4
    # control: without feeding back every prediction would be the first
    assert rollout != channels([2, 2, 2, 2, 20, 20, 20, 20])


def test_map_of_one_step_is_the_model():
    x = channels([1, 1, 10, 10])
    assert ml.autoregressive_map(fibonacci, x, None, 2)[0] == channels([2, 20])
    with pytest.raises(ArgumentError, match="autoregressive_steps: got 0"):
        ml.autoregressive_map(fibonacci, x, None, 2, 0)
