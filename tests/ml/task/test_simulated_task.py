import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import S, bank

from ginjax.data import Field, MemorySource, Normalisation
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature
from ginjax.ml import (
    HELD_OUT_OFFSET,
    TRAIN_TRAJECTORIES,
    TrainSettings,
    make_task,
    make_window_task,
    nrmse_loss,
    one_step_error,
    predict,
    train_model,
)
from ginjax.models import SimpleConvSeries, named_arrays

PAIRS = 6


@pytest.fixture(scope="module")
def task():
    return make_task("diffusion", 1, trajectories=3, frames=2, side=8)


def persistence(x):
    return x, None


def model(seed=0):
    return SimpleConvSeries(S, S, bank(1), 2, 2, "auto", "tanh", jax.random.key(seed))


def test_a_task_is_all_pairs_of_consecutive_frames(task):
    assert task.X[0, 0].shape == task.Y[0, 0].shape == (PAIRS, 1, 8)
    assert task.signature == Signature([((0, 0), 1)])
    physical = task.normalisation.invert(task.Y)[0, 0].reshape(3, 2, 8)
    np.testing.assert_allclose(physical, task.trajectories.fields["density"][:, 1:], rtol=1e-5, atol=1e-6)
    x, y = (np.asarray(z[0, 0]).reshape(3, 2, 8) for z in (task.X, task.Y))
    np.testing.assert_array_equal(x[:, 1], y[:, 0])
    assert np.abs(x[:, 0] - y[:, 0]).max() > 0.01


def test_the_same_seed_gives_the_same_task(task):
    again = make_task("diffusion", 1, trajectories=3, frames=2, side=8)
    other = make_task("diffusion", 1, trajectories=3, frames=2, side=8, seed=HELD_OUT_OFFSET)
    assert np.asarray(again.X[0, 0]).tobytes() == np.asarray(task.X[0, 0]).tobytes()
    assert np.asarray(other.X[0, 0]).tobytes() != np.asarray(task.X[0, 0]).tobytes()


def test_another_task_can_share_the_normalisation(task):
    shared = make_task(
        "diffusion", 1, trajectories=2, frames=1, side=8, seed=7, normalisation=task.normalisation
    )
    assert shared.normalisation is task.normalisation
    assert shared.X.get_L() == 2


def test_what_a_file_says_about_the_data(task):
    contract = task.contract
    assert contract.inputs == contract.predicted == (Field("density", 0, 0, "1"),)
    assert contract.origin["equation"] == "diffusion"
    assert (contract.spacing, contract.time_step) == (task.trajectories.spacing, task.trajectories.time_step)
    assert Normalisation.of_contract(contract) == task.normalisation


def test_predicting_no_change_is_the_yardstick(task):
    error = one_step_error(persistence, task, batch_size=4)
    assert error.model == pytest.approx(error.persistence, rel=1e-5)
    assert error.persistence == pytest.approx(float(nrmse_loss(task.X, task.Y)))
    assert 0 < error.persistence < 1


def test_the_error_does_not_depend_on_the_batches(task):
    network = model()
    errors = [one_step_error(network, task, batch_size=size).model for size in (1, 4, PAIRS, 100)]
    np.testing.assert_allclose(errors, errors[0], rtol=1e-5)

    def right(x):
        return MultiImage({key: jnp.zeros_like(block) for key, block in x.items()}, x.D, x.is_torus), None

    assert one_step_error(right, task).model == pytest.approx(1.0)


def test_prediction_is_the_model_on_each_sample(task):
    network = model()
    together = predict(network, task.X)
    alone = network(task.X.get_one(2, keepdims=False))[0]
    np.testing.assert_allclose(together[0, 0][2], alone[0, 0], rtol=1e-5, atol=1e-6)


def test_training_lowers_the_loss_and_repeats_itself(task):
    windows = make_window_task((MemorySource.of(task.trajectories), None), None, None, task.normalisation)
    settings = TrainSettings(steps=30, batch_size=1000, learning_rate=1e-2)
    histories = [[], []]
    a, b = (
        train_model(model(), windows, settings, on_report=lambda report: losses.extend(report.losses)).model  # noqa: B023 (called at once)
        for losses in histories
    )
    losses, again = histories
    assert losses == again and len(losses) == 30
    assert losses[-1] < losses[0] / 2
    assert all(
        x.tobytes() == y.tobytes()
        for x, y in zip(named_arrays(a).values(), named_arrays(b).values(), strict=True)
    )
    assert one_step_error(a, task).model < one_step_error(model(), task).model


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pde": "heat"}, "equation: got 'heat'"),
        ({"D": 4}, "dimension of the simulation"),
        ({"trajectories": 0}, "trajectories"),
        ({"frames": 0}, "steps"),
        ({"side": 3}, "side"),
        ({"seed": -1}, "seed"),
        ({"trajectories": 10**12}, "values"),
        ({"D": 3, "side": 10**6}, "values"),
    ],
)
def test_tasks_that_cannot_be_made(settings, message):
    with pytest.raises(ArgumentError, match=message):
        make_task(**{"pde": "diffusion", "D": 1, "trajectories": 2, "frames": 1} | settings)


def test_defaults_by_dimension():
    assert set(TRAIN_TRAJECTORIES) == {1, 2, 3}
