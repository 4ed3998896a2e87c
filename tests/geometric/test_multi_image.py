import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax import geometric as geom
from ginjax.errors import ArgumentError, UnsupportedError

KEYS = ((2, 0), (1, 1), (0, 0), (1, 0))


def fields(lead: tuple[int, ...] = (2,), sides: tuple[int, ...] = (2, 3), seed: int = 0) -> geom.MultiImage:
    rng, D = np.random.default_rng(seed), len(sides)
    blocks = {(k, p): jnp.asarray(rng.normal(size=(*lead, *sides, *(D,) * k)), jnp.float32) for k, p in KEYS}
    return geom.MultiImage(blocks, D, (True, False))


def test_keys_are_canonical_and_in_order():
    x = fields()
    assert list(x) == list(x.keys()) == sorted(x.keys(), key=geom.key_order)
    assert next(iter(x)) == ((), 0)
    assert (1, 0) in x and ((False,), 0) in x and (3, 0) not in x
    assert x[(1, 0)] is x[((False,), 0)]
    assert x.get_signature() == geom.Signature((key, 2) for key in KEYS)
    assert x.get_signature_dict()[((), 0)] == 2
    assert (x.get_spatial_dims(), x.get_n_leading(), x.get_L()) == ((2, 3), 1, 2)
    assert x.size() == 2 * 6 * (1 + 2 + 2 + 4)


def test_flattening_loses_nothing():
    x = fields()
    leaves, structure = jax.tree.flatten(x)
    back = jax.tree.unflatten(structure, leaves)
    assert (back.D, back.is_torus, list(back)) == (x.D, x.is_torus, list(x))
    assert all(a is b for a, b in zip(back.values(), x.values(), strict=True))
    by_path = jax.tree_util.tree_flatten_with_path(x)[0]
    assert [path[0].key for path, _ in by_path] == list(x)
    other = geom.MultiImage(dict(x.items()), x.D, True)
    assert jax.tree.structure(other) != structure


@pytest.mark.parametrize("leaf", [None, 0, "text", object(), jax.ShapeDtypeStruct((1,), float)])
def test_leaves_may_be_anything(leaf):
    holder = jax.tree.map(lambda _: leaf, fields())
    assert list(holder) == list(fields())
    assert all(value is leaf for value in holder.values())
    repr(holder)


def test_transformations_pass_through():
    x = fields((3, 2))
    doubled = jax.jit(jax.vmap(lambda image: image * 2))(x)
    assert doubled == x * 2
    axes = jax.tree.map(lambda _: 0, x)
    assert jax.vmap(lambda image: image + image, in_axes=(axes,))(x) == x * 2
    shapes = jax.eval_shape(lambda image: image.norm(), x)
    assert shapes[(0, 0)].shape == (3, 8, 2, 3)
    gradient = jax.grad(lambda image: jnp.sum(image.to_vector() ** 2))(x)
    assert gradient == x * 2


def test_arithmetic():
    x, y = fields(), fields(seed=1)
    assert x + y - y == x
    assert 2 * x == x * 2 == x + x
    assert (x * 2) / 2 == x
    assert -x == x * -1
    assert x != y
    assert x != geom.MultiImage(dict(x.items()), 2)
    assert x == x * (1 + 1e-7) and x != x * 1.01


def test_sums_want_the_same_keys_and_space():
    x = fields()
    smaller = geom.MultiImage({(0, 0): x[(0, 0)]}, 2, (True, False))
    with pytest.raises(ArgumentError, match="different keys"):
        x + smaller
    with pytest.raises(ArgumentError, match="different spaces"):
        x - geom.MultiImage(dict(x.items()), 2)
    with pytest.raises(TypeError):
        x * x


def test_concat_is_a_union_and_append_mutates():
    x = fields()
    part = geom.MultiImage({(0, 0): x[(0, 0)][:1], (3, 0): jnp.ones((1, 2, 3, 2, 2, 2))}, 2, (True, False))
    joined = x.concat(part)
    assert joined.get_signature_dict()[((), 0)] == 3
    assert list(joined)[-1] == ((False,) * 3, 0)
    assert x == fields()
    copied = x.copy()
    assert copied.append(0, 0, x[(0, 0)]) is copied
    assert copied[(0, 0)].shape[0] == 4 and x[(0, 0)].shape[0] == 2
    assert list(x.empty()) == [] and (x.empty().D, x.empty().is_torus) == (2, (True, False))


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ((1, 0), (2, 2, 3, 3)),
        ((0, 0), (2, 3, 2)),
        ((1, 0), (2, 2)),
        ((0, 0), (5, 2, 2, 3)),
        ((2, 0), (2, 3, 2)),
    ],
)
def test_blocks_that_do_not_fit_are_refused(key, shape):
    x = geom.MultiImage({(1, 1): np.zeros((1, 2, 3, 2))}, 2)
    with pytest.raises(ArgumentError, match="block"):
        x.append(*key, np.zeros(shape))


