"""Training for a number of steps on a linear model whose answer is known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ginjax import ml
from ginjax.errors import ArgumentError, NumericsError
from ginjax.geometric import MultiImage

SCALAR = ((), 0)


class Affine(eqx.Module):
    """`y = weight x + bias`, with a leaf that is no array and one that must not be trained."""

    weight: jax.Array
    bias: jax.Array
    count: jax.Array
    activation: object

    def __init__(self):
        self.weight, self.bias, self.count = jnp.array(0.0), jnp.array(0.0), jnp.array(3)
        self.activation = jax.nn.relu

    def __call__(self, x, aux_data=None):
        return MultiImage({SCALAR: self.weight * x[SCALAR] + self.bias}, x.D, x.is_torus), aux_data


def run_fit(steps=60, seed=0, model=None, **options):
    x = np.random.default_rng(0).standard_normal((10, 1, 4)).astype(np.float32)
    options = {"optimizer": ml.adamw_cosine(max(steps, 1), learning_rate=0.2), "batch_size": 4} | options
    return ml.fit(
        Affine() if model is None else model,
        *(MultiImage({SCALAR: jnp.asarray(block)}, 1) for block in (x, 2 * x + 1)),
        loss=ml.smse_loss,
        steps=steps,
        key=jax.random.key(seed),
        **options,
    )


def test_fit_finds_the_answer_and_reports_every_loss():
    seen = []
    model, history = run_fit(steps=203, on_step=lambda *report: seen.append(report))
    np.testing.assert_allclose([model.weight, model.bias], [2, 1], atol=1e-2)
    assert int(model.count) == 3 and model.activation is jax.nn.relu
    assert len(history.losses) == 203 and history.losses[-1] < 1e-3 < history.losses[0]
    assert [step for step, _ in seen] == [*range(10, 201, 10), 203]
    assert seen[3] == (40, history.losses[39])


def test_the_same_key_gives_the_same_bytes_however_the_steps_are_grouped():
    first, again, grouped, other = (
        run_fit(**options)[0] for options in ({}, {}, {"fetch_every": 7}, {"seed": 1})
    )
    for model in (again, grouped):
        assert (
            first.weight.tobytes() == model.weight.tobytes() and first.bias.tobytes() == model.bias.tobytes()
        )
    assert first.weight.tobytes() != other.weight.tobytes()


def test_the_callers_model_survives():
    model = Affine()
    run_fit(model=model)
    assert float(model.weight) == 0 and float(model.bias) == 0


def test_fit_stops_at_a_loss_that_is_not_finite():
    with pytest.raises(NumericsError, match=r"training loss at step \d+: got (nan|inf).*learning rate"):
        run_fit(optimizer=optax.sgd(1e6))


def test_an_interrupt_comes_through():
    def interrupt(step, loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_fit(on_step=interrupt)


def test_batch_statistics_see_the_shard_axis():
    class Norm(eqx.Module):
        norm: eqx.nn.BatchNorm

        def __call__(self, x, state):
            y, state = self.norm(x[SCALAR], state)
            return MultiImage({SCALAR: y}, x.D, x.is_torus), state

    norm, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(1, ["pmap_batch", "batch"], mode="batch")
    _, history = run_fit(steps=3, model=Norm(norm), aux_data=state)
    assert isinstance(history.aux_data, eqx.nn.State) and np.isfinite(history.losses).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"steps": 0}, "steps: got 0"), ({"batch_size": 0}, "batch_size"), ({"fetch_every": 0}, "fetch_every")],
)
def test_fit_refuses_sizes_that_are_not_positive(wrong, message):
    with pytest.raises(ArgumentError, match=message):
        run_fit(**({"optimizer": optax.adam(0.1)} | wrong))
