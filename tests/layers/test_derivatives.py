"""Reverse derivatives written by hand against forward ones, which go through the definition."""

import contextlib
import logging
from itertools import product

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sweeps import few_rows

from ginjax.layers._norm import standardise, whiten
from ginjax.layers._vector_neuron import activate, vector_neuron

CHANNELS, PIXELS = 4, 6
MIX = jnp.asarray(np.random.default_rng(5).normal(size=(CHANNELS, CHANNELS)))


@contextlib.contextmanager
def warnings_of(name):
    """The lines that a logger writes at level WARNING."""
    lines, handler = [], logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


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


EVERY_DAY = (
    ("standardise", 2),
    ("whiten", 3),
    ("whiten in groups", 2),
    ("vector neuron", 2),
    ("activation", 3),
)
OTHERS = (each for each in product(OPERATIONS, (2, 3)) if each not in EVERY_DAY)


@pytest.mark.parametrize(("name", "D"), [*EVERY_DAY, *few_rows(*OTHERS)])
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


def leaky(z):
    """Promotes: a NumPy number is as wide as it says."""
    return jnp.where(z > 0, z, np.float32(0.1) * z)


def test_half_precision_comes_back_in_half_precision():
    x, w, b = (z.astype(jnp.bfloat16) for z in fields(2, 0, (CHANNELS,), (CHANNELS,)))
    mix = fields(2, 1, (CHANNELS, CHANNELS))[1].astype(jnp.bfloat16)
    for function, *arguments in (
        (lambda *z: standardise(z[0][0], *z[1:], 1, 1e-5), x, w, b),
        (lambda *z: whiten(*z, 1, 1e-5), x, w, b),
        (lambda *z: vector_neuron(*z, jax.nn.gelu, 1e-5), x, mix),
        (lambda *z: vector_neuron(*z, leaky, 1e-5), x, mix),
        (lambda z: activate(z, leaky), x),
    ):
        value, back = jax.vjp(jax.jit(function), *arguments)
        assert all(z.dtype == jnp.bfloat16 for z in back(value))


def test_parameters_wider_than_the_field(x64):
    x, w, b = fields(2, 0, (CHANNELS,), (CHANNELS,))
    for function in (lambda *z: standardise(z[0][0], *z[1:], 1, 1e-5), lambda *z: whiten(*z, 1, 1e-5)):
        value, back = jax.vjp(function, x.astype(jnp.float32), w, b)
        assert [z.dtype for z in back(value)] == [jnp.float32, jnp.float64, jnp.float64]


def swish(beta):
    return lambda z: z * jax.nn.sigmoid(beta * z)


@pytest.mark.parametrize("apply", [lambda x, f: activate(x, f), lambda x, f: vector_neuron(x, MIX, f, 1e-5)])
def test_activations_with_parameters(apply):
    """Those of the caller, closed over, are differentiated too; those of a module are its own."""
    x = fields(2, 0)[0]
    slope = jax.grad(lambda beta: jnp.sum(apply(x, swish(beta)) ** 2))
    step = 1e-2
    by_differences = sum(sign * jnp.sum(apply(x, swish(1.0 + sign * step)) ** 2) for sign in (1, -1)) / (
        2 * step
    )
    np.testing.assert_allclose(slope(1.0), by_differences, rtol=1e-2)
    np.testing.assert_allclose(jax.jit(slope)(1.0), slope(1.0), rtol=1e-4)
    layer = eqx.filter_grad(lambda f: jnp.sum(apply(x, f) ** 2))(eqx.nn.PReLU(0.3))
    assert abs(float(layer.negative_slope)) > 1e-3


def test_gradients_without_jit_compile_once():
    """However often they are asked for."""
    x, w, b = fields(2, 0, (CHANNELS,), (CHANNELS,))
    slope = jax.grad(lambda x: jnp.sum(whiten(x, w, b, 1, 1e-5) * activate(x, jax.nn.gelu)))
    slope(x)
    with jax.log_compiles(), warnings_of("jax") as found:
        slope(x)
    assert not [line for line in found if "ompiling" in line]


def test_equal_and_vanishing_eigenvalues(x64):
    """Isotropic fields, and fields without one of their components: gradients stay finite."""
    flat = jnp.zeros((2, CHANNELS, PIXELS))
    turned = flat.at[0, :, 0].set(1.0).at[1, :, 1].set(1.0)
    ones = jnp.ones(CHANNELS)
    for x in (flat, turned, turned.at[1].set(0.0)):
        back = jax.vjp(lambda x: whiten(x, ones, ones, 1, 1e-5), x)[1](turned + 1)
        assert all(np.isfinite(z).all() for z in back)
