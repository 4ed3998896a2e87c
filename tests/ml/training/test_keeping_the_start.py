"""A tuning that finds nothing better than the model it began with gives that model back."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from ml.task.small_tasks import network, source

from ginjax.data import measure_normalisation
from ginjax.ml import (
    KeptRows,
    OneStepError,
    RunFile,
    Saving,
    TrainSettings,
    curve_figure,
    finish_training,
    make_book,
    make_window_task,
    run_identity,
    start_from,
    train_again,
    train_model,
)
from ginjax.ml.training._result import kept_start_in_words, what_to_hear
from ginjax.ml.training._settings import LEARNING_RATE, TUNING_RATE
from ginjax.models import LoadedModel, named_arrays

ABSURD = TrainSettings(steps=6, batch_size=4, learning_rate=3.0, warmup=0.0, validate_every=2)
ABOUT = {"data": "noise"}


def bits(model):
    return {name: array.tobytes() for name, array in named_arrays(model).items()}


def cut(data, judge, parts=((0, 1, 2, 3), (4, 5), (6,))):
    train, valid, test = ((data, list(part)) if part else None for part in parts)
    return make_window_task(train, valid, test, measure_normalisation(data), judge=judge)


@pytest.fixture(scope="module")
def task():
    return cut(source(trajectories=7, frames=4), judge=True)


@pytest.fixture(scope="module")
def start(task):
    """A model that has learnt that nothing follows from white noise."""
    new = replace(task, judged=None)
    trained = train_model(network(task), new, TrainSettings(steps=60, batch_size=4, learning_rate=0.02))
    made = finish_training(trained, new, ABOUT)
    return start_from(LoadedModel(made.model, made.record))


@pytest.fixture(scope="module")
def tuned(task, start):
    return train_model(start.model, task, ABSURD)


def test_an_absurd_rate_leaves_the_model_as_it_was(task, start, tuned):
    assert tuned.kept_start and tuned.progress.best_step == 0
    assert bits(tuned.model) == bits(start.model)
    assert bits(tuned.last) != bits(start.model)
    made = finish_training(tuned, task, ABOUT, start)
    assert {name: a.tobytes() for name, a in made.record.arrays.items()} == bits(start.model)
    assert made.record.provenance[-1]["best_step"] == 0
    assert made.record.provenance[-1]["judged"] == str(task.judged)
    assert made.error == task.error(start.model)


def test_without_the_start_as_a_candidate_it_is_worse(task, start):
    """The control: the same steps, from which the last or the lowest loss after the first chooses."""
    for other in (replace(task, judged=None, valid=None), replace(task, judged=None)):
        worse = train_model(start.model, other, ABSURD)
        assert not worse.kept_start and bits(worse.model) != bits(start.model)
        assert task.error(worse.model).model > 1.05 * task.error(start.model).model


def test_what_is_said_is_true(task, tuned):
    said = kept_start_in_words(tuned, task.judged)
    assert said == (
        "the tuning, looked at 3 times, never made the model better by a tenth (judged by one step and rollouts of 3 steps on 2 of 7 "
        "trajectories given for training, which are not trained on): the weights are those it began with, bit for bit"
    )
    assert tuned.progress.looks == 3
    once = replace(tuned, progress=replace(tuned.progress, looks=1, misses=1))
    assert "looked at once" in kept_start_in_words(once, task.judged)


def test_a_start_that_is_kept_is_not_laid_to_the_tuning():
    bad = OneStepError(model=1.2, persistence=1.0)
    assert what_to_hear(bad, bad, kept_start=True).startswith("that model does no better than")
    assert what_to_hear(bad, bad).startswith("the network does no better than predicting no change: train")
    good = OneStepError(model=0.2, persistence=1.0)
    assert what_to_hear(good, good, kept_start=True) is None
    mean = OneStepError(1.0, 1.4)  # fields that change more in a step than they differ from their mean
    assert (mean.learned, bad.learned, good.learned) == (False, False, True)
    assert (what_to_hear(mean) or "").startswith(
        "the network does no better than predicting the mean of the fields"
    )


def test_a_tuning_that_helps_is_taken(task):
    begun = network(task)
    helped = train_model(begun, task, replace(ABSURD, learning_rate=0.02, steps=30, validate_every=10))
    assert helped.progress.best_step > 0 and not helped.kept_start
    assert task.error(helped.model).model < task.error(begun).model


def test_an_interrupted_tuning_remembers_its_start(task, start, tuned, tmp_path):
    file = RunFile(tmp_path / "run", {})
    train_model(start.model, task, ABSURD, saving=Saving(file, every_steps=2), stop_after=4)
    resumed = train_model(start.model, task, ABSURD, saving=Saving(file, resume=True))
    assert resumed.kept_start and resumed.progress.step == 6
    assert (resumed.progress.best_loss, resumed.progress.looks) == (tuned.progress.best_loss, 3)
    assert (resumed.progress.lowest_loss, resumed.progress.misses) == (
        tuned.progress.lowest_loss,
        tuned.progress.misses,
    )
    assert bits(resumed.model) == bits(start.model) and bits(resumed.last) == bits(tuned.last)


def test_a_state_that_was_judged_otherwise_is_another_training(task, start):
    names = [run_identity(each, ABOUT, {}, start, "net") for each in (task, replace(task, judged=None))]
    assert names[0].keys() - names[1].keys() == {"judged"}


def test_the_log_and_the_curve_begin_at_step_0(task, start):
    kept, settings = KeptRows(), ABSURD.resolved(1, len(task.train), tuning=True)
    book = make_book(settings, [kept])
    train_model(start.model, task, settings, on_report=book.note)
    book.close(6, 1.0)
    looks = [row["step"] for row in kept.rows if "validation" in row]
    assert looks == [0, 2, 4, 6]
    axes = curve_figure("tuning", kept.rows, best_step=0).axes
    assert axes[0].get_ylabel() == "loss, error"
    untold = [row for row in kept.rows if row["step"]]
    assert curve_figure("training", untold).axes[0].get_ylabel() == "loss"


def test_a_training_from_random_weights_has_no_such_candidate(task):
    new = replace(task, judged=None)
    trained = train_model(network(task), new, ABSURD)
    assert trained.progress.best_step > 0
    assert bits(trained.model) == bits(train_model(network(task), new, ABSURD).model)


def test_one_trajectory_is_judged_at_its_end():
    data = source(trajectories=1, frames=9)
    task = cut(data, True, ((0,), (), ()))
    begun = network(task)
    wild = train_model(begun, task, ABSURD)
    assert wild.kept_start or wild.progress.best_loss < np.inf
    assert task.judged.at_ends
    unjudged = cut(data, False, ((0,), (), ()))
    assert len(unjudged.train) == 8 and len(task.train) == 6


def test_tunings_have_a_rate_and_looks_of_their_own():
    settings = TrainSettings(steps=100)
    assert settings.resolved(3, 9, tuning=True).learning_rate == TUNING_RATE < LEARNING_RATE
    assert settings.resolved(3, 9).learning_rate == LEARNING_RATE
    asked = dataclasses.replace(settings, learning_rate=0.5)
    assert asked.resolved(3, 9, tuning=True).learning_rate == 0.5
    assert (settings.looks_every(), settings.looks_every(tuning=True)) == (5, 10)
    assert dataclasses.replace(settings, validate_every=7).looks_every(tuning=True) == 7
    timed = TrainSettings(seconds=100.0)  # where no number of steps says when, a time does
    assert (timed.looks_every(), timed.looks_seconds(), timed.looks_seconds(tuning=True)) == (None, 5.0, 10.0)
    assert dataclasses.replace(timed, validate_every=7).looks_every() == 7
    for other in (
        dataclasses.replace(timed, validate_every=7),
        dataclasses.replace(timed, steps=9),
        settings,
    ):
        assert other.looks_seconds() is None


def test_the_baseline_of_a_tuning_is_not_held_back_by_its_rate(task, start):
    new = replace(task, judged=None, valid=None)
    gentle = finish_training(
        train_model(start.model, task, replace(ABSURD, learning_rate=1e-5)), task, ABOUT, start
    )
    step = dict(gentle.record.provenance[-1])
    again = train_again(gentle.record, new, step)
    assert again.settings.learning_rate == LEARNING_RATE and again.progress.step == 6
    faster = train_again(gentle.record, new, step | {"learning_rate": 0.5})
    assert faster.settings.learning_rate == 0.5
