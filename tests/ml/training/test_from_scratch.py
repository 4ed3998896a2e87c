"""The baseline is trained as the model was: as many steps, at the same rates, on the same data."""

import dataclasses
import itertools
import shutil
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from ml.task.small_tasks import READ, network, stored, task_of, trained_record

from ginjax.checkpoint import parts_to_json, read_model, write_model
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    TrainSettings,
    finish_training,
    last_training,
    train_again,
    train_model,
    training_task,
)
from ginjax.ml.training import _clock
from ginjax.models import named_arrays

FROZEN = "layers.0.conv.bias.k0p0"
FAST = TrainSettings(batch_size=4, learning_rate=0.02, warmup=0.0)


def bits(arrays):
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("scratch") / "d.h5")


@pytest.fixture(scope="module")
def record(path):
    return trained_record(path)


@contextmanager
def clock():
    """Every look at it takes a second, so that a budget ends after as many steps on every machine."""
    ticks = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_clock, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
        yield


@pytest.fixture
def record_of(path, tmp_path):
    def make(settings, valid=True):
        """A model file as `ginjax train` writes it, read back."""
        task = task_of(path)
        task = task if valid else dataclasses.replace(task, valid=None)
        made = finish_training(
            train_model(network(task, settings.seed), task, settings), task, {"data": path.name}
        )
        write_model(tmp_path / "m", made.record)
        return read_model(tmp_path / "m")

    return make


@pytest.mark.parametrize("steps", [400, None], ids=["steps and a budget", "a budget alone"])
def test_a_run_ended_by_time_has_a_baseline_as_long_at_the_same_rates(record_of, path, steps):
    with clock():
        record = record_of(dataclasses.replace(FAST, steps=steps, seconds=20.0, seed=3), valid=False)
    written = record.provenance[-1]
    done = written["steps_done"]
    assert 1 < done < 40
    assert (written.get("steps"), written["schedule"]) == (steps, "constant" if steps is None else "cosine")
    last = last_training(record)
    assert last["steps_done"] == done
    again = train_again(record, training_task(record, last, path, READ), last)
    assert again.progress.step == done
    assert bits(named_arrays(again.model)) == bits(record.arrays)
    # The control: as many steps at the rates of a training of just that length.
    other = train_again(
        record, training_task(record, last, path, READ), last | {"steps": done, "schedule": "linear"}
    )
    assert bits(named_arrays(other.model)) != bits(record.arrays)


def test_a_run_that_patience_ended_is_repeated_to_its_end_whatever_was_best(record_of, path):
    wild = dataclasses.replace(FAST, steps=40, learning_rate=1.0, validate_every=1, patience=0)
    record = record_of(wild)
    last = last_training(record)
    assert last["best_step"] < last["steps_done"] < 40
    task = training_task(record, last, path, READ)
    again = train_again(record, task, last)
    assert (again.progress.step, again.reason, again.progress.best_step) == (last["steps_done"], "steps", -1)


def test_what_was_frozen_is_trained_in_the_baseline(record_of, path):
    record = record_of(dataclasses.replace(FAST, steps=3, freeze=(FROZEN,)))
    last = last_training(record)
    assert last["freeze"] == [FROZEN]
    again = train_again(record, training_task(record, last, path, READ), last)
    start = named_arrays(network(task_of(path)))
    frozen = [name for name in start if name.startswith(FROZEN)]
    assert frozen and all(record.arrays[name].tobytes() == start[name].tobytes() for name in frozen)
    assert any(np.abs(named_arrays(again.model)[name] - start[name]).max() > 0 for name in frozen)


def test_the_baseline_reports_its_steps(record_of, path):
    record = record_of(dataclasses.replace(FAST, steps=3))
    last, seen = last_training(record), []
    train_again(
        record, training_task(record, last, path, READ), last, progress=lambda done, loss: seen.append(done)
    )
    assert seen[-1] == 3 and seen == sorted(seen)


# --- the data ----------------------------------------------------------------------------------------------------------


