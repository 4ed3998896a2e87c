"""Training whose numbers are values of one program, against the same steps taken one by one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ginjax import ml
from ginjax.geometric import MultiImage
from ginjax.ml.training import _counted_steps, fit_counted

SCALAR = ((), 0)
KEY = jax.random.key(2)
TRACED = []


class Affine(eqx.Module):
    """`y = weight x + bias`; notes when it is traced."""

    weight: jax.Array
    bias: jax.Array

    def __init__(self):
        self.weight, self.bias = jnp.array([0.5]), jnp.array([0.0])

    def __call__(self, x, aux_data=None):
        TRACED.append(x[SCALAR].shape)
        return MultiImage({SCALAR: self.weight * x[SCALAR] + self.bias}, x.D, x.is_torus), aux_data


def data(samples=8):
    x = np.random.default_rng(0).standard_normal((samples, 1, 4)).astype(np.float32)
    return MultiImage({SCALAR: jnp.asarray(x)}, 1), MultiImage({SCALAR: jnp.asarray(2 * x + 1)}, 1)


def trained(**numbers):
    asked = {"pairs": 5, "steps": 40, "rate": 0.05, "batch": 3, "key": KEY} | numbers
    model = fit_counted(Affine(), *data(), **asked)
    return np.concatenate([model.weight, model.bias])


def test_one_program_serves_every_number():
    trained(steps=0)
    programs = len(TRACED)
    assert programs > 0
    for numbers in (
        {},
        {"pairs": 1},
        {"steps": 7},
        {"rate": 0.0},
        {"rate": 1e-3},
        {"key": jax.random.key(9)},
    ):
        trained(**numbers)
    assert len(TRACED) == programs
    trained(batch=4)
    assert len(TRACED) > programs  # control: a shape is no number


@pytest.mark.parametrize("steps", [1, 2, 40])
def test_the_steps_are_those_of_the_standard_optimiser(steps):
    """The draws, then `make_step` and `adamw_cosine`, as written out here."""
    X, Y = data()
    draws, _ = jax.random.split(KEY)

    def by_hand(key, peak):
        optimiser = ml.adamw_cosine(steps, learning_rate=peak)
        state = ml.initial_state(Affine(), optimiser)
        step = ml.make_step(ml.batched(ml.smse_loss), optimiser)
        model, opt_state = state.model, state.opt_state
        for t in range(steps):
            chosen = jax.random.randint(jax.random.fold_in(key, t), (3,), 0, 5)
            model, opt_state, *_ = step(model, opt_state, X.get_subset(chosen), Y.get_subset(chosen))
        return np.concatenate([model.weight, model.bias])

    np.testing.assert_allclose(trained(steps=steps), by_hand(draws, 0.05), rtol=1e-5)
    assert abs(trained(steps=steps) - by_hand(draws, 0.06)).max() > 1e-3  # control: another rate
    if steps > 2:
        assert (
            abs(trained(steps=steps) - by_hand(KEY, 0.05)).max() > 1e-4
        )  # control: the key itself, as it was


def test_the_same_key_gives_the_same_bytes():
    assert trained().tobytes() == trained().tobytes() != trained(key=jax.random.key(3)).tobytes()


def test_no_step_and_no_rate_give_the_model_back():
    start = np.array([0.5, 0.0], np.float32)
    for numbers in ({"steps": 0}, {"rate": 0.0}):
        np.testing.assert_array_equal(trained(**numbers), start)


def test_the_callers_model_survives_and_is_given_back_in_its_own_memory():
    model = Affine()
    fit_counted(model, *data(), pairs=5, steps=3, rate=0.1, batch=3, key=KEY)
    assert float(model.weight[0]) == 0.5


@pytest.mark.parametrize("steps", [1, 2, 10, 333, 2**16, 2**16 + 1])
def test_the_table_of_rates_is_the_schedule(steps):
    table = np.asarray(_counted_steps._rates(steps, 0.3))
    schedule = ml.make_schedule("cosine", steps, learning_rate=0.3)
    shown = np.unique(np.linspace(0, steps - 1, 50, dtype=int))
    np.testing.assert_allclose(table[shown], [float(schedule(t)) for t in shown], rtol=1e-5, atol=1e-8)
    assert len(table) == (2**16 if steps <= 2**16 else 2**17)  # few lengths, so few programs


def test_what_is_read_from_the_table_scales_the_step():
    """Control of the table: AdamW with rates 1, 0, 0 moves once."""
    optimiser = optax.inject_hyperparams(_counted_steps._adamw)(rates=jnp.array([1.0, 0.0, 0.0]))
    params, moved = jnp.ones(2), []
    state = optimiser.init(params)
    for _ in range(3):
        updates, state = optimiser.update(jnp.array([1.0, -2.0]), state, params)
        moved.append(float(jnp.abs(updates).max()))
    assert moved[0] > 0.9 and moved[1:] == [0.0, 0.0]