def test_metrics_are_refused():
    with pytest.raises(UnsupportedError, match="metric"):
        geom.MultiImage({}, 2, True, np.eye(2))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("lead", [(2,), (3, 2)])
def test_vectors_and_scalars_round_trip(lead):
    x = fields(lead)
    assert geom.MultiImage.from_vector(x.to_vector(), x) == x
    scalars = x.to_scalar_multi_image()
    assert scalars.get_signature() == ((((), 0), 2 * (1 + 2 + 2 + 4)),)
    assert scalars.from_scalar_multi_image(x.get_signature()) == x
    assert geom.MultiImage.from_scalar_multi_image(scalars, x.get_signature()) == x
    # Channel 2 of the scalars is component 0 of the first vector, the last one component (1, 1) of the last tensor.
    vectors, tensors = x[(1, 0)], x[(2, 0)]
    np.testing.assert_array_equal(x.get_component(2)[(0, 0)][..., 0, :, :], vectors[..., 0, :, :, 0])
    np.testing.assert_array_equal(x.get_component(-1)[(0, 0)][..., 0, :, :], tensors[..., 1, :, :, 1, 1])


def test_wrong_conversions_are_refused():
    x = fields()
    with pytest.raises(ArgumentError, match="signature"):
        x.from_scalar_multi_image(x.get_signature())
    with pytest.raises(ArgumentError, match="signature"):
        x.to_scalar_multi_image().from_scalar_multi_image((((0, 0), 3),))
    with pytest.raises(ArgumentError, match="length"):
        geom.MultiImage.from_vector(jnp.zeros(3), x)
    with pytest.raises(ArgumentError, match="no such component"):
        x.get_component(18)


def test_images_round_trip():
    x = fields()
    images = x.to_images()
    assert len(images) == 8
    assert geom.MultiImage.from_images(reversed(images)).get_signature() == x.get_signature()
    assert geom.MultiImage.from_images(images) == x


def test_axes():
    x = fields((6,))
    split = x.expand(0, 3)
    assert split[(1, 0)].shape == (2, 3, 2, 3, 2)
    np.testing.assert_array_equal(split[(0, 0)][1, 2], x[(0, 0)][5])
    assert split.combine_axes((0, 1)) == split.merge_axes((1, 0)) == x
    for wrong in (lambda: x.expand(0, 4), lambda: x.expand(1, 2), lambda: split.combine_axes((0, 2))):
        with pytest.raises(ArgumentError):
            wrong()


def test_subsets():
    x = fields((4, 2))
    np.testing.assert_array_equal(x.get_subset([3, 1])[(1, 0)], x[(1, 0)][jnp.array([3, 1])])
    assert x.get_one(1)[(0, 0)].shape == (1, 2, 2, 3)
    np.testing.assert_array_equal(x.get_one(1, keepdims=False)[(0, 0)], x[(0, 0)][1])
    traced = jax.jit(lambda i: x.get_subset(i))(jnp.array([3, 1]))
    assert traced == x.get_subset([3, 1])
    for wrong in (4, [0, -5]):
        with pytest.raises(ArgumentError, match="no such entry"):
            x.get_subset(wrong)


def test_fieldwise_operations():
    x = fields(sides=(2, 4))
    g = np.array([[0, -1], [1, 0]])

    @jax.jit
    def operations(x):
        moved = x.times_group_element(g)
        return x.norm(), x.average_pool(2), moved, moved.norm(), x.norm().times_group_element(g)

    norms, pooled, moved, moved_norms, norms_moved = operations(x)
    assert norms.get_signature() == ((((), 0), 8),)
    assert pooled[(1, 0)].shape == (2, 1, 2, 2)
    assert (moved.get_spatial_dims(), moved.is_torus) == ((4, 2), (False, True))
    assert moved_norms == norms_moved
    assert moved.times_group_element(g.T) == x


def test_questions_to_an_empty_image():
    nothing = geom.MultiImage({}, 2)
    assert (nothing.get_signature(), nothing.get_n_leading(), nothing.get_L(), nothing.size()) == (
        (),
        0,
        0,
        0,
    )
    assert nothing.get_spatial_dims() == ()
