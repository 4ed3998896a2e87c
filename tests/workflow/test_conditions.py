"""A network that is told numbers: trained, converted exactly, gone on with, and asked for numbers that it does not know."""

from dataclasses import replace

import numpy as np
import pytest

import ginjax
from ginjax import Network, TrainSettings
from ginjax.checkpoint import Condition
from ginjax.data import MemorySource, from_arrays, held_in_memory, simulate, with_conditions, write_well
from ginjax.errors import ArgumentError, GinjaxWarning
from ginjax.ml.task import cut_parts
from ginjax.ml.training._going_on import as_json, constant_identity, first_difference

SETTINGS = TrainSettings(steps=4, batch_size=4)


def simulated(**vary) -> MemorySource:
    return held_in_memory(simulate("diffusion", 1, trajectories=6, steps=3, side=8, vary=vary))


def given(density: np.ndarray, time_step):
    source = from_arrays({"density": density}, periodic=True, spacing=1 / 16)
    return with_conditions(source, {"time_step": time_step})


@pytest.fixture(scope="module")
def model():
    data = simulated(time_step=[0.02, 0.08])
    return ginjax.train(
        {"train": data, "test": data},
        SETTINGS,
        network=Network("series", channels=3, blocks=1),
        progress=False,
    )


def test_the_model_keeps_what_it_is_told_and_in_which_range(model):
    contract = model.contract
    assert contract.conditions == (Condition("time_step", 0.02, 0.08),)
    assert (contract.time_step, contract.spacing) == (None, 1 / 16)
    scale = contract.scales[1]
    np.testing.assert_allclose((scale.scale, scale.offset), (0.03, 0.05), rtol=1e-6)
    assert {each.k for each in contract.predicted} == {0}  # never predicted
    assert [each.name for each in contract.predicted] == ["density"]


def test_a_number_is_the_same_along_a_new_axis_so_that_the_conversion_is_exact(model):
    high = model.to_dimension(2)
    assert high.certificate.exact
    assert high.contract.conditions == model.contract.conditions
    high.verify()
    field = np.random.default_rng(0).normal(size=(2, 3, 8)).astype(np.float32)
    low_data, high_data = (
        given(values, [0.02, 0.05]) for values in (field, np.repeat(field[..., None], 6, -1))
    )
    low = model.predict(low_data, steps=3)["density"]
    np.testing.assert_allclose(
        high.predict(high_data, steps=3)["density"], np.repeat(low[..., None], 6, -1), atol=2e-6
    )
    # The number matters, or nothing was tested.
    other = given(field, 0.08)
    assert np.abs(model.predict(other, steps=3)["density"] - low).max() > 1e-3


def test_arrays_are_given_with_numbers(model):
    frame = np.random.default_rng(0).normal(size=8)
    found = model.predict({"density": frame, "time_step": 0.04}, steps=2)["density"]
    data = given(frame[None, None], 0.04)
    np.testing.assert_array_equal(found, model.predict(data, steps=2)["density"][0])
    with pytest.raises(ArgumentError, match="arrays to start from: got density, expected density, time_step"):
        model.predict({"density": frame})


def test_data_that_lack_the_number_are_refused_by_name(model):
    silent = replace(simulated(), time_step=None)
    with pytest.raises(ArgumentError, match="condition 'time_step' of the data: got none") as refused:
        model.evaluate(silent, progress=False)
    assert "`conditions=['time_step=NUMBER']`" in str(refused.value.hint)
    assert model.evaluate(with_conditions(silent, {"time_step": 0.04}), progress=False).remarks == ()


def test_numbers_far_from_those_of_the_training_are_remarked(model):
    far = with_conditions(replace(simulated(), time_step=None), {"time_step": 0.2})
    evaluation = model.evaluate(far, progress=False)
    assert (
        "condition 'time_step' is 0.2: the network was trained between 0.02 and 0.08"
        in evaluation.warnings[0]
    )
    with pytest.warns(GinjaxWarning, match="condition 'time_step' is 0.2"):
        model.predict(far)


def test_going_on_gains_a_number_and_remembers_the_range_of_both_trainings(model):
    more = simulated(time_step=[0.08, 0.16], diffusivity=[0.02, 0.04])
    with pytest.warns(GinjaxWarning, match="the model gains diffusivity:0\\+"):
        tuned = model.tune({"train": more, "test": more}, SETTINGS, valid=0, progress=False)
    assert tuned.contract.conditions == (
        Condition("time_step", 0.02, 0.16),
        Condition("diffusivity", 0.02, 0.04),
    )
    assert tuned.contract.time_step is None


