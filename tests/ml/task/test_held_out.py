"""Data that a model has not been trained on are found by what they hold."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from ml.task.small_tasks import DENSITY, READ, SIDE, source, stored, trained_record

from ginjax.checkpoint import DataContract, FieldScale, axes_of, parts_to_json
from ginjax.data import DataReading, Field, MemorySource, Trajectories, simulate, source_digest, write_well
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    data_dimension,
    held_out_in_files,
    parts_of_training,
    simulated_held_out,
    training_task,
)

EARLIER = "the model, written by an earlier version, knows its data by their name alone"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("held") / "d.h5")


@pytest.fixture(scope="module")
def record(path):
    return trained_record(path)


def found(record, path, reading=READ, **asked):
    return held_out_in_files(record, record.contract, path, reading, **asked)


def stored_part(record, name):
    return list(record.contract.parts[name].trajectories)


# --- by their digest -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["d.h5", "renamed.h5"])
def test_a_copy_of_the_training_file_is_still_parted(record, path, tmp_path, name):
    shutil.copy(path, tmp_path / name)
    held_out = found(record, tmp_path / name)
    assert list(held_out.trajectories) == stored_part(record, "test") and len(held_out.trajectories) == 1
    assert held_out.name == f"{name}, 1D, part 'test'"
    assert (
        held_out.note
        == "the model was trained on these data: the part that was held out from its training is used"
    )
    training = found(record, tmp_path / name, split="train", count=3)
    assert list(training.trajectories) == stored_part(record, "train")[:3]
    assert list(found(record, path, default="train").trajectories) == stored_part(record, "train")


def test_other_data_under_the_same_name_are_used_whole(record, tmp_path):
    other = stored(tmp_path / "d.h5", seed=1)
    held_out = found(record, other)
    assert list(held_out.trajectories) == list(range(10)) and "part" not in held_out.name
    assert held_out.note == "not known as data of the model's training: all are used"
    asked = found(record, other, split="train")
    assert len(asked.trajectories) == 8 and "parted as training on them would" in asked.note
    assert found(record, other, default="train").note is None


def test_more_fields_than_the_model_knows_do_not_hide_its_data(record, tmp_path):
    values = source().held["density"]
    both = Trajectories((DENSITY, Field("heat", 0, 0)), {"density": values, "heat": values + 1}, 1, 0.5, 0.1)
    write_well(tmp_path / "both.h5", MemorySource.of(both), name="both")
    assert list(found(record, tmp_path / "both.h5").trajectories) == stored_part(record, "test")


def test_data_that_were_trained_on_are_not_evaluated_on_in_silence(tmp_path):
    for part in ("train", "test"):
        (tmp_path / "d" / part).mkdir(parents=True)
        stored(tmp_path / "d" / part / "x.h5", seed=len(part), trajectories=3)
    record = trained_record(tmp_path / "d")
    training, held_out = (tmp_path / "d" / part / "x.h5" for part in ("train", "test"))
    with pytest.raises(ArgumentError, match=r"part of the data: got test: no trajectory of these data was held out "
                       r"from the model's training, expected train\.") as caught:  # fmt: skip
        found(record, training)
    assert caught.value.hint == (
        "Add `split='train'`, knowing that the model has seen these data; or use others."
    )
    assert len(found(record, training, split="train").trajectories) == 3
    assert len(found(record, held_out).trajectories) == 3
    with pytest.raises(
        ArgumentError, match="`split`: got train: the model's training used these data for test"
    ):
        found(record, held_out, split="train")


def test_parts_that_data_have(record, tmp_path):
    (tmp_path / "d" / "train").mkdir(parents=True)
    stored(tmp_path / "d" / "train" / "x.h5", seed=4, trajectories=3)
    with pytest.raises(ArgumentError, match="part of the data: got test, expected one of train") as caught:
        found(record, tmp_path / "d")
    assert caught.value.hint == "Name one that is there: `split='train'`."
    with pytest.raises(ArgumentError, match="`split`: got valid, expected one of train"):
        found(record, tmp_path / "d", split="valid")
    assert len(found(record, tmp_path / "d", split="train", count=2).trajectories) == 2


def test_files_of_a_folder_are_known_one_by_one(tmp_path):
    """One of several training files, the same under other names and in another order, and more beside them."""
    (tmp_path / "d" / "train").mkdir(parents=True)
    for seed, name in enumerate("ab"):
        stored(tmp_path / "d" / "train" / f"{name}.h5", seed=seed, trajectories=3)
    record = trained_record(tmp_path / "d")
    with pytest.raises(ArgumentError, match="got test: no trajectory of these data was held out"):
        found(record, tmp_path / "d" / "train" / "a.h5")
    again = tmp_path / "again"
    again.mkdir()
    for old, new in (("a", "z"), ("b", "c")):
        shutil.copy(tmp_path / "d" / "train" / f"{old}.h5", again / f"{new}.h5")
    with pytest.raises(ArgumentError, match="no trajectory of these data was held out"):
        found(record, again)
    stored(again / "k.h5", seed=7, trajectories=2)
    held_out = found(record, again)
    assert list(held_out.trajectories) == [3, 4]  # those of k.h5, between c.h5 and z.h5
    assert "2 trajectories that its training did not use are used" in held_out.note


def test_a_test_folder_that_was_trained_on_is_not_held_out(tmp_path):
    (tmp_path / "d" / "test").mkdir(parents=True)
    only = stored(tmp_path / "d" / "test" / "x.h5")
    record = trained_record(only)
    held_out = found(record, tmp_path / "d")
    assert list(held_out.trajectories) == stored_part(record, "test")
    assert len(found(record, tmp_path / "d", split="test").trajectories) == 10


def test_what_any_training_learnt_from_is_not_held_out(record, path):
    """A second training on the same file with another parting."""
    first = record.contract.parts
    mixed = {"train": first["valid"], "test": first["train"]}
    step = {"step": "tune", "trained_before": parts_to_json(first)}
    tuned = replace(record, contract=replace(record.contract, parts=mixed)).with_step(**step)
    assert list(found(tuned, path).trajectories) == stored_part(record, "test")


# --- earlier versions ----------------------------------------------------------------------------------------------------


def test_a_model_of_an_earlier_version_knows_its_data_by_their_name_and_says_so(record, path, tmp_path):
    earlier = replace(record, contract=replace(record.contract, parts={}))
    held_out = found(earlier, path)
    assert list(held_out.trajectories) == stored_part(record, "test")
    assert held_out.note.endswith(EARLIER) and "0.1 for validation, 0.1 for testing, seed 0" in held_out.note
    shutil.copy(path, tmp_path / "renamed.h5")
    whole = found(earlier, tmp_path / "renamed.h5")
    assert list(whole.trajectories) == list(range(10))
    assert whole.note == "the data have no parts: make sure that the model was trained on others"
    other = earlier.with_step(step="tune", data="renamed.h5", valid=0.2, test=0.3, seed=7)
    assert len(found(other, tmp_path / "renamed.h5").trajectories) == 3


@pytest.mark.parametrize("name", ["valid", "test", "seed"])
@pytest.mark.parametrize("value", ["0.1", None, True, [], {}, -1])
def test_a_history_of_other_types_is_refused(record, path, name, value):
    earlier = replace(record, contract=replace(record.contract, parts={}))
    changed = earlier.with_step(**{"step": "tune", "data": path.name, "valid": 0.2, "test": 0.3, name: value})
    with pytest.raises(FileError, match=f"history of the model: field '{name}': got"):
        parts_of_training(changed, READ.open(path), path.name)


SIMULATED = {"equation": "diffusion", "size": SIDE, "trajectories": 1, "frames": 1, "seed": 0}


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("value", [None, True, 0.5, [], {}, -1, 10**12])
def test_a_history_of_other_simulations_is_refused(record, name, value):
    with pytest.raises(FileError, match=f"history of the model: field '{name}': got"):
        training_task(record, {**SIMULATED, name: value}, None, READ)


def test_what_is_known_of_some_data(record, path):
    data = READ.open(path)
    known = parts_of_training(record, data, "anything")
    assert {name: list(chosen) for name, chosen in known.parts.items()} == {
        name: list(part.trajectories) for name, part in record.contract.parts.items()
    }
    assert record.contract.parts["train"].digest == source_digest(data)
    some = source(trajectories=10).held["density"][[9, 3]]  # in another file, in another order
    few = MemorySource.of(Trajectories((DENSITY,), {"density": some}, 1, 0.5, 0.1))
    label = {i: name for name, part in record.contract.parts.items() for i in part.trajectories}
    expected = {}
    for place, number in enumerate((9, 3)):
        expected.setdefault(label[number], []).append(place)
    assert dict(parts_of_training(record, few).parts) == expected
    others = parts_of_training(record, source(seed=5), "d.h5")
    assert others.parts == {} and "not known" in others.note
    assert parts_of_training(record, source(D=2), "d.h5").parts == {}


# --- simulations -----------------------------------------------------------------------------------------------------------


def contract_of(pde="diffusion", **changes):
    made = simulate(pde, 1, trajectories=1, steps=1, side=SIDE).contract
    scales = tuple(FieldScale(each, 1.0) for each in made.fields)
    return replace(made, scales=scales, **changes)


def test_simulations_are_of_the_equation_of_the_training():
    held_out = simulated_held_out(contract_of("burgers"), side=SIDE, trajectories=2, steps=1)
    assert held_out.name == "burgers in 1D" and list(held_out.trajectories) == [0, 1]
    assert (held_out.source.frames, held_out.note) == (2, None)
    more = simulated_held_out(contract_of(past_steps=3), side=SIDE, trajectories=1, steps=1)
    assert more.source.frames == 4


@pytest.mark.parametrize(
    ("contract", "pde", "message"),
    [
        (DataContract(axes_of((True,)), (DENSITY,)), None, "data to evaluate on: got none.*expected data, or the name of an equation"),
        (contract_of(origin={"equation": "tea leaves"}), None, "data to evaluate on: got none"),
        (contract_of(), "burgers", "`pde`: got burgers, whose fields are velocity:1.*density:0"),
        (contract_of(spacing=1e3), None, "grid spacing of the data: got"),
        (contract_of(time_step=1e3), None, "time step of the data: got"),
        (contract_of(axes=axes_of((False,))), None, "boundaries of the data: got x periodic"),
    ],
)  # fmt: skip
def test_simulations_that_do_not_fit_are_refused_before_any_is_made(monkeypatch, contract, pde, message):
    monkeypatch.setattr("ginjax.ml.task._held_out.simulate_in_memory", None)
    with pytest.raises(ArgumentError, match=message):
        simulated_held_out(contract, pde=pde, side=SIDE)


def test_the_dimension_of_data(path, tmp_path):
    assert data_dimension(path, READ) == 1
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4, 4), np.float32))
    assert data_dimension(tmp_path / "a.npy", DataReading(("density:0+=data",))) == 2


def test_data_of_an_earlier_training_are_remembered(record, path, tmp_path):
    """Tuned on other data since: the trajectories held out then are still found."""
    other = {"train": replace(record.contract.parts["train"], digest="0" * 64, each=("0" * 16,))}
    step = {"step": "tune", "trained_before": parts_to_json(record.contract.parts)}
    tuned = replace(record, contract=replace(record.contract, parts=other)).with_step(**step)
    found = held_out_in_files(tuned, tuned.contract, path, DataReading())
    assert list(found.trajectories) == list(record.contract.parts["test"].trajectories or ())
    forgetful = replace(tuned, provenance=tuned.provenance[:-1])
    assert len(held_out_in_files(forgetful, tuned.contract, path, DataReading()).trajectories) > len(
        found.trajectories
    )
