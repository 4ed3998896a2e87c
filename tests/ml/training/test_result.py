"""What a file says of a training."""

from dataclasses import replace

import numpy as np
import pytest
from ml.task.small_tasks import DENSITY, NETWORK, SIDE, network, source, stored, task_of

from ginjax.checkpoint import Difference, contract_to_json, read_model, write_model
from ginjax.data import source_digest
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    RunFile,
    Saving,
    TrainSettings,
    build_network,
    cut_parts,
    finish_training,
    run_identity,
    start_from,
    train_model,
)
from ginjax.models import LoadedModel, Network, named_arrays

SETTINGS = TrainSettings(steps=3, batch_size=4, validate_every=1, learning_rate=0.5, warmup=0.0)
ABOUT = {"data": "d.h5"}


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return task_of(stored(tmp_path_factory.mktemp("result") / "d.h5"))


@pytest.fixture(scope="module")
def trained(task):
    return train_model(network(task), task, SETTINGS)


@pytest.fixture(scope="module")
def made(task, trained):
    return finish_training(trained, task, ABOUT)


def test_the_contract_is_that_of_the_data(task, made, tmp_path):
    contract = made.record.contract
    assert contract == task.contract
    assert (contract.fields, contract.spacing, contract.time_step) == ((DENSITY,), 0.5, 0.1)
    assert contract.scales == (task.normalisation.of("density"),)
    parts = contract.parts
    assert {part.digest for part in parts.values()} == {source_digest(source())}
    numbers = [list(parts[name].trajectories) for name in ("train", "valid", "test")]
    assert sorted(i for each in numbers for i in each) == list(range(10))
    assert [len(each) for each in numbers] == [8, 1, 1]
    assert all(each == sorted(each) for each in numbers)
    write_model(tmp_path / "m", made.record)
    assert contract_to_json(read_model(tmp_path / "m").contract) == contract_to_json(contract)


def test_the_history_says_what_was_done(made, trained):
    (step,) = made.record.provenance
    assert (step["step"], step["data"], step["past_steps"], step["residual"]) == ("train", "d.h5", 1, False)
    assert (step["steps"], step["steps_done"], step["seed"], step["schedule"]) == (3, 3, 0, "cosine")
    assert step["best_step"] == trained.progress.best_step
    assert TrainSettings.from_json(step) == trained.settings
    assert "adapted" not in step and "source" not in step


def test_the_last_network_beside_the_best(made, trained):
    assert (made.last is None) == (trained.last is None)
    if made.last is not None:
        assert made.last.contract == made.record.contract and made.last.digest != made.record.digest
    assert made.error is not None and made.error.persistence > 0


def test_a_tuned_model_remembers_where_it_came_from(task, made):
    before = made.record
    start = start_from(LoadedModel(made.model, before))
    words = "grid spacing of the data", "0.5", "0.25, as in the model's training"
    difference = Difference("spacing", *words, values=(0.25, 0.5))
    tuned = train_model(start.model, replace(task, valid=None, test=None), replace(SETTINGS, steps=1))
    after = finish_training(tuned, replace(task, valid=None, test=None), ABOUT, start, [difference])
    first, last = after.record.provenance
    assert first == before.provenance[0]
    assert (last["step"], last["source"], last["kept_compatible"]) == ("tune", before.digest, False)
    assert last["adapted"] == {"spacing": [0.25, 0.5]}
    assert after.error is None and set(after.record.contract.parts) == {"train"}


def test_what_the_new_data_do_not_say_is_not_forgotten(task, made):
    source = replace(task.train.source, spacing=None, time_step=None)
    silent = replace(task, train=cut_parts({"train": (source, None)}).train, valid=None, test=None)
    start = start_from(LoadedModel(made.model, made.record))
    tuned = train_model(start.model, silent, replace(SETTINGS, steps=1))
    after = finish_training(tuned, silent, ABOUT, start).record.contract
    assert (after.spacing, after.time_step) == (
        made.record.contract.spacing,
        made.record.contract.time_step,
    )
    assert finish_training(tuned, silent, ABOUT).record.contract.spacing is None


# --- what a saved state belongs to -------------------------------------------------------------------------------------


def identity(task, settings=SETTINGS, start=None, spec="net"):
    return run_identity(task, ABOUT, settings.to_json(), start, spec)


def test_other_data_under_the_same_name_are_another_training(task, trained, tmp_path):
    other = task_of(stored(tmp_path / "d.h5", seed=1))
    ours, theirs = identity(task), identity(other)
    assert {name for name in ours if ours[name] != theirs[name]} == {"data_digest", "validation_digest"}
    bounded = replace(task.train.source, is_torus=(False,))
    for changed in (
        replace(task, train=cut_parts({"train": (bounded, None)}).train),
        replace(task, valid=other.valid),
    ):
        assert identity(changed) != ours
    one = replace(task, valid=None)
    file = RunFile(tmp_path / "run", identity(one))
    train_model(network(task), one, SETTINGS, saving=Saving(file, every_steps=2))
    with pytest.raises(FileError, match=r"digest of the data: got .* as in the training of this state"):
        train_model(
            network(task),
            replace(other, valid=None),
            SETTINGS,
            saving=Saving(RunFile(tmp_path / "run", theirs), resume=True),
        )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"settings": replace(SETTINGS, noise=0.1)}, "noise"),
        ({"settings": replace(SETTINGS, seed=1)}, "seed"),
        ({"settings": replace(SETTINGS, loss="nrmse")}, "loss"),
        ({"spec": "other"}, "model"),
    ],
)
def test_other_settings_are_another_training(task, change, name):
    ours, theirs = identity(task), identity(task, **change)
    assert {each for each in ours.keys() | theirs.keys() if ours.get(each) != theirs.get(each)} == {name}


def test_a_state_of_a_version_that_knew_one_loss_is_gone_on_with(task, tmp_path):
    earlier = identity(task)
    assert "loss" not in earlier  # as those versions wrote it
    train_model(
        network(task), task, SETTINGS, saving=Saving(RunFile(tmp_path / "run", earlier), every_steps=2)
    )
    for loss in ("smse", "nrmse"):
        settings = replace(SETTINGS, loss=loss)
        saving = Saving(RunFile(tmp_path / "run", identity(task, settings)), resume=True)
        if loss == "smse":
            assert train_model(network(task), task, settings, saving=saving).progress.step > 0
            continue
        with pytest.raises(FileError, match="`loss`: got nrmse, expected smse, as in the training of this"):
            train_model(network(task), task, settings, saving=saving)


# --- networks ----------------------------------------------------------------------------------------------------------


def test_a_network_fits_its_data(task):
    two = replace(task.contract, past_steps=2, scales=())
    model = build_network(NETWORK, two, (SIDE,))
    assert [count for _, count in model.spec.inputs] == [2] and [
        count for _, count in model.spec.outputs
    ] == [1]
    with pytest.raises(ArgumentError, match="got 6, expected a multiple of 4"):
        build_network(Network("unet", channels=2, blocks=1), two, (6,))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": "vgg"}, "architecture: got 'vgg', expected resnet or dilresnet or unet or series"),
        ({"levels": 3}, "`levels`: got architecture 'resnet', expected architecture unet"),
        ({"architecture": "series", "upsample": "transpose"}, "`upsample`: got architecture 'series'"),
        ({"plain": True, "support": "cut"}, "`support`: got `plain=True`"),
    ],
)
def test_settings_that_would_be_ignored(settings, message):
    with pytest.raises(ArgumentError, match=message):
        Network(**settings)


def test_the_same_seed_gives_the_same_weights(task):
    first, again, other = (named_arrays(network(task, seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)
