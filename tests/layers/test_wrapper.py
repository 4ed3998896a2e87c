import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.layers import LayerWrapper, LayerWrapperAux


def test_each_block_gets_its_module():
    keys = (((0, 0), 2), ((0, 1), 2))
    layer = LayerWrapper(eqx.nn.Conv1d(2, 3, 3, padding=1, key=jax.random.key(0)), keys)
    assert list(layer.modules) == [((), 0), ((), 1)]
    layer = eqx.tree_at(lambda n: n.modules[((), 1)].weight, layer, replace_fn=jnp.zeros_like)
    x = MultiImage({key: jnp.ones((2, 4)) for key, _ in keys}, 1, False)
    y = layer(x)
    assert y.get_signature_dict() == {((), 0): 3, ((), 1): 3} and y.is_torus == (False,)
    np.testing.assert_array_equal(y[(0, 0)], layer.modules[((), 0)](x[(0, 0)]))
    np.testing.assert_array_equal(y[(0, 1)], jnp.broadcast_to(layer.modules[((), 1)].bias, (3, 4)))


def test_auxiliary_data_is_threaded_through():
    layer = LayerWrapperAux(lambda block, count: (block * count, count + 1), (((0, 0), 1), ((1, 0), 1)))
    x = MultiImage({(0, 0): jnp.ones((1, 2)), (1, 0): jnp.ones((1, 2, 1))}, 1)
    y, count = layer(x, 5)
    assert count == 7
    assert float(y[(0, 0)][0, 0]) == 5 and float(y[(1, 0)][0, 0, 0]) == 6


def test_batch_norm_state():
    norm, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(2, axis_name="batch", mode="batch")
    layer = LayerWrapperAux(norm, (((0, 0), 2),))
    x = MultiImage({(0, 0): jnp.arange(24.0).reshape(3, 2, 4)}, 1)
    y, new_state = jax.vmap(layer, in_axes=(0, None), out_axes=(0, None), axis_name="batch")(x, state)
    np.testing.assert_allclose(jnp.mean(y[(0, 0)], axis=(0, 2)), 0, atol=1e-6)
    assert not eqx.tree_equal(state, new_state)


def test_unknown_keys_are_refused():
    for layer in (
        LayerWrapper(lambda b: b, (((0, 0), 1),)),
        LayerWrapperAux(lambda b, a: (b, a), (((0, 0), 1),)),
    ):
        with pytest.raises(ArgumentError, match="no module"):
            layer(MultiImage({(0, 1): jnp.ones((1, 2))}, 1), *([None] * isinstance(layer, LayerWrapperAux)))
