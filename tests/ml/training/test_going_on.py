"""A training that is gone on with: what may be changed of it, what it then comes to, and what is known of a finished one."""

import dataclasses

import numpy as np
import pytest
from ml.task.small_tasks import network, source
from ml.training.test_train_model import SETTINGS, bits

from ginjax.data import measure_normalisation
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    CHANGEABLE,
    KeptState,
    Progress,
    RunFile,
    RunFiles,
    Saving,
    TrainSettings,
    difference_from_model,
    finish_training,
    make_window_task,
    run_identity,
    train_model,
)
from ginjax.ml.training._going_on import as_json, check_reach, earlier_identities, first_difference

CONSTANT = dataclasses.replace(SETTINGS, steps=14, schedule="constant")
SETTINGS_SHORT = dataclasses.replace(CONSTANT, steps=6)
ABOUT = {"data": "small", "trajectories": 4}


@pytest.fixture(scope="module")
def task():
    data = source(0)
    return make_window_task((data, None), None, None, measure_normalisation(data))


def identity(task, settings):
    resolved = settings.resolved(1, len(task.train))
    return run_identity(task, ABOUT, resolved.to_json(), None, network(task).spec.to_json())


def run(task, settings, folder, **said):
    file = RunFile(folder / "m.run", identity(task, settings))
    trained = train_model(network(task), task, settings, saving=Saving(file, resume=True, keep=True), **said)
    return trained, file


# --- extending ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_one(task):
    return train_model(network(task), task, CONSTANT)


def test_a_constant_rate_extended_is_one_run_bit_for_bit(task, in_one, tmp_path):
    first, file = run(task, SETTINGS_SHORT, tmp_path)
    assert (first.reason, first.progress.step, first.changes) == ("steps", 6, ())
    assert file.exists() and bits(first.model) != bits(in_one.model)
    longer, _ = run(task, CONSTANT, tmp_path)
    assert longer.progress.step == 14 and bits(longer.model) == bits(in_one.model)
    assert longer.changes == ({"after": 6, "steps": [6, 14]},)
    assert longer.provenance()["changes"] == [{"after": 6, "steps": [6, 14]}]


def test_without_the_state_of_the_optimiser_it_is_another_run(task, in_one):
    """The control: the same weights, and moments that begin anew."""
    first = train_model(network(task), task, SETTINGS_SHORT)
    anew = train_model(first.model, task, dataclasses.replace(CONSTANT, steps=8))
    assert bits(anew.model) != bits(in_one.model)


def test_another_rate_holds_from_there_on(task, in_one, tmp_path):
    run(task, SETTINGS_SHORT, tmp_path)
    slower = dataclasses.replace(CONSTANT, learning_rate=0.01)
    found, _ = run(task, slower, tmp_path)
    assert found.changes == ({"after": 6, "steps": [6, 14], "learning_rate": [0.02, 0.01]},)
    assert bits(found.model) != bits(in_one.model)


def test_an_extension_that_is_interrupted_is_not_extended_again(task, in_one, tmp_path):
    run(task, SETTINGS_SHORT, tmp_path)
    asked = iter([True])
    stopped, _ = run(task, CONSTANT, tmp_path, interrupted=lambda: next(asked, False))
    assert stopped.reason == "asked" and 6 < stopped.progress.step < 14
    found, _ = run(task, CONSTANT, tmp_path)
    assert len(found.changes) == 1 and bits(found.model) == bits(in_one.model)


def test_a_state_in_memory_is_gone_on_from_like_one_in_a_file(task, in_one):
    kept = KeptState()
    with pytest.raises(ArgumentError, match="state of the training: got none"):
        kept.load(None)  # pyright: ignore[reportArgumentType]
    asked = iter([False, True])
    stopped = train_model(
        network(task),
        task,
        CONSTANT,
        saving=Saving(kept, resume=True),
        interrupted=lambda: next(asked, False),
    )
    assert stopped.reason == "asked" and kept.exists()
    for _ in range(2):  # what was kept is not used up
        found = train_model(network(task), task, CONSTANT, saving=Saving(kept, resume=True))
        assert bits(found.model) == bits(in_one.model)


# --- what may be changed -----------------------------------------------------------------------------------------------


def test_every_other_setting_is_refused_by_its_name(task, tmp_path):
    run(task, SETTINGS_SHORT, tmp_path)
    others = {
        "batch_size": 2,
        "loss": "nrmse",
        "optimiser": "lion",
        "weight_decay": 0.5,
        "clip": 0.5,
        "noise": 0.2,
        "unroll": 2,
        "freeze": ("encoder",),
        "precision": "bfloat16",
        "crop": 4,
        "seed": 5,
    }
    known = {each.name for each in dataclasses.fields(TrainSettings)}
    assert set(others) | set(CHANGEABLE) | {"epochs"} == known
    for name, value in others.items():
        asked = dataclasses.replace(CONSTANT, **{name: value})
        file = RunFile(tmp_path / "m.run", identity(task, asked))
        with pytest.raises(FileError, match=f"state.safetensors: `{name}`: got ") as caught:
            file.load(None)  # pyright: ignore[reportArgumentType]
        assert "{" not in str(caught.value)


