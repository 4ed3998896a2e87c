"""The one function that every training goes through."""

import dataclasses
import itertools

import jax
import numpy as np
import pytest
from ml.task.small_tasks import network, source, task_of
from ml.task.small_tasks import stored as stored_file

from ginjax.data import measure_normalisation
from ginjax.errors import FileError
from ginjax.ml import (
    RunFile,
    Saving,
    TrainSettings,
    initial_state,
    make_optimiser,
    make_window_task,
    train_model,
    training_key,
)
from ginjax.ml.training._order import training_keys
from ginjax.models import named_arrays

SETTINGS = TrainSettings(steps=9, batch_size=4, learning_rate=0.02, warmup=0.0, noise=0.1)


def bits(model):
    return {name: array.tobytes() for name, array in named_arrays(model).items()}


def whole_task(seed=0, **said):
    data = source(seed, **said)
    return make_window_task((data, None), None, None, measure_normalisation(data))


@pytest.fixture(scope="module")
def task():
    return whole_task()


@pytest.fixture(scope="module")
def left_alone(task):
    return train_model(network(task), task, SETTINGS)


# --- random numbers --------------------------------------------------------------------------------------------------


def descendants(key, depth=2, width=6):
    """The bits of a key, of what is folded into it and of what it splits into."""
    found = {tuple(np.asarray(jax.random.key_data(key)).tolist())}
    if depth:
        children = [jax.random.fold_in(key, i) for i in range(width)]
        children += [child for count in (2, 3, 5) for child in jax.random.split(key, count)]
        for child in children:
            found |= descendants(child, depth - 1, width)
    return found


@pytest.mark.parametrize("seed", [0, 1, 2**31])
def test_weights_order_and_noise_of_one_seed_share_no_random_numbers(seed):
    order, step = training_keys(training_key(seed))
    families = {
        "weights": descendants(jax.random.key(seed)),
        "training": {tuple(np.asarray(jax.random.key_data(training_key(seed))).tolist())},
        "order": descendants(order),
        "noise": descendants(step),
    }
    for (one, ours), (other, theirs) in itertools.combinations(families.items(), 2):
        assert not ours & theirs, (one, other)


def test_one_key_for_all_would_share_them():
    order, step = training_keys(jax.random.key(0))
    assert descendants(jax.random.key(0)) & descendants(order)
    assert descendants(jax.random.key(0)) & descendants(step)


def test_seeds_have_keys_of_their_own():
    keys = {tuple(np.asarray(jax.random.key_data(training_key(seed))).tolist()) for seed in range(50)}
    assert len(keys) == 50


# --- steps -----------------------------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_bytes(task, left_alone):
    again = train_model(network(task), task, SETTINGS)
    assert bits(again.model) == bits(left_alone.model) != bits(network(task))
    other = train_model(network(task), task, dataclasses.replace(SETTINGS, seed=1))
    assert bits(other.model) != bits(left_alone.model)
    assert (left_alone.last, left_alone.reason, left_alone.progress.step) == (None, "steps", 9)
    assert left_alone.provenance() == left_alone.settings.to_json() | {"loss": "smse", "steps_done": 9}
    assert left_alone.settings == SETTINGS.resolved(1, len(task.train))


def test_steps_are_those_of_a_longer_training_that_was_ended(task, left_alone, tmp_path):
    """The learning rate falls over the steps asked for, whenever the training ends."""
    file = RunFile(tmp_path / "run", {})
    whole = train_model(network(task), task, SETTINGS, saving=Saving(file, every_steps=5))
    assert bits(whole.model) == bits(left_alone.model)
    at_five, progress = file.load(initial_state_like(task))
    assert progress.step == 5
    ended = train_model(network(task), task, SETTINGS, stop_after=5)
    assert (ended.progress.step, ended.settings.steps) == (5, 9)
    assert bits(ended.model) == bits(at_five.model)
    short = train_model(network(task), task, dataclasses.replace(SETTINGS, steps=5))
    assert bits(short.model) != bits(ended.model)
    resumed = train_model(network(task), task, SETTINGS, saving=Saving(file, resume=True))
    assert bits(resumed.model) == bits(left_alone.model) and resumed.progress.step == 9


def initial_state_like(task):
    settings = SETTINGS.resolved(1, len(task.train))
    optimiser = make_optimiser(
        settings.optimiser, settings.make_schedule(), weight_decay=settings.weight_decay, clip=settings.clip
    )
    return initial_state(network(task), optimiser)


def test_a_saved_state_that_is_not_gone_on_from_is_removed(task, tmp_path):
    file = RunFile(tmp_path / "run", {})
    train_model(network(task), task, SETTINGS, saving=Saving(file, every_steps=4), stop_after=4)
    seen = []
    train_model(
        network(task),
        task,
        SETTINGS,
        saving=Saving(file),
        on_begin=lambda progress: seen.append((progress.step, file.exists())),
        stop_after=1,
    )
    assert seen == [(0, False)]


def test_the_state_of_a_training_on_other_settings_is_refused(task, tmp_path):
    train_model(
        network(task),
        task,
        SETTINGS,
        saving=Saving(RunFile(tmp_path / "run", {"noise": 0.1}), every_steps=4),
    )
    with pytest.raises(FileError, match=r"`noise`: got 0\.2, expected 0\.1, as in the training of"):
        train_model(
            network(task),
            task,
            SETTINGS,
            saving=Saving(RunFile(tmp_path / "run", {"noise": 0.2}), resume=True),
        )


def test_an_interruption_ends_in_order(task):
    trained = train_model(network(task), task, SETTINGS, interrupted=lambda: True)
    assert trained.reason == "asked" and 1 <= trained.progress.step < 9


def test_validation_chooses_and_the_history_says_which(tmp_path):
    task = task_of(stored_file(tmp_path / "d.h5"))
    settings = dataclasses.replace(SETTINGS, learning_rate=0.5, validate_every=1)
    trained = train_model(network(task), task, settings)
    best = trained.progress.best_step
    assert trained.provenance()["best_step"] == best >= 1
    assert (trained.last is None) == (best == 9)
    unseen = dataclasses.replace(task, valid=None)
    assert bits(trained.model) == bits(train_model(network(task), unseen, settings, stop_after=best).model)
