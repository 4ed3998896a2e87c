"""Training by epochs on a linear model whose answer is known."""

import inspect
import os
import subprocess
import sys
import types

import equinox as eqx
import helpers
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ginjax import ml
from ginjax.errors import ArgumentError, NumericsError, UnsupportedError
from ginjax.geometric import MultiImage
from ginjax.ml.training._order import EpochOrder

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


def run_train(stop, seed=0, model=None, samples=10, **options):
    options = {"optimizer": optax.adam(0.1), "batch_size": 4} | options
    model = Affine() if model is None else model
    return ml.train(*data(samples), map_and_loss, model, jax.random.key(seed), stop, **options)


def test_the_same_key_gives_the_same_bytes():
    first, again, other = (run_train(ml.EpochStop(5), seed)[0] for seed in (1, 1, 2))
    assert first.weight.tobytes() == again.weight.tobytes()
    assert first.bias.tobytes() == again.bias.tobytes()
    assert first.weight.tobytes() != other.weight.tobytes()


def test_the_callers_model_survives():
    model = Affine()
    run_train(ml.EpochStop(2), model=model)
    assert float(model.weight) == 0 and float(model.bias) == 0


def test_train_stops_at_a_loss_that_is_not_finite():
    with pytest.raises(NumericsError, match=r"training loss at step \d+: got (nan|inf).*learning rate"):
        run_train(ml.EpochStop(20), optimizer=optax.sgd(1e6))


def test_train_stops_at_a_validation_loss_that_is_not_finite():
    X, Y = data()
    with pytest.raises(NumericsError, match="validation loss at step 3"):
        run_train(ml.EpochStop(2), validation_X=X, validation_Y=Y * float("nan"))