def test_a_tuning_that_keeps_the_weights_keeps_the_range(model):
    more = simulated(time_step=[0.08, 0.16])
    settings = replace(SETTINGS, learning_rate=1e-9)
    with pytest.warns(GinjaxWarning, match="the weights are those it began with"):
        tuned = model.tune({"train": more, "valid": more}, settings, progress=False)
    assert tuned.training.kept_start and tuned.contract.conditions == (Condition("time_step", 0.02, 0.08),)


def test_a_model_of_one_time_step_gains_that_it_is_told_it():
    one = simulated()
    plain = ginjax.train(
        {"train": one}, SETTINGS, network=Network("series", channels=3, blocks=1), progress=False
    )
    assert plain.contract.time_step == 0.04
    several = simulated(time_step=[0.02, 0.08])
    with pytest.raises(
        ArgumentError, match=r"time step of the data: got one for each trajectory, expected 0.04"
    ):
        plain.evaluate(several, progress=False)
    with pytest.warns(GinjaxWarning, match="the model gains time_step:0\\+"):
        tuned = plain.tune({"train": several}, SETTINGS, valid=0, progress=False)
    assert (tuned.contract.time_step, tuned.contract.told) == (None, {"time_step"})


def test_a_number_that_never_varies_is_pointed_out():
    one = with_conditions(simulated(), ["time_step"])
    with pytest.warns(GinjaxWarning, match="the same in all data to train on: time_step 0.04"):
        ginjax.train(
            {"train": one}, SETTINGS, network=Network("series", channels=3, blocks=1), progress=False
        )


def test_a_condition_that_a_file_lacks_is_dropped_on_request(model, tmp_path):
    write_well(tmp_path / "silent.h5", replace(simulated(), time_step=None), name="diffusion")
    for going_on in (model.with_fields_of, lambda path: model.tune(path, SETTINGS, progress=False)):
        with pytest.raises(
            ArgumentError, match="condition 'time_step', which the data do not state"
        ) as refused:
            going_on(tmp_path / "silent.h5")
        assert "Or `drop_fields=['time_step']`: " in refused.value.hint
    less = model.with_fields_of(tmp_path / "silent.h5", drop_fields="time_step")
    assert (less.contract.conditions, less.contract.constants) == ((), ())


def test_what_is_asked_of_a_path_says_whose_argument_it_is(model, tmp_path):
    """`predict` and `evaluate` take no `conditions`, and `tune` takes them itself."""
    path = tmp_path / "silent.h5"
    write_well(path, replace(simulated(), time_step=None), name="diffusion")
    for asked in (model.predict, model.evaluate, model.with_fields_of):
        with pytest.raises(ArgumentError) as refused:
            asked(path)
        assert "`conditions` can be said to `ginjax.open_data`, whose result stands in" in refused.value.hint
    with pytest.raises(ArgumentError) as refused:
        model.tune(path, SETTINGS, progress=False)
    assert "ginjax.open_data" not in refused.value.hint
    told = ginjax.open_data(path, conditions=["time_step=0.04"])
    assert model.predict(told, steps=1)["density"].shape == (6, 1, 8)


@pytest.mark.parametrize(
    ("numbers", "same"),
    [([0.02, 0.04, 0.08], True), ([0.08, 0.04, 0.02], False), ([0.02, 0.05, 0.08], False)],
    ids=["the same", "the other way round", "one in the middle"],
)
def test_a_training_is_another_one_with_other_numbers_in_the_same_range(numbers, same):
    density = np.random.default_rng(0).normal(size=(3, 3, 8)).astype(np.float32)

    def identity(told):
        parts = {"train": (given(density, told), None)}
        return as_json(constant_identity(cut_parts(parts, past_steps=1, residual=False, unroll=1)))

    known, asked = identity([0.02, 0.04, 0.08]), identity(numbers)
    difference = first_difference(known, asked)
    assert known["conditions"] == asked["conditions"]
    assert difference is None if same else difference[0] == "digest of the constants and conditions"
    earlier = {name: value for name, value in known.items() if name != "constants_digest"}
    assert first_difference(earlier, asked) is None  # a state of a version that did not know


def test_a_single_value_to_vary_is_the_time_step_of_all():
    assert simulated(time_step=[0.02]).time_step == 0.02
    assert simulated(time_step=[0.02], diffusivity=[0.01, 0.02]).time_step == 0.02
    assert simulated(time_step=[0.02, 0.04]).time_step is None


def test_the_time_step_of_an_evaluation_is_that_of_its_data_or_of_the_model():
    plain = ginjax.train(
        {"train": simulated()},
        SETTINGS,
        network=Network("series", channels=3, blocks=1),
        progress=False,
        valid=0,
        test=0,
    )
    silent = replace(simulated(), time_step=None)
    assert plain.evaluate(silent, split="train", progress=False).time_step == 0.04
    assert plain.evaluate(simulated(), split="train", progress=False).time_step == 0.04
