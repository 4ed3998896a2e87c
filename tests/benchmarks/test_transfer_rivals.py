"""Rivals of the conversion compute what their formulas say."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sweeps import few
from transferbench._axial import AxialNetwork
from transferbench._cells import Case
from transferbench._families import FAMILIES, parameters
from transferbench._fourier import FourierLayer, FourierOperator, with_more_axes
from transferbench._taps import TapConv, with_taps, with_weights_of

from ginjax.geometric import MultiImage, Signature

SCALAR = Signature([((0, 0), 1)])
SMALL = Case("diffusion", 1, 2, channels=2)


def noise(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), jnp.float32)


@pytest.mark.parametrize("D", [1, 2, *few(3)])
def test_taps_are_the_convolution(D):
    conv = eqx.nn.Conv(D, 2, 3, 3, padding="SAME", padding_mode="CIRCULAR", key=jax.random.key(D))
    taps = with_taps(conv)
    x = noise(2, *(5, 4, 6)[:D])
    assert isinstance(taps, TapConv)
    np.testing.assert_allclose(eqx.filter_jit(taps)(x), conv(x), atol=1e-5)
    turned = eqx.tree_at(lambda each: each.weight, taps, jnp.flip(taps.weight, -1))  # control
    assert np.abs(eqx.filter_jit(turned)(x) - conv(x)).max() > 0.1
    assert eqx.tree_equal(with_weights_of(conv, taps), conv)

    def slopes(layer):
        arrays, static = eqx.partition(layer, eqx.is_array)
        loss = lambda arrays, x: jnp.sum(jnp.sin(eqx.combine(arrays, static)(x)))  # noqa: E731
        return jax.tree.leaves(jax.jit(jax.grad(loss, argnums=(0, 1)))(arrays, x))

    for mine, its in zip(slopes(taps), slopes(conv), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-4)


def test_other_convolutions_are_refused():
    with pytest.raises(ValueError, match="a convolution with"):
        with_taps(eqx.nn.Conv(1, 1, 1, 3, stride=2, padding_mode="CIRCULAR", key=jax.random.key(0)))


def test_an_axially_shared_network_is_the_same_in_every_dimension():
    network = eqx.filter_jit(AxialNetwork(1, 4, 2, jax.random.key(0)))
    x = noise(1, 8)
    spread = jnp.broadcast_to(x[:, :, None, None], (1, 8, 4, 3))
    np.testing.assert_allclose(network(spread)[:, :, 2, 1], network(x), atol=1e-5)
    np.testing.assert_allclose(
        network(jnp.moveaxis(spread, 1, 3)), jnp.moveaxis(network(spread), 1, 3), atol=1e-5
    )
    varied = spread * noise(1, 8, 4, 3, seed=1)  # control: it does see the new axes
    assert np.abs(network(varied)[:, :, 2, 1] - network(varied[:, :, 2, 1])).max() > 1e-2


def test_a_fourier_layer_multiplies_modes():
    layer = FourierLayer(1, 1, 3, jax.random.key(0))
    wave = jnp.cos(2 * jnp.pi * 2 * jnp.arange(16) / 16)[None]
    beyond = jnp.cos(2 * jnp.pi * 5 * jnp.arange(16) / 16)[None]
    real, imaginary = layer.spectral[0][:, 2, 0, 0]
    shifted = real * wave - imaginary * jnp.sin(2 * jnp.pi * 2 * jnp.arange(16) / 16)
    heads = layer.narrow(jax.nn.gelu(layer.widen(shifted)))
    np.testing.assert_allclose(layer(wave), wave + heads, atol=1e-5)
    unseen = layer.narrow(jax.nn.gelu(layer.widen(jnp.zeros((1, 16)))))
    np.testing.assert_allclose(layer(beyond), beyond + unseen, atol=1e-5)


def test_a_fourier_operator_copies_the_weights_of_its_axis():
    low = FourierOperator(1, 1, 3, 2, 3, jax.random.key(0))
    high = eqx.filter_jit(with_more_axes(low, 3))
    x = noise(1, 8, 8, 8)
    np.testing.assert_allclose(high(jnp.swapaxes(x, 1, 3)), jnp.swapaxes(high(x), 1, 3), atol=1e-4)
    own = eqx.filter_jit(FourierOperator(3, 1, 3, 2, 3, jax.random.key(0)))  # control: axes of their own
    assert np.abs(own(jnp.swapaxes(x, 1, 3)) - jnp.swapaxes(own(x), 1, 3)).max() > 1e-2
    two = FourierOperator(2, 1, 3, 1, 3, jax.random.key(1))
    first, second, new = with_more_axes(two, 3).layers[0].spectral
    np.testing.assert_allclose(new, (first + second) / 2, atol=1e-7)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_built_and_converted(name):
    family = FAMILIES[name]
    low = family.build(SMALL, SCALAR, SMALL.low, 0)
    high = family.convert(low, SMALL, SCALAR, "compatibility")
    ours = FAMILIES["ours"].build(SMALL, SCALAR, SMALL.high, 0)
    assert parameters(high) >= parameters(ours) or name == "axial"  # which has as many in every dimension
    x = MultiImage({(0, 0): noise(1, 8, 6)}, 2)
    y = eqx.filter_jit(lambda x: high(x)[0])(x)
    assert y.get_signature() == SCALAR
    assert y.D == 2 and np.isfinite(y[(0, 0)]).all()
