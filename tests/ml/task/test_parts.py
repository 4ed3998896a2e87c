"""What is trained on, what is validated on, and what is held out."""

import inspect

import numpy as np
import pytest
from ml.task.small_tasks import DENSITY, READ, SIDE, source, stored

from ginjax.checkpoint import FieldScale
from ginjax.data import DataReading, Normalisation, measure_normalisation, source_digest
from ginjax.errors import ArgumentError
from ginjax.ml import cut_parts, file_parts, simulated_parts, source_parts, with_validation
from ginjax.ml.task import TaskSettings


def test_every_default_is_that_of_the_settings():
    default = TaskSettings()
    of_files, of_cuts = (inspect.signature(each).parameters for each in (file_parts, cut_parts))
    # None is 0.1 too, but for a tuning on few trajectories.
    assert {name: of_files[name].default for name in ("valid", "test")} == {"valid": 0.1, "test": None}
    assert default.test == 0.1 and len(source_parts(source(trajectories=30))["test"][1]) == 3
    assert (default.valid, default.test) == (0.1, 0.1)
    assert of_cuts["past_steps"].default == default.past_steps == 1
    assert of_cuts["residual"].default is default.residual is False


# --- simulations -------------------------------------------------------------------------------------------------------


def test_simulations_that_are_held_out_are_others():
    seen = []
    parts = simulated_parts(
        "diffusion",
        1,
        side=SIDE,
        trajectories=2,
        frames=1,
        validate=True,
        progress=lambda *at: seen.append(at),
    )
    assert list(parts) == ["train", "valid", "test"] and all(chosen is None for _, chosen in parts.values())
    assert [made.trajectories for made, _ in parts.values()] == [2, 8, 8]
    assert seen[-1] == (2, 2)
    first = {name: made.read(0, 0, 1)["density"].tobytes() for name, (made, _) in parts.items()}
    assert len(set(first.values())) == 3
    again = simulated_parts("diffusion", 1, side=SIDE, trajectories=2, frames=1)
    assert list(again) == ["train", "test"]
    for name in again:
        assert source_digest(again[name][0]) == source_digest(parts[name][0])
    other = simulated_parts("diffusion", 1, side=SIDE, trajectories=2, frames=1, seed=1)
    assert source_digest(other["train"][0]) != source_digest(parts["train"][0])


# --- files -------------------------------------------------------------------------------------------------------------


def test_a_file_is_parted_by_its_trajectories(tmp_path):
    parts = file_parts(stored(tmp_path / "d.h5"), READ, valid=0.2, test=0.3)
    assert {name: len(chosen) for name, (_, chosen) in parts.items()} == {"train": 5, "valid": 2, "test": 3}
    assert sorted(int(i) for _, chosen in parts.values() for i in chosen) == list(range(10))
    assert len({id(each) for each, _ in parts.values()}) == 1
    same, other = (
        file_parts(tmp_path / "d.h5", valid=0.2, test=0.3, seed=seed)["test"][1].tolist() for seed in (0, 1)
    )
    assert same == parts["test"][1].tolist() != other
    assert "valid" not in file_parts(tmp_path / "d.h5", READ, valid=0.0)


def test_parts_that_data_have_are_taken_as_they_are(tmp_path):
    for part in ("train", "test"):
        (tmp_path / "d" / part).mkdir(parents=True)
        stored(tmp_path / "d" / part / "x.h5", seed=len(part), trajectories=2)
    parts = file_parts(tmp_path / "d", DataReading(periodic="none"))
    assert list(parts) == ["train", "test"] and all(chosen is None for _, chosen in parts.values())
    assert parts["train"][0].is_torus == (False,)
    np.testing.assert_array_equal(
        parts["train"][0].read(1, 0, 2)["density"], source(5, 2).read(1, 0, 2)["density"]
    )
    (tmp_path / "d" / "train").rename(tmp_path / "d" / "valid")
    with pytest.raises(
        ArgumentError, match=r"data to train on: got .*which has valid, test, expected a part 'train'"
    ):
        file_parts(tmp_path / "d")


