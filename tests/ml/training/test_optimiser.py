import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.ml import adamw_cosine


def moves(steps, **options):
    """How far one parameter moves at each step under a constant gradient (Adam then moves by the rate)."""
    optimizer = adamw_cosine(steps, weight_decay=0.0, **options)
    value, gradient = jnp.array(0.0), jnp.array(0.5)
    state = optimizer.init(value)
    result = []
    for _ in range(steps):
        update, state = optimizer.update(gradient, state, value)
        result.append(-float(update))
    return np.array(result)


def test_rate_rises_linearly_and_falls_along_a_cosine():
    w, steps = 4, 20
    expected = [t / w if t < w else (1 + np.cos(np.pi * (t - w) / (steps - w))) / 2 for t in range(steps)]
    np.testing.assert_allclose(
        moves(steps, learning_rate=0.1, warmup=0.2), 0.1 * np.array(expected), atol=1e-5
    )


def test_without_warm_up_the_first_step_is_full():
    np.testing.assert_allclose(moves(3, learning_rate=0.1, warmup=0)[0], 0.1, atol=1e-5)
    assert moves(3, learning_rate=0.1, warmup=0.5)[0] == 0


def test_one_step_is_allowed():
    assert moves(1, learning_rate=0.1)[0] > 0


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"learning_rate": 0.0}, {"warmup": 1.0}, {"weight_decay": -1.0}, {"clip": 0.0}]
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        adamw_cosine(**({"steps": 10} | wrong))
