from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import MultiImage
from ginjax.layers import GroupNorm, LayerNorm

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"
SCALAR, ODD, VECTOR = ((), 0), ((), 1), ((False,), 0)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("groupnorm_*.safetensors")), ids=lambda p: p.stem)
def test_stored_outputs(path):
    stored = load_file(path)
    D, groups = int(path.stem.split("_")[1][0]), int(path.stem[-1])
    layer = GroupNorm((((0, 0), 4), ((1, 0), 4)), D, groups)
    for name in ("scale", "bias"):
        np.testing.assert_array_equal(getattr(layer, name)[VECTOR], stored[f"model.{name}[((False,), 0)]"])
        assert list(getattr(layer, name)) == [VECTOR]
    x = MultiImage({(k, 0): jnp.asarray(stored[f"x/k{k}p0"]) for k in (0, 1)}, D)
    y = eqx.filter_jit(layer)(x)
    for k in (0, 1):
        np.testing.assert_allclose(y[(k, 0)], stored[f"y/k{k}p0"], atol=5e-6)


def test_parameters_by_hand():
    x = jnp.array([[[1.0, 0], [3, 0]], [[0, 2.0], [0, 6]]])  # (2 channels, 2 pixels, 2) on a 1 x 2 grid
    fields = MultiImage({VECTOR: x[:, None], SCALAR: x[:, None, :, 0]}, 2)
    layer = GroupNorm((((1, 0), 2), ((0, 0), 2)), 2, groups=2, eps=1e-12)
    layer = eqx.tree_at(
        lambda n: (n.scale[VECTOR], n.bias[VECTOR], n.vanilla_norm[SCALAR].bias),
        layer,
        (jnp.array([2.0, 3.0]), jnp.array([5.0, 7.0]), jnp.array([0.0, 9.0])),
    )
    y = eqx.filter_jit(layer)(fields)
    # Each channel is a group: deviations of -1, 1 and -2, 2 along one axis whiten to -1, 1; the means are (2, 0) and (0, 4).
    expected = [[[-2 + 5 * 2, 0], [2 + 5 * 2, 0]], [[0, -3 + 7 * 4], [0, 3 + 7 * 4]]]
    np.testing.assert_allclose(y[VECTOR][:, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(y[SCALAR][:, 0], [[-1, 1], [9, 9]], rtol=1e-5)


def test_whitened_vectors_have_unit_covariance():
    x = np.random.default_rng(0).normal(size=(4, 5, 6, 2)) @ np.array([[3.0, 1.0], [0.0, 0.2]]) + 4
    layer = eqx.filter_jit(LayerNorm((((1, 0), 4),), 2))
    y = layer(MultiImage({VECTOR: jnp.asarray(x, jnp.float32)}, 2))[VECTOR]
    flat = np.asarray(y).reshape(-1, 2)
    np.testing.assert_allclose(flat.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(flat.T @ flat / len(flat), np.eye(2), atol=1e-3)


def test_layer_norm_has_one_group():
    assert LayerNorm((((0, 0), 6),), 2).groups == 1


def test_odd_scalars_have_a_scale_and_no_bias():
    layer = GroupNorm((((0, 1), 2),), 2, 1)
    assert list(layer.scale) == [ODD] and not layer.bias and not layer.vanilla_norm
    x = MultiImage({ODD: jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 3)), jnp.float32)}, 2)
    assert layer(-x) == -layer(x)


@pytest.mark.parametrize("field", ["zero", "constant", "along one axis", "isotropic"])
def test_gradients_are_finite(field):
    x = {
        "zero": np.zeros((2, 2, 2, 2)),
        "constant": np.ones((2, 2, 2, 2)),
        "along one axis": np.arange(8.0).reshape(2, 2, 2, 1) * [1, 0],
        "isotropic": np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).reshape(1, 2, 2, 2).repeat(2, 0),
    }[field]
    layer = LayerNorm((((1, 0), 2),), 2)

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(arguments):
        layer, x = arguments
        return jnp.sum(jnp.arange(16.0) * layer(x).to_vector())

    gradients = gradient((layer, MultiImage({VECTOR: jnp.asarray(x, jnp.float32)}, 2)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_half_precision_keeps_its_type():
    x = jnp.ones((2, 2, 2, 2), jnp.bfloat16)
    layer = LayerNorm((((1, 0), 2),), 2)
    layer = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), layer)
    shapes = jax.eval_shape(lambda layer, x: layer(MultiImage({VECTOR: x}, 2)), layer, x)
    assert shapes[VECTOR].dtype == jnp.bfloat16


def test_bad_signatures_are_refused():
    with pytest.raises(UnsupportedError, match="tensors"):
        GroupNorm((((2, 0), 4),), 2, 1)
    with pytest.raises(ArgumentError, match="groups"):
        GroupNorm((((1, 0), 4),), 2, 3)
    with pytest.raises(ArgumentError, match="GroupNorm was made for another input"):
        LayerNorm((((0, 0), 2),), 1)(MultiImage({(0, 0): jnp.zeros((3, 4))}, 1))
    with pytest.raises(ArgumentError, match=r"jax\.vmap"):
        LayerNorm((((0, 0), 2),), 1)(MultiImage({(0, 0): jnp.zeros((5, 2, 4))}, 1))