def test_a_network_is_told_apart_by_one_word():
    known = {"model": {"architecture": "ResNet", "options": {"depth": 4, "mid_keys": [[0, 0, 4]]}}}
    asked = {"model": {"architecture": "ResNet", "options": {"depth": 6, "mid_keys": [[0, 0, 6]]}}}
    assert first_difference(known, asked) == ("`channels`", 4, 6)
    assert first_difference(known, known) is None
    fewer = {"batch_size": 24, "frames": 3, "data_digest": "a"}  # the batch is cut to few data
    assert first_difference(fewer, {"batch_size": 32, "frames": 4, "data_digest": "b"}) == ("`frames`", 3, 4)
    assert first_difference(fewer, {**fewer, "batch_size": 8}) == ("`batch_size`", 24, 8)
    assert first_difference({"loss": "nrmse"}, {}) == ("`loss`", "nrmse", "smse")
    told = {"fields": ["u:0+", "nu:0+"], "conditions": [["nu", 1.0, 2.0]]}
    assert first_difference({"fields": told["fields"]}, told) is None  # of a version without conditions
    other = told | {"conditions": [["nu", 1.0, 3.0]]}
    assert first_difference(told, other) == ("conditions", told["conditions"], other["conditions"])
    assert first_difference({"a": 1, "b": 1}, {"a": 2, "b": 1}, without=("a",)) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 9}, "`steps`: got 9, expected more than 10"),
        ({"steps": 10}, "`steps`: got 10, expected more than 10"),
        ({"seconds": 5.0}, "`seconds`: got 5 s in all, expected more than the 5 s"),
        ({"steps": 20, "patience": 2}, "`patience`: got 2, expected 3 or more"),
    ],
)
def test_changes_that_lead_nowhere(settings, message):
    progress = Progress(10, 5.0, misses=3)
    with pytest.raises(ArgumentError, match=message):
        check_reach({"learning_rate": [0.1, 0.2]}, settings, progress)
    check_reach({}, settings, progress)  # nothing is changed: the training ends where it is
    check_reach({"steps": [10, 20]}, {"steps": 20, "seconds": 6.0, "patience": 3}, progress)


def test_what_a_training_was_before_its_changes():
    changes = [{"after": 3, "steps": [4, 6]}, {"after": 5, "steps": [6, 8], "seconds": [None, 3.0]}]
    stages = earlier_identities({"steps": 8, "seconds": 3.0, "seed": 0}, changes)
    assert stages == [
        {"steps": 8, "seconds": 3.0, "seed": 0},
        {"steps": 6, "seed": 0},
        {"steps": 4, "seed": 0},
    ]


# --- finished runs -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(task, tmp_path_factory):
    """A run that was extended, and its files."""
    folder = tmp_path_factory.mktemp("finished")
    run(task, SETTINGS_SHORT, folder)
    trained, _ = run(task, CONSTANT, folder)
    return RunFiles(folder / "m.safetensors"), finish_training(trained, task, ABOUT).record


def test_a_model_knows_the_training_that_made_it(task, finished):
    _, record = finished
    (step,) = record.provenance
    measured = {**step, "best_step": 3, "best_loss": 0.5, "one_step_error": {"model": 0.5}}
    record = dataclasses.replace(record, provenance=[measured])  # results are none of what was asked for
    for settings in (CONSTANT, SETTINGS_SHORT):
        assert difference_from_model(record, as_json(identity(task, settings))) is None
    for changed, name in (
        ({"steps": 15}, "`steps`"),
        ({"seed": 1}, "`seed`"),
        ({"learning_rate": 0.5}, "`learning_rate`"),
    ):
        asked = identity(task, dataclasses.replace(CONSTANT, **changed))
        found = difference_from_model(record, as_json(asked))
        assert found is not None and found[0] == name
    other = identity(task, CONSTANT) | {"data_digest": "0"}
    assert difference_from_model(record, as_json(other))[0] == "digest of the data"  # pyright: ignore


def test_what_a_training_measured_does_not_make_it_another(task, finished):
    _, record = finished
    error = {"model": 0.1, "persistence": 0.2, "deviation": 0.0, "frames": 4, "trajectories": 1}
    measured = dict(record.provenance[-1]) | {"best_step": 8, "best_loss": 0.5, "one_step_error": error}
    record = dataclasses.replace(record, provenance=(measured,))
    assert difference_from_model(record, as_json(identity(task, CONSTANT))) is None


def test_a_finished_run_is_never_begun_anew(task, finished):
    from ginjax.checkpoint import write_model

    files, record = finished
    write_model(files.output, record, force=True)
    before = files.output.read_bytes()
    for settings in (CONSTANT, SETTINGS_SHORT):
        assert files.finished(identity(task, settings)) is not None
    more = dataclasses.replace(CONSTANT, steps=20)
    assert files.finished(identity(task, more)) is None  # its state is there: it is extended
    other = dataclasses.replace(CONSTANT, seed=1)
    state = files.run_file({}).path
    for force in (False, True):
        with pytest.raises(FileError, match="`seed`: got 1, expected 0"):
            files.finished(identity(task, other)) if not force else files.run_file(
                identity(task, other)
            ).load(None)  # pyright: ignore
    kept = state.read_bytes()
    state.unlink()
    for force in (False, True):
        with pytest.raises(
            FileError, match=r"the state of its run is not there.*`steps`: got 20, expected 14"
        ):
            files.finished(identity(task, more), force=force)
        with pytest.raises(FileError, match="another run: `seed`: got 1, expected 0"):
            files.finished(identity(task, other), force=force)
    state.write_bytes(kept)
    assert files.output.read_bytes() == before


def test_a_model_of_another_run_stays_where_a_state_is_gone_on_from(task, finished, tmp_path):
    from ginjax.checkpoint import write_model

    _, record = finished
    run(task, dataclasses.replace(CONSTANT, seed=1), tmp_path)
    files = RunFiles(tmp_path / "m.safetensors")
    write_model(files.output, record)
    asked = identity(task, dataclasses.replace(CONSTANT, seed=1, steps=20))
    with pytest.raises(FileError, match="another run"):
        files.finished(asked)
    assert files.finished(asked, force=True) is None
    assert np.all(read_bytes(files.output) == read_bytes(files.output))


def read_bytes(path):
    return np.frombuffer(path.read_bytes(), np.uint8)