# --- samples -----------------------------------------------------------------------------------------------------------


def test_scales_are_those_of_the_training_part_alone(tmp_path):
    parts = file_parts(stored(tmp_path / "d.h5"), READ)
    task = cut_parts(parts, past_steps=2, unroll=1)
    made, chosen = parts["train"]
    assert task.normalisation == measure_normalisation(made, trajectories=chosen)
    assert task.normalisation != measure_normalisation(made)
    assert (len(task.train), len(task.valid), len(task.test)) == (8, 1, 1)
    assert (task.contract.past_steps, task.contract.residual) == (2, False)


def test_scales_that_are_given_are_kept():
    given = Normalisation((FieldScale(DENSITY, 7.0, 1.0, increment=3.0),))
    task = cut_parts({"train": (source(frames=4), [0, 3])}, residual=True, unroll=2, normalisation=given)
    assert task.normalisation is given and (task.valid, task.test) == (None, None)
    assert len(task.train) == 2 * 2 and task.train.future_steps == 2
    X, Y = task.train.take([0])
    read = source(frames=4).read(0, 0, 3)["density"]
    np.testing.assert_allclose(X[DENSITY.key][0, 0], (read[0] - 1) / 7, rtol=1e-5)
    np.testing.assert_allclose(Y[DENSITY.key][0, 0], (read[1] - read[0]) / 3, rtol=1e-5, atol=1e-6)
    assert task.contract.scales == given.scales and task.contract.residual


def test_a_part_is_known_by_its_data_and_trajectories():
    data = source()
    some = cut_parts({"train": (data, [7, 2, 5]), "valid": (data, [1]), "test": (source(3), None)})
    train, valid, test = (some.parts[name] for name in ("train", "valid", "test"))
    assert train.digest == valid.digest == source_digest(data) != test.digest == source_digest(source(3))
    assert (train.trajectories, valid.trajectories, test.trajectories) == ((2, 5, 7), (1,), None)


def test_a_tuning_takes_what_judges_it_from_the_trajectories_to_train_on():
    data, other = source(trajectories=20), source(3)
    found = with_validation({"train": (data, range(4, 20)), "test": (other, None)})
    train, valid = (list(found[part][1]) for part in ("train", "valid"))
    assert sorted(train + valid) == list(range(4, 20)) and len(valid) == 2
    assert found["test"] == (other, None)
    for kept in (
        {"train": (data, [3])},  # one trajectory cannot be parted
        {"train": (data, None), "valid": (other, None)},
    ):
        assert with_validation(kept) is kept
    whole = {"train": (data, None)}
    assert with_validation(whole, valid=0) is whole


def test_of_few_trajectories_a_tuning_holds_out_what_it_can():
    one, two = source(trajectories=1), source(trajectories=2)
    assert set(source_parts(one, tuning=True)) == {"train"}
    assert {name: len(chosen) for name, (_, chosen) in source_parts(two, tuning=True).items()} == {
        "train": 1,
        "valid": 1,
    }
    for few in (one, two):  # control: a new network is refused
        with pytest.raises(
            ArgumentError, match=r"number of trajectories: got ., expected at least 3"
        ) as caught:
            source_parts(few)
        assert caught.value.hint == "Use more trajectories, or set `valid=0` and `test=0`."
    for asked in ({"valid": 0}, {"test": 0}, {"valid": 0, "test": 0}):
        assert set(source_parts(one, tuning=True, **asked)) == {"train"}
    for few in (one, two):  # what was asked for and cannot be is not left out unsaid
        with pytest.raises(ArgumentError, match="number of trajectories") as caught:
            source_parts(few, test=0.1, tuning=True)
        assert "`test=0` alone is enough" in caught.value.hint
        assert source_parts(few, test=0, tuning=True)
    assert {part: len(chosen) for part, (_, chosen) in source_parts(two, valid=0, tuning=True).items()} == {
        "train": 1,
        "test": 1,
    }
