"""Both training loops on a linear model whose answer is known."""

import os
import subprocess
import sys

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
        y = MultiImage({SCALAR: self.weight * x[SCALAR] + self.bias}, x.D, x.is_torus)
        return y, None if aux_data is None else aux_data + 1


def data(samples=10, seed=0):
    x = np.random.default_rng(seed).standard_normal((samples, 1, 4)).astype(np.float32)
    return MultiImage({SCALAR: jnp.asarray(x)}, 1), MultiImage({SCALAR: jnp.asarray(2 * x + 1)}, 1)


map_and_loss = ml.batched(ml.smse_loss)


def run_fit(steps=60, seed=0, samples=10, model=None, **options):
    options = {"optimizer": ml.adamw_cosine(steps, learning_rate=0.2), "batch_size": 4} | options
    return ml.fit(
        Affine() if model is None else model,
        *data(samples),
        loss=ml.smse_loss,
        steps=steps,
        key=jax.random.key(seed),
        **options,
    )


def run_train(stop, seed=0, model=None, samples=10, **options):
    options = {"optimizer": optax.adam(0.1), "batch_size": 4} | options
    model = Affine() if model is None else model
    return ml.train(*data(samples), map_and_loss, model, jax.random.key(seed), stop, **options)


def test_fit_finds_the_answer_and_reports_every_loss():
    seen = []
    model, history = run_fit(steps=203, on_step=lambda *report: seen.append(report))
    np.testing.assert_allclose([model.weight, model.bias], [2, 1], atol=1e-2)
    assert int(model.count) == 3 and model.activation is jax.nn.relu
    assert len(history.losses) == 203 and history.losses[-1] < 1e-3 < history.losses[0]
    assert [step for step, _ in seen] == [*range(10, 201, 10), 203]
    assert seen[3] == (40, history.losses[39])


@pytest.mark.parametrize("run", [run_fit, lambda seed=0: run_train(ml.EpochStop(5), seed)])
def test_the_same_key_gives_the_same_bytes(run):
    first, again, other = (run(seed=seed)[0] for seed in (1, 1, 2))
    assert first.weight.tobytes() == again.weight.tobytes()
    assert first.bias.tobytes() == again.bias.tobytes()
    assert first.weight.tobytes() != other.weight.tobytes()


@pytest.mark.parametrize("run", [run_fit, lambda model: run_train(ml.EpochStop(2), model=model)])
def test_the_callers_model_survives(run):
    model = Affine()
    run(model=model)
    assert float(model.weight) == 0 and float(model.bias) == 0


def test_fit_stops_at_a_loss_that_is_not_finite():
    with pytest.raises(NumericsError, match=r"training loss at step \d+: got (nan|inf).*learning rate"):
        run_fit(optimizer=optax.sgd(1e6))


def test_train_stops_at_a_loss_that_is_not_finite():
    with pytest.raises(NumericsError, match=r"training loss at step \d+: got (nan|inf).*learning rate"):
        run_train(ml.EpochStop(20), optimizer=optax.sgd(1e6))


def test_train_stops_at_a_validation_loss_that_is_not_finite():
    X, Y = data()
    with pytest.raises(NumericsError, match="validation loss at step 3"):
        run_train(ml.EpochStop(2), validation_X=X, validation_Y=Y * float("nan"))


