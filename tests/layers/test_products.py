"""Pointwise products: what they are, and that they commute with the symmetries and with the embedding."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_models import act

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature
from ginjax.layers import ProductNonlinear, product_keys, tensor_keys
from ginjax.models.verify._equivariance import generators
from ginjax.transfer import embed_field

S, V, PS, PV, T = ((), 0), ((False,), 0), ((), 1), ((False,), 1), ((False, False), 0)
MIXED = Signature([(S, 3), (V, 4), (PS, 2), (PV, 2)])


def field(signature, D, seed=0, side=3, size=1.0):
    rng = np.random.default_rng(seed)
    blocks = {
        key: jnp.asarray(size * rng.standard_normal((c, *(side,) * D, *(D,) * len(key[0]))), jnp.float32)
        for key, c in signature
    }
    return MultiImage(blocks, D)


def layer(signature=MIXED, D=2):
    return ProductNonlinear(signature, D, jnp.tanh, jax.random.key(0))


run = eqx.filter_jit(lambda module, x: module(x))
"""One program for all calls on fields of one shape."""


def largest_difference(a, b):
    return max(float(np.abs(np.asarray(a[key]) - np.asarray(b[key])).max()) for key in b)


def test_signatures_of_results():
    assert dict(product_keys(MIXED)) == {S: 3 + 4 + 2 + 2, V: 8, PS: 4, PV: 4}
    assert dict(tensor_keys(MIXED)) == {T: 2}
    assert dict(product_keys([(V, 1)])) == {S: 1, V: 1} and dict(tensor_keys([(V, 1)])) == {T: 1}
    assert dict(product_keys([(S, 2)])) == {S: 2} and not tensor_keys([(S, 2)])
    y, tensors = run(layer(), field(MIXED, 2))
    assert Signature(y.get_signature()) == layer().output_keys == product_keys(MIXED)
    assert Signature(tensors.get_signature()) == layer().tensor_keys


def test_values_by_hand():
    one = ProductNonlinear([(S, 1), (V, 2)], 2, jnp.tanh, jax.random.key(0))
    s, v = np.array([0.3]), np.array([[1.0, 2.0], [-0.5, 0.25]])
    x = MultiImage({S: jnp.asarray(s.reshape(1, 1, 1)), V: jnp.asarray(v.reshape(2, 1, 1, 2))}, 2)
    y, tensors = one(x)
    hat = v / np.sqrt(1 + (v**2).sum(1, keepdims=True) / 9)
    partner = np.asarray(one.partners[V]) @ hat
    gate = np.tanh(np.asarray(one.gates[V]) @ s)
    np.testing.assert_allclose(y[S].ravel(), [np.tanh(0.3), *(hat * partner).sum(1)], rtol=1e-5)
    np.testing.assert_allclose(y[V].reshape(4, 2), [*v, *(gate[:, None] * hat)], rtol=1e-5)
    np.testing.assert_allclose(tensors[T].reshape(2, 2), np.outer(hat[0], partner[0]), rtol=1e-5)


@pytest.mark.parametrize("D", [2, 3])
def test_products_commute_with_rotations_and_reflections(D):
    x, products = field(MIXED, D), layer(D=D)
    y, tensors = run(products, x)
    for g in generators(D):
        turned, turned_tensors = run(products, act(g, x))
        assert largest_difference(turned, act(g, y)) < 2e-6
        assert largest_difference(turned_tensors, act(g, tensors)) < 2e-6
    # control: the square of each component is no field
    squared = MultiImage({V: x[V] ** 2}, D)
    turned = MultiImage({V: act(generators(D)[0], x)[V] ** 2}, D)
    assert largest_difference(turned, act(generators(D)[0], squared)) > 0.1


def test_products_commute_with_the_embedding():
    def embedded(x):
        return MultiImage(
            {key: jnp.asarray(embed_field(np.asarray(b), 2, len(key[0]), (2,))) for key, b in x.items()}, 3
        )

    x = field(MIXED, 2)
    low, high = layer(D=2), layer(D=3)
    for a, b in zip(run(high, embedded(x)), run(low, x), strict=True):
        assert largest_difference(a, embedded(b)) < 1e-6
    # control: a constant added to every component is no embedded field any more
    shifted = MultiImage({key: block + 1 for key, block in embedded(x).items()}, 3)
    assert largest_difference(run(high, shifted)[0], embedded(run(low, x)[0])) > 0.1


def test_factors_are_bounded_and_derivatives_finite():
    products = layer()
    y, tensors = run(products, field(MIXED, 2, size=1e6))
    assert float(jnp.abs(tensors[T]).max()) < 9 * float(jnp.abs(products.partners[V]).sum(1).max())
    assert float(jnp.abs(y[V][4:]).max()) <= 3.0

    def loss(x):
        y, tensors = products(x)
        return sum(jnp.sum(b**2) for b in y.values()) + jnp.sum(tensors[T] ** 2)

    for size in (0.0, 1e6):
        gradient = jax.jit(jax.grad(loss))(field(MIXED, 2, size=size))
        assert all(np.isfinite(block).all() for block in gradient.values())


def test_what_is_missing_or_wrong_is_refused():
    with pytest.raises(ArgumentError, match="no random key"):
        ProductNonlinear(MIXED, 2, jnp.tanh)
    with pytest.raises(ArgumentError, match="ProductNonlinear was made for another input"):
        layer()(field([(S, 1)], 2))
