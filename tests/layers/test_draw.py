import jax
import jax.numpy as jnp
import numpy as np

from ginjax.layers._draw import draw_uniform

SHAPE = (3, 50, 60)


def test_uniform_within_the_bound():
    drawn = np.asarray(draw_uniform(jax.random.key(0), SHAPE, 0.5))
    assert drawn.shape == SHAPE and drawn.dtype == np.float32
    assert np.abs(drawn).max() <= 0.5
    # Mean and variance of a uniform distribution; the blocks do not repeat one another.
    assert abs(drawn.mean()) < 0.01
    np.testing.assert_allclose(drawn.var(), 0.25 / 3, rtol=0.05)
    assert len(np.unique(drawn)) > 0.99 * drawn.size


def test_traced_and_not_are_the_same():
    key = jax.random.key(1)
    traced = jax.jit(lambda key: draw_uniform(key, SHAPE, 0.3))(key)
    np.testing.assert_array_equal(traced, draw_uniform(key, SHAPE, 0.3))
    assert not np.array_equal(draw_uniform(jax.random.key(2), SHAPE, 0.3), traced)


def test_any_size_is_one_operation_while_tracing():
    """The shapes of a model too large to build are found without building it."""
    sizes = [
        len(jax.make_jaxpr(lambda n=n: draw_uniform(jax.random.key(0), (n,), 1.0))().eqns)
        for n in (10, 10**9)
    ]
    assert sizes[0] == sizes[1]


def test_nothing_to_draw_and_double_precision():
    assert draw_uniform(jax.random.key(0), (0, 4), 1.0).shape == (0, 4)
    with jax.enable_x64(True):
        assert draw_uniform(jax.random.key(0), (2, 3), 1.0).dtype == jnp.float64


def test_many_keys_at_once():
    keys = jax.random.split(jax.random.key(0), 3)
    drawn = jax.vmap(lambda key: draw_uniform(key, (4, 5), 1.0))(keys)
    np.testing.assert_array_equal(drawn[1], draw_uniform(keys[1], (4, 5), 1.0))
