"""Training on parts of the grid: what it sees, what it compares, and that it can be gone on with."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml.task.small_tasks import DENSITY

from ginjax.data import Crops, MemorySource, Tiling, Trajectories, measure_normalisation
from ginjax.errors import ArgumentError, MemoryLimitError
from ginjax.ml import (
    KeptState,
    Objective,
    Saving,
    TrainSettings,
    build_network,
    make_window_task,
    train_model,
    validator,
)
from ginjax.ml.task import Crop, rollout_errors
from ginjax.ml.task._judged import judged_part
from ginjax.ml.training._cropped import smaller_crops, with_crop
from ginjax.ml.training._order import BatchOrder, CropOrder
from ginjax.ml.training._step_memory import StepMemory
from ginjax.ml.training._what_fits import ways_that_fit
from ginjax.models import Network, named_arrays

SIDE, CROP = 24, 6
SETTINGS = TrainSettings(steps=9, batch_size=4, crop=CROP, learning_rate=0.02, schedule="constant", noise=0.1)


def task_of(unroll=1, is_torus=True, residual=False):
    values = np.random.default_rng(0).normal(size=(3, 6, SIDE)).astype(np.float32)
    data = MemorySource.of(Trajectories((DENSITY,), {"density": values}, 1, 0.5, 0.1, is_torus))
    scales = measure_normalisation(data)
    parts = (data, [0, 1]), (data, [2]), None
    return make_window_task(*parts, scales, unroll=unroll, residual=residual)


def network(task, **settings):
    return build_network(
        Network("series", **{"channels": 2, "blocks": 1} | settings), task.contract, (SIDE,), 0
    )


@pytest.fixture(scope="module")
def task():
    return task_of()


@pytest.fixture(scope="module")
def left_alone(task):
    return train_model(network(task), dataclasses.replace(task, valid=None), SETTINGS)


def test_grid_points_of_a_sample(task):
    cropped = with_crop(network(task), task, SETTINGS)
    block = jax.tree.leaves(cropped.training.take(np.arange(1))[0])[0].shape[2]
    assert (task.points, cropped.points) == (SIDE, block) and CROP < block < SIDE


# --- the loss ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_torus", "residual"), [(True, False), (False, True)])
def test_the_loss_is_that_of_the_whole_field_on_the_tiles(is_torus, residual):
    whole = task_of(unroll=2, is_torus=is_torus, residual=residual)
    model = network(whole)
    task = with_crop(model, whole, dataclasses.replace(SETTINGS, unroll=2))
    crops, key = task.training, DENSITY.key
    assert isinstance(crops, Crops) and crops.tiling.halo == 2 and crops.tiling.block == (CROP + 4,)
    numbers = [0, len(crops) - 1, *(5 + n * len(crops) for n in range(1, 7))]
    # The predictions of the whole field, each from the one before it.
    windows, places = zip(*(crops.locate(number) for number in numbers), strict=True)
    x, y = (jax.tree.map(jnp.asarray, each) for each in whole.train.take(windows))
    losses = np.zeros(len(numbers))
    for step in range(2):
        predicted = jax.vmap(lambda sample: model(sample)[0])(x)
        error = np.asarray(predicted[key][:, 0] - y[key][:, step])
        for i, place in enumerate(places):
            losses[i] += np.square(crops.tiling.cut_tile(error[i], place, 0)).mean() / 2
        x = task.frames.next_input(x, predicted)
    objective = Objective(unroll=2, frames=task.frames)
    found, _ = objective(model, *crops.take(numbers), None)
    np.testing.assert_allclose(found, losses.mean(), rtol=1e-5)
    # Control: what one prediction depends on is not enough for two.
    less = Crops(whole.train, Tiling.of((SIDE,), crops.tiling.wraps, CROP, halo=1))
    assert abs(float(objective(model, *less.take(numbers), None)[0]) / losses.mean() - 1) > 1e-3


def test_the_validation_loss_is_that_of_whole_fields(task):
    model = network(task)
    cropped = with_crop(model, task, SETTINGS)
    objective = Objective(frames=task.frames)
    one, other = (validator(each.validation, objective, 4)(model, None) for each in (task, cropped))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    errors = [each.error(model) for each in (task, cropped)]
    np.testing.assert_allclose(errors[0].model, errors[1].model, rtol=1e-5)


def test_a_tuning_is_judged_by_the_same_numbers(task):
    model, crop = network(task), Crop.of(network(task), task.contract, CROP)
    judged = judged_part((task.train.source, [2]), task.normalisation, 1)
    assert judged is not None
    found = [
        rollout_errors(judged.rolls, judged.roll_indices, task.frames, crop=each)(model)
        for each in (None, crop)
    ]
    assert len(found[0]) == 5
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


# --- the order ---------------------------------------------------------------------------------------------------------


def test_every_step_draws_its_own_crops_and_always_the_same():
    key = jax.random.key(3)
    order, plain = CropOrder(key, 10, 4), BatchOrder(key, 10, 4)
    found = order.between(0, 6)
    np.testing.assert_array_equal(found % 10, plain.between(0, 6))
    assert (found >= 10).all() and len(np.unique(found)) == found.size
    np.testing.assert_array_equal(CropOrder(key, 10, 4).between(2, 5), found[2:5])
    assert (CropOrder(jax.random.key(4), 10, 4).between(0, 6) != found).any()


def test_going_on_is_one_training_bit_for_bit(task, left_alone):
    alone, state = dataclasses.replace(task, valid=None), KeptState()
    train_model(network(task), alone, dataclasses.replace(SETTINGS, steps=4), saving=Saving(state, keep=True))
    again = train_model(network(task), alone, SETTINGS, saving=Saving(state, resume=True))
    assert again.progress.step == 9 and left_alone.settings.crop == CROP
    for name, values in named_arrays(again.model).items():
        assert values.tobytes() == named_arrays(left_alone.model)[name].tobytes()
    other = train_model(network(task), alone, dataclasses.replace(SETTINGS, seed=1))
    assert other.progress.last_loss != left_alone.progress.last_loss


def test_an_epoch_sees_as_many_tiles_as_cover_the_grid(task, left_alone):
    samples = len(with_crop(network(task), task, SETTINGS).training)
    assert samples == 2 * 5 * SIDE // CROP
    assert dataclasses.replace(SETTINGS, steps=None, epochs=2.0).resolved(1, samples).steps == 20


# --- what fits, and what does not --------------------------------------------------------------------------------------


def test_smaller_crops_are_tried_until_one_fits(task):
    crops = smaller_crops(network(task), task, SETTINGS, 0.7)
    assert crops == [12, 6]  # of 24 points, 14 or 8 of which are read
    assert smaller_crops(network(task), task, SETTINGS, 0.4) == [6]
    assert smaller_crops(network(task, bias="mean"), task, SETTINGS, 0.7) == ()
    whole = StepMemory(0, 0, 100, 30)

    def measure(settings):
        return dataclasses.replace(whole, working=100 if settings.crop is None else 4 * settings.crop)

    hint = ways_that_fit(measure, TrainSettings(batch_size=1, remat=True), whole, crops=crops)
    assert hint == "It fits with `crop=6` (24 bytes); a smaller `batch_size` takes less too."


@pytest.mark.slow
def test_a_crop_that_fits_is_named(task, monkeypatch):
    settings, told = dataclasses.replace(SETTINGS, crop=None), []
    whole = dataclasses.replace(task, valid=None)
    for each in (settings, SETTINGS):
        train_model(network(task), whole, each, on_compiled=lambda memory, _: told.append(memory.working))
    assert told[1] < told[0]
    monkeypatch.setattr("ginjax.ml.training._step_memory._free", lambda placement: (told[0] + told[1]) // 2)
    with pytest.raises(MemoryLimitError, match=r"`crop=6` \("):
        train_model(network(task), whole, settings)


@pytest.mark.parametrize(
    ("crop", "network_", "kind", "message"),
    [
        (
            CROP,
            {"bias": "mean"},
            ArgumentError,
            "^`crop`: the network looks .* biases that are multiples of means",
        ),
        (22, {}, ArgumentError, "`crop`: got 22, which with a halo of 1 pixels, .* is the whole grid of 24"),
        (
            200,
            {},
            ArgumentError,
            "`crop`: got 200, which with a halo of 1 pixels, .* is the whole grid of 24",
        ),
        ({"y": 4}, {}, ArgumentError, "`crop` of axis 'y': got no such axis, expected x"),
    ],
)
def test_crops_that_cannot_be_are_refused(task, crop, network_, kind, message):
    with pytest.raises(kind, match=message):
        train_model(network(task, **network_), task, dataclasses.replace(SETTINGS, crop=crop))


@pytest.mark.parametrize("crop", [8, {"x": 8}, (("z", 4), ("x", 8))])
def test_crops_survive_json(crop):
    settings = TrainSettings(crop=crop)
    assert TrainSettings.from_json(settings.to_json()) == settings
    assert TrainSettings(crop={"x": 8, "z": 4}) == TrainSettings(crop={"z": 4, "x": 8})


@pytest.mark.parametrize("crop", [0, -3, 2.5, "x", True, {}, {"x": 0}, {"x": 2.0}, [("x", 4), ("x", 5)], [3]])
def test_other_crops_are_refused(crop):
    with pytest.raises(ArgumentError, match="`crop`"):
        TrainSettings(crop=crop)
