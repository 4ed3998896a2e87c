"""How to train, as plain data."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from ginjax.errors import ArgumentError, FileError
from ginjax.ml import BATCH_SIZES, STEPS, TrainSettings

OTHER = TrainSettings(
    steps=7,
    seconds=1.5,
    batch_size=3,
    learning_rate=1e-2,
    optimiser="lion",
    schedule="linear",
    warmup=0.0,
    weight_decay=0.0,
    loss="nrmse",
    clip=0.0,
    noise=0.1,
    unroll=2,
    patience=0,
    validate_every=4,
    freeze=("encoder", "*.bias.*"),
    accumulate=3,
    remat=True,
    precision="bfloat16",
    crop={"x": 8},
    seed=5,
)


@pytest.mark.parametrize(
    "settings", [TrainSettings(), OTHER, replace(OTHER, steps=None, epochs=2.5), TrainSettings(epochs=1)]
)
def test_json_round_trip(settings):
    assert TrainSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_the_round_trip_covers_every_setting():
    default = TrainSettings()
    same = [each.name for each in fields(OTHER) if getattr(OTHER, each.name) == getattr(default, each.name)]
    assert same == ["epochs"]


def test_what_is_silent_is_not_written_and_what_is_zero_is():
    assert (
        not {"steps", "epochs", "seconds", "schedule", "freeze", "remat"} & TrainSettings().to_json().keys()
    )
    written = OTHER.to_json()
    assert (written["patience"], written["clip"], written["warmup"]) == (0, 0.0, 0.0)
    assert written["freeze"] == ["encoder", "*.bias.*"]


def test_the_default_loss_is_not_written_so_that_earlier_states_belong_to_the_same_settings():
    assert "loss" not in TrainSettings().to_json() and OTHER.to_json()["loss"] == "nrmse"
    assert TrainSettings.from_json({"loss": "smse"}) == TrainSettings.from_json({}) == TrainSettings()


def test_other_names_of_a_step_of_provenance_are_passed_over():
    step = {"step": "train", "equation": "heat", "steps_done": 3, "learning_rate": 0.5, "schedule": None}
    assert TrainSettings.from_json(step) == TrainSettings(learning_rate=0.5)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"steps": "3"}, "steps"),
        ({"steps": 3.5}, "steps"),
        ({"steps": True}, "steps"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"optimiser": 1}, "optimiser"),
        ({"remat": 1}, "remat"),
        ({"freeze": "encoder"}, "freeze"),
        ({"seed": [0]}, "seed"),
        ({"schedule": {}}, "schedule"),
        ({"crop": "8"}, "crop"),
        ({"crop": [8]}, "crop"),
    ],
)
def test_values_of_another_type_are_refused(data, name):
    with pytest.raises(FileError, match=f"here.*{name}"):
        TrainSettings.from_json(data, "here")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps: got 0, expected 1 or more"),
        ({"batch_size": 0}, "batch_size: got 0"),
        ({"unroll": 0}, "unroll: got 0"),
        ({"accumulate": 0}, "accumulate: got 0"),
        ({"validate_every": 0}, "validate_every: got 0"),
        ({"warmup": -0.1}, "warmup: got -0.1, expected 0 or more"),
        ({"noise": float("nan")}, "noise: got nan"),
        ({"patience": -1}, "patience: got -1"),
        ({"seed": -1}, "seed: got -1"),
        ({"seed": 2**63}, "seed: got 9223372036854775808, expected at most"),
        ({"steps": 2**31}, "steps: got 2147483648, expected at most 2147483647"),
        ({"accumulate": 10**30}, "accumulate: got 1000000000000000000000000000000, expected at most"),
        ({"learning_rate": 0.0}, "learning_rate: got 0.0, expected a positive number"),
        ({"learning_rate": float("inf")}, "learning_rate: got inf"),
        ({"seconds": float("nan")}, "seconds: got nan"),
        ({"epochs": 0}, "epochs: got 0"),
        ({"optimiser": "adamm"}, "optimiser: got 'adamm', expected one of adamw, adam, sgd"),
        ({"schedule": "cos"}, "schedule: got 'cos', expected one of cosine, linear, constant"),
        ({"loss": "mse"}, "loss: got 'mse', expected one of smse, nrmse, normalized-smse"),
        ({"precision": "float16"}, "precision: got 'float16', expected float32 or bfloat16"),
        ({"steps": 3, "epochs": 1.0}, "`steps` and `epochs`: got both, expected one of them"),
        ({"seconds": 9.0, "schedule": "cosine"}, "schedule: got cosine where time alone ends the training"),
        ({"seconds": 9.0, "schedule": "linear"}, "expected constant, or a number of steps"),
    ],
)
def test_values_out_of_range_and_contradictions_are_refused(wrong, message):
    with pytest.raises(ArgumentError, match=message):
        TrainSettings(**wrong)
    with pytest.raises((ArgumentError, FileError)):
        TrainSettings.from_json(wrong)


@pytest.mark.parametrize(
    "settings",
    [
        TrainSettings(),
        OTHER,
        TrainSettings(seconds=9.0),
        TrainSettings(seconds=9.0, steps=4),
        TrainSettings(epochs=2.5, batch_size=3),
        TrainSettings(epochs=0.01),
        TrainSettings(epochs=1, seconds=9.0),
    ],
)
def test_resolving_again_changes_nothing(settings):
    once = settings.resolved(2, 10)
    assert once.resolved(2, 10) == once
    assert once.batch_size is not None and once.schedule is not None and once.epochs is None
    assert (once.steps is None) == settings.endless
    assert TrainSettings.from_json(once.to_json()) == once


def test_what_follows_from_the_data():
    for D in (1, 2, 3):
        found = TrainSettings().resolved(D, 1000)
        assert (found.steps, found.batch_size, found.schedule) == (STEPS[D], BATCH_SIZES[D], "cosine")
    assert TrainSettings().resolved(5, 1000) == TrainSettings().resolved(3, 1000)
    assert TrainSettings(batch_size=64).resolved(1, 10).batch_size == 10
    assert TrainSettings(epochs=2.5, batch_size=4).resolved(1, 10).steps == 7
    alone = TrainSettings(seconds=9.0).resolved(1, 10)
    assert (alone.steps, alone.schedule) == (None, "constant")
    assert TrainSettings(seconds=9.0, epochs=2, batch_size=5).resolved(1, 10).schedule == "cosine"


@pytest.mark.parametrize("epochs", [1e9, 1e308])
def test_more_passes_than_steps_can_be_counted_are_refused(epochs):
    with pytest.raises(ArgumentError, match="steps: got 2147483648, expected at most"):
        TrainSettings(epochs=epochs, batch_size=1).resolved(1, 100)


def test_the_learning_rate_falls_over_the_steps_and_not_without_them():
    rate = TrainSettings(steps=10, warmup=0.0, learning_rate=0.5).make_schedule()
    np.testing.assert_allclose([rate(0), rate(5), rate(10)], [0.5, 0.25, 0.0], atol=1e-7)
    alone = TrainSettings(seconds=9.0, warmup=0.0, learning_rate=0.5).resolved(1, 10).make_schedule()
    assert float(alone(10**3)) == float(alone(10**6)) == 0.5
