"""Trainings to a plateau, and the data and rollouts they are judged by."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from transferbench._data import Pairs
from transferbench._pointwise import Pointwise
from transferbench._rollouts import diverged, rollout_errors, unchanged_errors
from transferbench._settings import QUICK
from transferbench._training import Trainer, fit_steps, fit_to_plateau, score

from ginjax.geometric import MultiImage, Signature
from ginjax.models import ModelWrapper

SCALAR = Signature([((0, 0), 1)])
FRAMES, COUNT = 4, 3


def halving():
    """Trajectories in which a field is halved at every step."""
    first = np.random.default_rng(0).standard_normal((COUNT, 1, 1, 8))
    frames = first * 0.5 ** np.arange(FRAMES + 1)[:, None, None]
    flat = lambda part: jnp.asarray(part.reshape(COUNT * FRAMES, 1, 8), jnp.float32)  # noqa: E731
    X, Y = (MultiImage({(0, 0): flat(part)}, 1) for part in (frames[:, :-1], frames[:, 1:]))
    return Pairs(X, Y, FRAMES)


def network(weight=1.0):
    """`y = weight x`."""
    linear = Pointwise(1, 1, jax.random.key(0))
    linear = replace_weight(linear, weight)
    return ModelWrapper(1, linear, SCALAR, True)


def replace_weight(linear, weight):
    return jax.tree.map(lambda leaf: jnp.full_like(leaf, weight) if leaf.ndim == 2 else leaf, linear)


TRAINER = Trainer(halving(), COUNT * FRAMES, batch=2, chunk=QUICK.look, seed=0)
ROLLOUTS = halving().rollouts(0, 3)


def look(model):
    errors = rollout_errors(model, ROLLOUTS).mean(axis=1)
    return float(errors[0]), float(errors[-1])


def test_errors_of_rollouts_are_those_by_hand():
    expected = [[abs(0.7**k - 0.5**k) / 0.5**k] * COUNT for k in (1, 2, 3)]
    np.testing.assert_allclose(rollout_errors(network(0.7), ROLLOUTS), expected, rtol=1e-4)
    unchanged = [[2**k - 1] * COUNT for k in (1, 2, 3)]
    np.testing.assert_allclose(unchanged_errors(ROLLOUTS), unchanged, rtol=1e-4)


def test_a_forecast_that_is_no_number_has_diverged():
    assert np.isinf(rollout_errors(network(np.nan), ROLLOUTS)).all()
    assert diverged(rollout_errors(network(np.nan), ROLLOUTS)) == 1
    assert diverged(rollout_errors(network(0.5), ROLLOUTS)) == 0
    assert diverged(np.array([[0.1, 0.1], [0.2, 1.1], [0.1, 0.2]])) == 0.5
    assert score((0.1, float("inf"))) == float("inf")


def test_rollouts_begin_where_they_should():
    start, truth = halving().rollouts(1, 2)
    whole, _ = halving().rollouts(0, 1)
    np.testing.assert_allclose(start[(0, 0)], 0.5 * whole[(0, 0)], rtol=1e-6)
    np.testing.assert_allclose(truth[(0, 0)][1], 0.125 * whole[(0, 0)], rtol=1e-6)


def test_a_training_reaches_its_plateau():
    fitted = fit_to_plateau(network(), TRAINER, 0.05, (40, 80, 160, 320, 640), look, 0.5)
    assert fitted.levelled and fitted.steps < 640
    assert look(fitted.model)[0] < 0.01
    lengths = [40, 80, 160, 320, 640]
    tried = [sum(lengths[:n]) // TRAINER.chunk + 1 for n in range(1, 6)]  # looks, with that at the start
    assert len(fitted.curve) in tried
    assert min(score(point[1:]) for point in fitted.curve) == pytest.approx(score(look(fitted.model)))
    short = fit_to_plateau(network(), TRAINER, 0.01, (10, 20), look, 0.05)  # control: no time to get there
    assert not short.levelled and short.steps == 20


def test_a_training_that_only_gets_worse_keeps_the_start():
    start = network(0.5)
    fitted = fit_to_plateau(start, TRAINER, 1.0, (5, 10), look, 0.05)
    assert jax.tree.all(jax.tree.map(np.array_equal, leaves(fitted.model), leaves(start)))
    assert fitted.steps == 0 and fitted.seconds > 0  # of finding that out
    assert look(fit_steps(start, TRAINER, 5, 1.0).model)[0] > look(start)[0]  # control: its steps do harm


def leaves(model):
    return [leaf for leaf in jax.tree.leaves(model) if isinstance(leaf, jax.Array)]


def test_only_the_samples_asked_for_are_seen():
    spoilt = halving()
    last = {key: block.at[FRAMES:].set(1e3) for key, block in spoilt.Y.items()}
    pairs = replace(spoilt, Y=MultiImage(last, 1))
    alone = replace(TRAINER, pairs=pairs, count=FRAMES)
    assert look(fit_steps(network(), alone, 100, 0.05).model)[0] < 0.1
    everything = replace(alone, count=COUNT * FRAMES)  # control
    assert look(fit_steps(network(), everything, 100, 0.05).model)[0] > 0.1
