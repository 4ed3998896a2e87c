import jax
import numpy as np
import pytest

from ginjax import geometric as geom
from ginjax.errors import ArgumentError


def image(k: int, parity: int = 0, sides: tuple[int, ...] = (2, 3), seed: int = 0) -> geom.GeometricImage:
    D = len(sides)
    data = np.random.default_rng(seed).normal(size=sides + (D,) * k).astype(np.float32)
    return geom.GeometricImage(data, parity, D)


def test_products_add_orders_and_parities():
    a, b = image(1, 1), image(2, 1, seed=1)
    product = a * b
    assert (product.k, product.parity) == (3, 0)
    expected = np.einsum("xya,xybc->xyabc", a.data, b.data)
    np.testing.assert_allclose(product.data, expected, rtol=1e-6)
    np.testing.assert_allclose((2 * a).data, 2 * a.data)


def test_product_is_equivariant():
    a, b = image(1, 1), image(1, seed=1)
    for g in geom.make_all_operators(2)[4:6]:
        assert (a * b).times_group_element(g) == a.times_group_element(g) * b.times_group_element(g)
    reflection = np.diag([-1, 1])
    assert (a * b).times_group_element(reflection) != a.times_group_element(reflection) * b


def test_sums_want_the_same_kind():
    a, b = image(1), image(1, seed=1)
    assert (a + b) - b == a
    assert -a == a * -1
    for other in (image(1, 1), image(0), image(1, sides=(3, 2))):
        with pytest.raises(ArgumentError, match="do not match"):
            a + other


def test_contract_and_transpose():
    a = image(3)
    np.testing.assert_allclose(a.contract(0, 2).data, np.einsum("xyaba->xyb", a.data), rtol=1e-6)
    np.testing.assert_array_equal(a.transpose((2, 0, 1)).data, np.transpose(a.data, (0, 1, 4, 2, 3)))
    with pytest.raises(ArgumentError):
        a.contract(1, 1)
    with pytest.raises(ArgumentError):
        a.transpose((0, 1))


def test_normalize_makes_the_largest_norm_one():
    assert np.isclose(np.max(image(2).normalize().norm().data), 1)
    zero = geom.GeometricImage.zeros(3, 1, 0, 2)
    assert zero.normalize() == zero


def test_fill_repeats_a_tensor():
    filled = geom.GeometricImage.fill((2, 3), 1, 2, [1.0, 2.0])
    assert filled.data.shape == (2, 3, 2)
    np.testing.assert_array_equal(filled.data[1, 2], [1, 2])
    with pytest.raises(ArgumentError):
        geom.GeometricImage.zeros((2, 3, 4), 0, 0, 2)


def test_periodicity_moves_with_the_group():
    x = geom.GeometricImage(np.zeros((2, 3)), 0, 2, (True, False))
    moved = x.times_group_element([[0, 1], [1, 0]])
    assert (moved.spatial_dims, moved.is_torus) == ((3, 2), (False, True))


def test_images_are_pytrees():
    a = geom.GeometricFilter(np.zeros((3, 3, 2)), 1, 2, (True, False))
    b = jax.tree.map(lambda x: x + 1, a)
    assert (type(b), b.parity, b.D, b.is_torus, b.M) == (geom.GeometricFilter, 1, 2, (True, False), 3)
    batched = jax.vmap(lambda x: x)(jax.tree.map(lambda x: np.stack([x, x]), a))
    assert batched.data.shape == (2, 3, 3, 2)


def test_filters_need_equal_sides():
    with pytest.raises(ArgumentError, match="equal sides"):
        geom.GeometricFilter(np.zeros((3, 2)), 0, 2)


def test_covariant_axes_must_fit():
    with pytest.raises(ArgumentError, match="covariant_axes"):
        geom.GeometricImage(np.zeros((3, 3, 2)), 0, 2, covariant_axes=())


def test_labels_of_axes_stay_where_the_order_does():
    a = geom.GeometricImage(image(2).data, 0, 2, covariant_axes=(True, False))
    kept = (a + a, a - a, -a, 2 * a, a * 2, a.normalize(), a.times_group_element(np.diag([1, -1])))
    assert [each.covariant_axes for each in kept] == [(True, False)] * len(kept)
    assert a.transpose((1, 0)).covariant_axes == (False, True)


def test_convolution_adds_orders_and_parities():
    a = image(1, 1, sides=(3, 3))
    identity = np.zeros((3, 3, 2), np.float32)
    identity[1, 1] = [2, 3]
    y = a.convolve_with(geom.GeometricFilter(identity, 1, 2))
    assert (y.k, y.parity) == (2, 0)
    np.testing.assert_allclose(y.data, np.einsum("xya,b->xyab", a.data, [2.0, 3.0]), rtol=1e-5)
