from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.layers import VectorNeuronNonlinear

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"
KEYS = (((0, 0), 3), ((1, 0), 2), ((2, 0), 2))
NAMES = {((False,), 0): "((False,), 0)", ((False, False), 0): "((False, False), 0)"}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("vectorneuron_*.safetensors")), ids=lambda p: p.stem)
def test_stored_outputs(path):
    _, dimension, activation = path.stem.split("_")
    D, stored = int(dimension[0]), load_file(path)
    scalar_activation = {"relu": jax.nn.relu, "gelu": jax.nn.gelu, "tanh": jnp.tanh}[activation]
    layer = VectorNeuronNonlinear(KEYS, D, scalar_activation, key=jax.random.key(0))
    weights = {key: jnp.asarray(stored[f"model.weights[{name}]"]) for key, name in NAMES.items()}
    assert list(layer.weights) == list(weights)
    layer = eqx.tree_at(lambda n: n.weights, layer, weights)
    x = MultiImage({(k, 0): jnp.asarray(stored[f"x/k{k}p0"]) for k in range(3)}, D)
    y = eqx.filter_jit(layer)(x)
    for k in range(3):
        np.testing.assert_allclose(y[(k, 0)], stored[f"y/k{k}p0"], rtol=1e-5, atol=2e-6)


def test_relu_by_hand():
    layer = VectorNeuronNonlinear((((1, 0), 1),), 1, jax.nn.relu, eps=1e-7, key=jax.random.key(0))
    x = MultiImage({(1, 0): jnp.array([[[3.0], [-2.0]]])}, 1)
    apply = eqx.filter_jit(lambda layer, x: layer(x))
    for weight, expected in ((2.0, [3, -2]), (-2.0, [0, 0])):
        # The direction is that of W x itself: kept whole when it agrees with x, removed when opposed.
        chosen = eqx.tree_at(lambda n: n.weights, layer, {((False,), 0): jnp.array([[weight]])})
        np.testing.assert_allclose(apply(chosen, x)[(1, 0)][0, :, 0], expected, atol=1e-5)


def test_weights_are_drawn_within_the_bound():
    layer = VectorNeuronNonlinear((((0, 1), 100), ((0, 0), 3)), 2, jnp.tanh, key=jax.random.key(0))
    (weights,) = layer.weights.values()
    assert list(layer.weights) == [((), 1)] and weights.shape == (100, 100)
    assert 0.099 < jnp.max(jnp.abs(weights)) <= 0.1


@pytest.mark.parametrize("scalar_activation", [jax.nn.relu, jax.nn.gelu, jnp.tanh])
def test_gradients_are_finite_on_a_zero_field(scalar_activation):
    keys = (((0, 1), 1), ((1, 0), 2), ((2, 0), 1))
    layer = VectorNeuronNonlinear(keys, 1, scalar_activation, key=jax.random.key(0))
    x = MultiImage({(k, p): jnp.zeros((c, 2) + (1,) * k) for (k, p), c in keys}, 1)

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(arguments):
        layer, x = arguments
        return jnp.sum(layer(x).to_vector())

    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient((layer, x))))


def test_a_random_key_is_needed_for_weights_only():
    VectorNeuronNonlinear((((0, 0), 2),), 2, jnp.tanh)
    with pytest.raises(ArgumentError, match="no random key"):
        VectorNeuronNonlinear((((1, 0), 2),), 2, jnp.tanh)
    # The key may be passed by position, last.
    VectorNeuronNonlinear((((1, 0), 2),), 2, jnp.tanh, 1e-5, jax.random.key(0))


def test_other_inputs_are_refused():
    layer = VectorNeuronNonlinear((((1, 0), 2),), 1, jnp.tanh, key=jax.random.key(0))
    with pytest.raises(ArgumentError, match="another input"):
        layer(MultiImage({(1, 1): jnp.zeros((2, 3, 1))}, 1))