def test_train_returns_model_state_and_losses(tmp_path):
    epochs = []
    X, Y = data(5, seed=1)
    model, aux_data, train_loss, val_loss, seconds = run_train(
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
    assert seconds > 0
    np.testing.assert_allclose([model.weight, model.bias], [2, 1], atol=0.05)
    assert ml.load(tmp_path / "model.safetensors", Affine()).weight == model.weight
    np.testing.assert_allclose(val_loss, ml.map_loss_in_batches(map_and_loss, model, X, Y, 5), rtol=1e-5)
    np.testing.assert_allclose(val_loss, ml.map_loss_in_batches(map_and_loss, model, X, Y, 2), rtol=1e-4)


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
    model, *rest = run_train(ml.EpochStop(0))
    assert float(model.weight) == 0
    assert rest == [None, None, None, 0.0]


def test_an_epoch_is_the_steps_of_its_order():
    X, Y = data()
    model, *_ = run_train(ml.EpochStop(3), seed=5)
    by_hand = ml.initial_state(Affine(), optax.adam(0.1))
    step = ml.make_step(map_and_loss, optax.adam(0.1))
    weights, opt_state = by_hand.model, by_hand.opt_state
    order_key, _ = jax.random.split(jax.random.key(5))
    for batch in EpochOrder(order_key, 10, 4).between(0, 9):
        weights, opt_state, *_ = step(weights, opt_state, X.get_subset(batch), Y.get_subset(batch))
    np.testing.assert_allclose([model.weight, model.bias], [weights.weight, weights.bias], rtol=1e-6)


def test_arguments_by_position_are_those_of_upstream():
    names = list(inspect.signature(ml.train).parameters)
    assert names[:8] == [
        *("X", "Y", "map_and_loss", "model", "rand_key", "stop_condition", "batch_size", "optimizer")
    ]
    assert names[8:15] == [
        *("validation_X", "validation_Y", "val_map_and_loss", "save_model", "devices", "aux_data", "is_wandb")
    ]
    assert names[15:] == ["progress"]
    X, Y = data()
    one = ml.train(
        *(X, Y, map_and_loss, Affine(), jax.random.key(0), ml.EpochStop(2), 4, optax.adam(0.1)),
        *(X, Y, map_and_loss, None, None, None, False),
    )
    two = run_train(ml.EpochStop(2), validation_X=X, validation_Y=Y)
    assert len(one) == 5 and one[2:4] == two[2:4]


def test_a_validation_loss_of_its_own_is_used_for_validation_only():
    X, Y = data(6, seed=1)

    def of_validation(model, x, y, aux_data):
        loss, aux_data = map_and_loss(model, x, y, aux_data)
        return loss + 1000, aux_data

    plain, other = (
        run_train(ml.EpochStop(3), validation_X=X, validation_Y=Y, val_map_and_loss=each)
        for each in (None, of_validation)
    )
    assert other[2] == plain[2] and float(other[0].weight) == float(plain[0].weight)
    np.testing.assert_allclose(other[3] - plain[3], 1000, atol=1e-3)


def test_any_stop_in_a_training_keeps_the_model_of_its_first_condition():
    losses = []
    diverging = {"optimizer": optax.sgd(1.3), "samples": 4}
    stop = ml.AnyStop([ml.TrainLoss(patience=99), ml.EpochStop(4)])
    kept, *_ = run_train(stop, progress=lambda epoch, loss, _: losses.append(loss), **diverging)
    best = int(np.argmin(losses)) + 1
    assert len(losses) == 4 and best < 4
    of_first, of_second = (float(run_train(ml.EpochStop(n), **diverging)[0].weight) for n in (best, 4))
    assert float(kept.weight) == of_first != of_second


def test_losses_go_to_the_active_run_of_wandb(monkeypatch):
    logged = []
    library = types.SimpleNamespace(run=object(), log=logged.append)
    monkeypatch.setitem(sys.modules, "wandb", library)
    X, Y = data()
    epochs = []
    run_train(ml.EpochStop(2))
    assert not logged
    told = lambda epoch, *losses: epochs.append(losses)  # noqa: E731
    run_train(ml.EpochStop(2), validation_X=X, validation_Y=Y, is_wandb=True, progress=told)
    assert [(row["train/loss"], row["val/loss"]) for row in logged] == epochs and len(epochs) == 2
    run_train(ml.EpochStop(1), is_wandb=True)
    assert set(logged[-1]) == {"train/loss"}
    library.run = None
    with pytest.raises(ArgumentError, match=r"is_wandb: got no active run.*wandb.init"):
        run_train(ml.EpochStop(1), is_wandb=True)
    monkeypatch.setitem(sys.modules, "wandb", None)  # what an import of nothing finds
    with pytest.raises(UnsupportedError, match=r"no library 'wandb'.*pip install 'wandb>=0\.19'$"):
        run_train(ml.EpochStop(1), is_wandb=True)
    run_train(ml.EpochStop(1))


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


def test_a_loss_may_ask_for_its_shard():
    X, Y = data(2)

    def shifted(model, x, y, aux_data):
        loss, aux_data = map_and_loss(model, x, y, aux_data)
        return loss + jax.lax.axis_index("pmap_batch") + jax.lax.psum(1, "pmap_batch"), aux_data

    losses = [ml.make_eval_step(each)(Affine(), X, Y) for each in (map_and_loss, shifted)]
    np.testing.assert_allclose(losses[1], losses[0] + 1, rtol=1e-6)


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


SEVERAL_DEVICES = """
import sys
sys.path[:0] = sys.argv[1:]
import jax, numpy as np, optax, test_epochs as t
from ginjax import ml

assert len(jax.devices()) == 4
one = t.run_train(ml.EpochStop(3), devices=jax.devices()[:1])[0]
seen = []

def watched(model, x, y, aux_data):
    seen.append(len(x[t.SCALAR]))
    return t.map_and_loss(model, x, y, aux_data)

X, Y = t.data(7, seed=1)
# As many devices as divide the batch: four of four, three of six, one of five; ten samples are fewer than 99.
for batch, count, part in ((4, 4, 1), (6, 3, 2), (5, 1, 5), (99, 2, 5)):
    seen.clear()
    model, _, _, loss, _ = ml.train(
        *t.data(), watched, t.Affine(), jax.random.key(0), ml.EpochStop(3), batch, optax.adam(0.1), X, Y,
        t.map_and_loss,
    )
    assert (len(model.weight.devices()), seen) == (count, [part]), (batch, model.weight.devices(), seen)
    np.testing.assert_allclose(loss, ml.map_loss_in_batches(t.map_and_loss, model, X, Y, 7), rtol=1e-5)
    if batch == 4:
        np.testing.assert_allclose([one.weight, one.bias], [model.weight, model.bias], rtol=1e-5)
other = t.run_train(ml.EpochStop(3), devices=jax.devices()[3:])[0]
assert other.weight.devices() == {jax.devices()[3]}
assert other.weight.tobytes() == one.weight.tobytes()
try:
    t.run_train(ml.EpochStop(3), devices=jax.devices()[:3])  # asked for: nothing is left out silently
except ValueError as error:
    assert "positive multiple of 3" in str(error)
else:
    raise AssertionError
"""


def test_all_devices_that_divide_the_batch_are_used():
    code = [sys.executable, "-c", SEVERAL_DEVICES, *map(os.path.dirname, (__file__, helpers.__file__))]
    subprocess.run(code, check=True, env=os.environ | helpers.devices(4))
