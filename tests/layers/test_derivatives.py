"""Reverse derivatives written by hand against forward ones, which go through the definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.layers._norm import standardise, whiten
from ginjax.layers._vector_neuron import activate, vector_neuron

CHANNELS, PIXELS = 4, 6


def fields(D, seed, *weights):
    rng = np.random.default_rng(seed)
    shapes = (D, CHANNELS, PIXELS), *weights
    return tuple(jnp.asarray(rng.normal(size=shape)) for shape in shapes)


OPERATIONS = {
    "standardise": (lambda x, w, b: standardise(x[0], w, b, 2, 1e-5), ((CHANNELS,), (CHANNELS,))),
    "whiten": (lambda x, w, b: whiten(x, w, b, 1, 1e-5), ((CHANNELS,), (CHANNELS,))),
    "whiten in groups": (lambda x, w, b: whiten(x, w, b, 2, 1e-5), ((CHANNELS,), (CHANNELS,))),
    "vector neuron": (lambda x, w: vector_neuron(x, w, jax.nn.gelu, 1e-5), ((CHANNELS, CHANNELS),)),
    "activation": (lambda x: activate(x, jax.nn.gelu), ()),
}


@pytest.mark.parametrize("D", [2, 3])
@pytest.mark.parametrize("name", OPERATIONS)
def test_both_directions_agree(x64, name, D):
    """`<g, J v> = <J^T g, v>` for random `g` and `v`."""
    function, weights = OPERATIONS[name]
    at, along = fields(D, 0, *weights), fields(D, 1, *weights)
    value, change = jax.jvp(function, at, along)
    g = jnp.asarray(np.random.default_rng(2).normal(size=value.shape))
    back = jax.vjp(function, *at)[1](g)
    forth = float(jnp.vdot(g, change))
    assert abs(forth) > 1e-3
    np.testing.assert_allclose(
        sum(float(jnp.vdot(a, b)) for a, b in zip(back, along, strict=True)), forth, rtol=1e-9
    )
    assert [z.shape for z in back] == [z.shape for z in at]


def test_half_precision_comes_back_in_half_precision():
    x, w, b = (z.astype(jnp.bfloat16) for z in fields(2, 0, (CHANNELS,), (CHANNELS,)))
    for function in (lambda *z: standardise(z[0][0], *z[1:], 1, 1e-5), lambda *z: whiten(*z, 1, 1e-5)):
        value, back = jax.vjp(function, x, w, b)
        assert value.dtype == jnp.bfloat16
        assert all(z.dtype == jnp.bfloat16 for z in back(value))


def test_equal_and_vanishing_eigenvalues(x64):
    """Isotropic fields, and fields without one of their components: gradients stay finite."""
    flat = jnp.zeros((2, CHANNELS, PIXELS))
    turned = flat.at[0, :, 0].set(1.0).at[1, :, 1].set(1.0)
    ones = jnp.ones(CHANNELS)
    for x in (flat, turned, turned.at[1].set(0.0)):
        back = jax.vjp(lambda x: whiten(x, ones, ones, 1, 1e-5), x)[1](turned + 1)
        assert all(np.isfinite(z).all() for z in back)