def test_the_same_data_under_another_name(record, path, tmp_path):
    shutil.copy(path, tmp_path / "renamed.h5")
    task = training_task(record, last_training(record), tmp_path / "renamed.h5", READ)
    expected = task_of(path).train.trajectories
    assert sorted(task.train.trajectories) == sorted(expected) and len(expected) == 8
    assert (task.valid, task.test) == (None, None)


def test_other_data_are_refused_under_whatever_name(record, path, tmp_path):
    other = stored(tmp_path / path.name, seed=9)
    with pytest.raises(ArgumentError, match=r"data to train on from scratch: got d\.h5, other data than"):
        training_task(record, last_training(record), other, READ)
    with pytest.raises(ArgumentError, match=r"training from scratch: got no data, expected d\.h5, the data"):
        training_task(record, last_training(record), None, READ)


def test_only_the_newest_training_is_done_again(record, path, tmp_path):
    """Tuned on other data since: the first ones are refused, though the model remembers them."""
    other = stored(tmp_path / "b.h5", seed=9)
    newest = trained_record(other)
    step = {"step": "tune", "trained_before": parts_to_json(record.contract.parts), "steps_done": 1}
    tuned = dataclasses.replace(record, contract=newest.contract).with_step(**step)
    task = training_task(tuned, last_training(tuned), other, READ)
    assert sorted(task.train.trajectories) == list(newest.contract.parts["train"].trajectories)
    with pytest.raises(ArgumentError, match="other data than those of the model's newest training"):
        training_task(tuned, last_training(tuned), path, READ)


def test_a_folder_with_parts_is_trained_on_its_own_training_part(path, tmp_path):
    """Also for a model of an earlier version, which knows its data by their name alone."""
    for part in ("train", "test"):
        (tmp_path / "folder" / part).mkdir(parents=True)
        stored(tmp_path / "folder" / part / "d.h5", seed=len(part))
    record = trained_record(tmp_path / "folder")
    assert record.contract.parts["train"].trajectories is None
    earlier = dataclasses.replace(record, contract=dataclasses.replace(record.contract, parts={}))
    for each in (record, earlier):
        task = training_task(each, last_training(each), tmp_path / "folder", READ)
        assert len(task.train.trajectories) == 10
    (tmp_path / "folder" / "train" / "d.h5").unlink()
    stored(tmp_path / "folder" / "train" / "d.h5", seed=1)
    with pytest.raises(ArgumentError, match="data to train on from scratch"):
        training_task(record, last_training(record), tmp_path / "folder", READ)


# --- the history -------------------------------------------------------------------------------------------------------


def test_the_newest_training_counts(record):
    longer = record.with_step(step="convert").with_step(step="tune", steps_done=7, steps=9)
    assert last_training(longer)["steps_done"] == 7
    # Earlier versions wrote the steps asked for, and no others where all were done.
    assert last_training(record.with_step(step="tune", steps=9))["steps_done"] == 9


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ((), "training steps in the provenance of the model: got no training"),
        (({"step": "init"},), "got no training"),
        (({"step": "train", "seconds": 3.0},), "expected a number of steps, to train from scratch as long"),
        (({"step": "train", "steps": 1000, "seconds": 1.0},), "got only a time"),
        (({"step": "train", "steps_done": 0},), "got 0"),
        (({"step": "train", "steps_done": "9"},), "got '9'"),
    ],
)
def test_a_history_without_a_length_is_refused(record, history, message):
    record = dataclasses.replace(record, provenance=history)
    with pytest.raises(ArgumentError, match=message):
        last_training(record)


@pytest.mark.parametrize("wrong", [{"learning_rate": "fast"}, {"seed": -1}, {"optimiser": "adamm"}])
def test_a_step_that_no_training_wrote_is_refused(record, path, wrong):
    last = last_training(record)
    task = training_task(record, last, path, READ)
    with pytest.raises((ArgumentError, FileError)):
        train_again(record, task, last | wrong)