def test_an_interrupt_comes_through():
    def interrupt(step, loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_fit(on_step=interrupt)


def test_train_returns_model_state_and_losses(tmp_path):
    epochs = []
    X, Y = data(5, seed=1)
    model, aux_data, train_loss, val_loss = run_train(
        ml.EpochStop(40),
        validation_X=X,
        validation_Y=Y,
        aux_data=jnp.array(0),
        save_model=tmp_path / "model.safetensors",
        progress=lambda *report: epochs.append(report),
    )
    # Ten samples in batches of four: three steps an epoch.
    assert int(aux_data) == 120
    assert [epoch for epoch, _, _ in epochs] == list(range(1, 41))
    assert epochs[-1] == (40, train_loss, val_loss)
    np.testing.assert_allclose([model.weight, model.bias], [2, 1], atol=0.05)
    assert ml.load(tmp_path / "model.safetensors", Affine()).weight == model.weight
    np.testing.assert_allclose(val_loss, ml.evaluate(model, X, Y, map_and_loss, 5), rtol=1e-5)
    np.testing.assert_allclose(val_loss, ml.evaluate(model, X, Y, map_and_loss, 2), rtol=1e-4)


class KeepSecond(ml.StopCondition):
    """Keeps the model of the second epoch and stops after the fourth."""

    def stop(self, model, current_epoch, train_loss, val_loss, epoch_time):
        if current_epoch == 2:
            self.best_model = model
        return current_epoch == 4


def test_train_returns_the_chosen_model_and_the_state_that_belongs_to_it():
    kept, aux_data, *_ = run_train(KeepSecond(), aux_data=jnp.array(0))
    second, _, *_ = run_train(ml.EpochStop(2))
    assert int(aux_data) == 6  # three steps an epoch
    assert float(kept.weight) == float(second.weight)  # and readable: later steps did not take its memory


def test_no_epoch_returns_the_model_as_it_was():
    model, aux_data, train_loss, val_loss = run_train(ml.EpochStop(0))
    assert float(model.weight) == 0
    assert (aux_data, train_loss, val_loss) == (None, None, None)


def test_nothing_recompiles_for_the_last_batch():
    traces = []

    def counted(model, x, y, aux_data):
        traces.append(x[SCALAR].shape)
        return map_and_loss(model, x, y, aux_data)

    ml.train(*data(10), counted, Affine(), jax.random.key(0), ml.EpochStop(3), 4, optax.adam(0.1))
    assert traces == [(4, 1, 4)]


def test_a_gradient_step_by_hand():
    # L = mean (w x + b - y)^2 over pixels at w = b = 0: dL/dw = -2 mean(x y), dL/db = -2 mean(y).
    X, Y = data(2)
    x, y = np.asarray(X[SCALAR], np.float64), np.asarray(Y[SCALAR], np.float64)
    step = ml.make_step(map_and_loss, optax.sgd(0.5))
    model = ml.owned_copy(Affine())
    new, _, loss, _ = step(model, optax.sgd(0.5).init(ml.trainable(model)), X, Y)
    np.testing.assert_allclose(loss, (y**2).mean(), rtol=1e-5)
    np.testing.assert_allclose([new.weight, new.bias], [(x * y).mean(), y.mean()], rtol=1e-5)


def test_integer_leaves_are_not_trainable():
    assert [leaf.shape for leaf in jax.tree.leaves(ml.trainable(Affine()))] == [(), ()]


def test_batch_statistics_see_the_shard_axis():
    class Norm(eqx.Module):
        norm: eqx.nn.BatchNorm

        def __call__(self, x, state):
            y, state = self.norm(x[SCALAR], state)
            return MultiImage({SCALAR: y}, x.D, x.is_torus), state

    norm, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(1, ["pmap_batch", "batch"], mode="batch")
    _, history = run_fit(steps=3, model=Norm(norm), aux_data=state)
    assert isinstance(history.aux_data, eqx.nn.State) and np.isfinite(history.losses).all()


def test_a_loss_may_ask_for_its_shard():
    X, Y = data(2)

    def shifted(model, x, y, aux_data):
        loss, aux_data = map_and_loss(model, x, y, aux_data)
        return loss + jax.lax.axis_index("pmap_batch") + jax.lax.psum(1, "pmap_batch"), aux_data

    losses = [ml.make_eval_step(each)(Affine(), X, Y) for each in (map_and_loss, shifted)]
    np.testing.assert_allclose(losses[1], losses[0] + 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"steps": 0}, "steps: got 0"), ({"batch_size": 0}, "batch_size"), ({"fetch_every": 0}, "fetch_every")],
)
def test_fit_refuses_sizes_that_are_not_positive(wrong, message):
    with pytest.raises(ArgumentError, match=message):
        run_fit(**({"optimizer": optax.adam(0.1)} | wrong))


def test_train_refuses_what_does_not_fit():
    X, _ = data()
    with pytest.raises(ArgumentError, match="validation data"):
        run_train(ml.EpochStop(1), validation_X=X)
    with pytest.raises(ArgumentError, match=r"loss of map_and_loss.*scalar"):
        ml.train(
            *data(),
            lambda model, x, y, aux: (ml.smse_loss(jax.vmap(model)(x)[0], y, reduce=None), aux),
            Affine(),
            jax.random.key(0),
            ml.EpochStop(1),
            4,
            optax.adam(0.1),
        )


@pytest.mark.slow
def test_two_devices_give_the_result_of_one():
    code = (
        "import jax, numpy as np, test_train as t; from ginjax import ml\n"
        "one = t.run_train(ml.EpochStop(3))[0]\n"
        "two = t.run_train(ml.EpochStop(3), devices=jax.devices()[:2])[0]\n"
        "assert len(two.weight.devices()) == 2\n"
        "np.testing.assert_allclose([one.weight, one.bias], [two.weight, two.bias], rtol=1e-5)\n"
    )
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    here = os.path.dirname(__file__)
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | flags | {"PYTHONPATH": here})
