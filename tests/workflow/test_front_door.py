"""`import ginjax`: a scientist's own arrays to an evaluated model in a higher dimension."""

import copy
import json
import pickle
import subprocess
import sys
from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from matplotlib.figure import Figure
from registries import left_as_they_were

import ginjax
from ginjax.data import write_well
from ginjax.errors import ArgumentError, FileError, GinjaxError, GinjaxWarning, VerificationError
from ginjax.ml import Metric, register_metric
from ginjax.models import certificate_between

TINY = ginjax.Network("series", channels=2, blocks=1)
STEPS = ginjax.TrainSettings(steps=12, batch_size=4)


def velocity(D, trajectories=6, side=8):
    """A decaying vector field on a periodic grid, `(trajectory, time, *space, D)`."""
    rng = np.random.default_rng([D, trajectories])
    phases = rng.uniform(0, 2 * np.pi, (trajectories, 1, *(1,) * D, D))
    along = np.meshgrid(*[2 * np.pi * np.arange(side) / side] * D, indexing="ij")
    wave = np.sin(sum(along)[None, None, ..., None] + phases)
    return (wave * 0.8 ** np.arange(5).reshape(1, 5, *(1,) * D, 1)).astype(np.float32)


def data(D, **changed):
    said = {"order": {"velocity": 1}, "spacing": 0.1, "time_step": 0.05, "periodic": True} | changed
    return ginjax.from_arrays({"velocity": velocity(D)}, **said)


@pytest.fixture(scope="module")
def model():
    return ginjax.train(data(2), STEPS, network=TINY, progress=False)


@pytest.fixture(scope="module")
def model3(model):
    return model.to_dimension(3, rescale="compatibility")


@pytest.fixture(scope="module")
def report(model3):
    return model3.evaluate(data(3), steps=3, progress=False)


def test_importing_costs_nothing():
    code = (
        "import sys, ginjax; print([m for m in ('jax', 'numpy', 'rich', 'matplotlib') if m in sys.modules])"
    )
    alone = "import sys, lazy_loader; print([m for m in ('jax', 'numpy', 'rich', 'matplotlib') if m in sys.modules])"
    ran = [
        subprocess.run([sys.executable, "-c", each], capture_output=True, text=True, check=True).stdout
        for each in (code, alone)
    ]
    assert ran[0] == ran[1] and "jax" not in ran[0]


def test_every_name_of_the_front_door_is_there_and_described():
    assert set(ginjax.__all__) <= set(dir(ginjax))
    for name in ginjax.__all__:
        found = getattr(ginjax, name)
        assert found is not None
        assert name == "__version__" or found.__doc__
    with pytest.raises(AttributeError):
        _ = ginjax.no_such_name


def test_training_says_how_it_went(model):
    assert model.D == 2 and model.network.D == 2
    assert [each.kind for each in model.contract.fields] == ["velocity:1+"]
    assert (model.contract.spacing, model.contract.time_step) == (0.1, 0.05)
    assert model.training.steps == 12 and model.training.error.persistence > 0
    assert [step["step"] for step in model.history] == ["train"]
    assert isinstance(model.training.plot(), Figure)
    assert repr(model) == (
        "Model(SimpleConvSeries in 2D; velocity:1+; "
        f"{model.record.parameters:,} parameters; trained 12 steps on arrays)"
    )


def test_the_same_arguments_give_the_same_weights(model):
    again = ginjax.train(data(2), STEPS, network=TINY, progress=False)
    assert again.record.digest == model.record.digest
    other = ginjax.train(
        data(2), ginjax.TrainSettings(steps=12, batch_size=4, seed=1), network=TINY, progress=False
    )
    assert other.record.digest != model.record.digest


def test_a_converted_model_knows_its_parent_and_is_verified_against_it(model, model3):
    assert model3.parent is model and model3.D == 3 and model3.certificate.exact
    found = model3.verify()
    assert found.lifts and found.is_equivariant and found.condition < 1e-6
    assert "lift test in float64" in repr(found)
    assert "converted 2D -> 3D by compatibility; certificate exact" in repr(model3)
    with pytest.raises(VerificationError):
        model3.verify(tolerance=1e-12)
    wrong = model.with_network(jax.tree.map(lambda a: 1.1 * a if eqx.is_array(a) else a, model.network))
    with pytest.raises(VerificationError, match=r"condition \(C\)"):
        model3.verify(low=wrong)


def test_a_conversion_calibrated_on_data_of_the_models_own_dimension(tmp_path, capsys):
    low = ginjax.train(data(1), STEPS, network=replace(TINY, blocks=2), progress=False)
    chosen = low.calibrate(2, data(1), samples=2, progress=False)
    assert "calibrating" not in capsys.readouterr().err
    assert chosen.D == 2 and chosen.parent is low and chosen.certificate.exact
    assert chosen.certificate.rule == "isotropic" and chosen.history[-1]["calibrated_moves"]
    for wrong, said in (
        (data(3), r"got 3, expected 2 \(converted to\) or 1 \(of the model\)"),
        (velocity(1), "data: got ndarray"),
    ):
        with pytest.raises(ArgumentError, match=said):
            low.calibrate(2, wrong)
    parted = low.calibrate(2, {"train": data(1)}, samples=2, progress=False)
    assert parted.record.digest == chosen.record.digest
    write_well(tmp_path / "low.h5", data(1), name="waves")
    found = low.calibrate(2, tmp_path / "low.h5", samples=2)
    assert found.history[-1]["calibrated_moves"].keys() == chosen.history[-1]["calibrated_moves"].keys()
    assert "calibrating" in capsys.readouterr().err


def test_what_there_is_no_parent_of_is_asked_for(model, model3, tmp_path):
    back = ginjax.load(model3.save(tmp_path / "model.3d.safetensors"))
    with pytest.raises(ArgumentError, match=r"expected verify\(low=\.\.\.\)"):
        back.verify()
    assert back.verify(low=model).lifts
    with pytest.raises(ArgumentError, match="another one than 3"):
        back.verify(low=model3)


def test_an_evaluation_in_numbers_pictures_and_files(report, tmp_path):
    errors = report.errors["velocity"]["nrmse"]
    assert errors.shape == (3,) and np.isfinite(errors).all() and errors[0] > 0
    assert report.errors_of_no_change["velocity"]["nrmse"].shape == (3,)
    lines = repr(report).splitlines()
    assert lines[0] == "SimpleConvSeries on arrays, 3D: 6 trajectories"
    assert lines[1].split()[:3] == ["step", "field", "nRMSE"]
    assert float(lines[2].split()[2]) == pytest.approx(errors[0], rel=1e-2)
    for picture in ("fields", "errors", "spectra"):
        assert isinstance(report.plot(picture), Figure)
    with pytest.raises(ArgumentError, match="one of fields, errors, spectra"):
        report.plot("cake")
    folder = report.save(tmp_path / "there" / "report")
    assert sorted(each.name for each in folder.iterdir()) == [
        "errors.png",
        "evaluation.json",
        "fields.png",
        "spectra.png",
    ]
    numbers = json.loads((folder / "evaluation.json").read_text())
    assert numbers["errors"]["model"]["velocity"]["nrmse"] == errors.tolist()
    with pytest.raises(FileError, match="exists"):
        report.save(folder)
    report.save(folder, force=True)


def test_every_trajectory_is_kept_beside_the_mean(report):
    study = report.study
    rows = study.errors_by_trajectory["model"]["velocity"]["nrmse"]
    assert rows.shape == (6, 3) and np.ptp(rows[:, 0]) > 0
    np.testing.assert_allclose(rows.mean(axis=0), report.errors["velocity"]["nrmse"])
    energies = study.spectra_by_trajectory["velocity"]["truth"]
    assert len(energies) == 6
    np.testing.assert_allclose(energies.mean(axis=0), study.spectra["velocity"]["truth"])
    assert study.grid == (8, 8, 8) and study.contract.D == 3


def test_a_figure_shows_itself_in_a_notebook(report):
    assert report.plot("errors")._repr_png_().startswith(b"\x89PNG")


def test_predictions_are_in_physical_units_and_those_of_the_evaluation(model3, report):
    u = velocity(3)
    found = model3.predict({"velocity": u[:2]}, 2, first=0)["velocity"]
    assert found.shape == (2, 2, 8, 8, 8, 3) and found.dtype == np.float32
    one = model3.predict({"velocity": u[0, 0]}, 2)["velocity"]
    np.testing.assert_allclose(one, found[0], atol=1e-6)
    np.testing.assert_allclose(model3.predict(data(3), 2, first=0)["velocity"][1], found[1], atol=1e-6)
    difference, truth = found[0, 0] - u[0, 1], u[0, 1]
    assert np.abs(difference).max() < 2 * np.abs(truth).max()
    late = model3.predict({"velocity": u[0]}, 1)["velocity"]
    np.testing.assert_allclose(late, model3.predict({"velocity": u[0, 4]}, 1)["velocity"], atol=1e-6)
    assert np.abs(late - one[:1]).max() > 1e-3  # control: another frame to start from


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ({"speed": np.zeros((8, 8, 2))}, "got speed, expected velocity"),
        ({"velocity": np.zeros((8, 2))}, r"axes of field 'velocity', of order 1 in 2D: got shape \(8, 2\)"),
        ({"velocity": np.zeros((8, 8, 3))}, r"shape of field 'velocity'.*got \(1, 1, 8, 8, 3\)"),
        ({"velocity": np.full((8, 8, 2), np.nan)}, "value of 'velocity' at .* got nan"),
    ],
)
def test_what_cannot_be_started_from(model, start, said):
    with pytest.raises(ArgumentError, match=said):
        model.predict(start)


def test_data_that_a_model_is_not_for_are_refused(model):
    with pytest.raises(ArgumentError, match="spacing"):
        model.evaluate(data(2, spacing=0.3), progress=False)
    with pytest.raises(ArgumentError, match="dimension"):
        model.evaluate(data(3), progress=False)
    with pytest.raises(
        ArgumentError, match="first: got 5, of 5 frames, 1 of which in a row are seen, expected 0 to 4"
    ):
        model.predict(data(2), first=5)
    with pytest.raises(ArgumentError, match="data: got int"):
        model.evaluate(3, progress=False)


def test_the_part_that_training_held_out_is_known_again(model):
    found = model.evaluate(data(2), progress=False)
    assert "part 'test'" in found.data and found.study.trajectories == 1
    everything = model.evaluate({"test": data(2)}, progress=False)
    assert everything.study.trajectories == 6


def test_tuning_goes_on_from_a_model(model3, monkeypatch):
    # Two steps gain little: here the start gives way to anything.
    monkeypatch.setattr("ginjax.ml.training._engine.START_MARGIN", float("inf"))
    free = model3.tune(data(3), ginjax.TrainSettings(steps=2, batch_size=2), progress=False)
    assert [step["step"] for step in free.history] == ["train", "convert", "tune"]
    assert free.parent is None and free.certificate is None
    assert free.contract.scales == model3.contract.scales
    assert free.training.error_before.model > 0


def test_a_tuning_that_does_not_help_gives_the_model_back(model, model3):
    wild = ginjax.TrainSettings(steps=2, batch_size=2, learning_rate=10.0, warmup=0.0)
    with pytest.warns(GinjaxWarning, match="the weights are those it began with, bit for bit"):
        same = model3.tune(data(3), wild, progress=False)
    assert same.training.kept_start and same.training.best_step == 0
    assert "rollouts of 4 steps" in same.training.judged
    assert all(
        array.tobytes() == model3.record.arrays[name].tobytes() for name, array in same.record.arrays.items()
    )
    assert same.certificate.exact and not same.record.certificate_is_stale
    assert same.parent is model and same.verify().lifts
    # Control: with nothing to judge by, the last weights are taken.
    with pytest.warns(GinjaxWarning, match="no better than predicting no change|made the error"):
        other = model3.tune(data(3), wild, valid=0, progress=False)
    assert not other.training.kept_start and other.training.judged is None
    assert other.training.error.model > same.training.error.model


def test_one_trajectory_is_judged_at_its_end(model3):
    one = ginjax.from_arrays(
        {"velocity": velocity(3)[:1]}, order={"velocity": 1}, spacing=0.1, time_step=0.05, periodic=True
    )
    with pytest.warns(GinjaxWarning) as caught:
        tuned = model3.tune(one, ginjax.TrainSettings(steps=2, batch_size=2), progress=False)
    assert any("no trajectory is held out: the tuning is judged by" in str(each.message) for each in caught)
    assert "last frames of each trajectory" in tuned.training.judged
    assert tuned.training.error is not None


def test_without_validation_nothing_is_chosen_whatever_the_data(model3):
    """Parts, and one trajectory: the last weights, though they are absurd."""
    wild = ginjax.TrainSettings(steps=2, batch_size=2, learning_rate=10.0, warmup=0.0)
    said = {"order": {"velocity": 1}, "spacing": 0.1, "time_step": 0.05, "periodic": True}
    one, other = (ginjax.from_arrays({"velocity": velocity(3, n)}, **said) for n in (1, 4))
    judged = {"train": data(3), "valid": other}
    for given in (one, {"train": one}, {"train": data(3)}, judged):
        with pytest.warns(GinjaxWarning, match="nothing was validated on: whether the tuning made"):
            tuned = model3.tune(given, wild, valid=0, progress=False)
        assert tuned.training.judged is None and not tuned.training.kept_start
        assert tuned.history[-1]["steps_done"] == 2 and "best_step" not in tuned.history[-1]
        assert (tuned.training.error is None) == (given is not judged)
        assert set(tuned.contract.parts) == ({"train", "test"} if given is judged else {"train"})
    # Control: with a part to judge by they are not taken.
    with pytest.warns(GinjaxWarning, match="bit for bit"):
        assert model3.tune(judged, wild, progress=False).training.kept_start


def test_a_network_changed_by_hand_keeps_everything_but_its_certificate(model3, tmp_path):
    where = lambda network: network.layers[0].conv.weights  # noqa: E731
    doubled = jax.tree.map(lambda a: 2 * a, where(model3.network))
    changed = model3.with_network(eqx.tree_at(where, model3.network, doubled))
    assert changed.contract == model3.contract and changed.history[:-1] == model3.history
    assert changed.history[-1]["step"] == "edit"
    assert changed.record.certificate_is_stale and not model3.record.certificate_is_stale
    assert "changed by hand; certificate stale" in repr(changed)
    back = ginjax.load(changed.save(tmp_path / "changed.safetensors"))
    assert back.record.certificate_is_stale and back.contract == model3.contract
    assert not model3.with_network(model3.network).record.certificate_is_stale
    with pytest.raises(ArgumentError, match="network: got SimpleConvSeries in 2D"):
        model3.with_network(model3.parent.network)


def test_saving_a_bare_network_says_what_its_file_lacks(model, tmp_path):
    with pytest.warns(GinjaxWarning, match=r"ginjax\.Model"):
        ginjax.models.save_model(tmp_path / "bare.safetensors", model.network)


def test_copies_and_pickles_predict_the_same(model3):
    u = {"velocity": velocity(3)[0, 0]}
    before = model3.predict(u)["velocity"]
    for other in (copy.copy(model3), copy.deepcopy(model3), pickle.loads(pickle.dumps(model3))):
        assert other.record.digest == model3.record.digest and other.parent.D == 2
        np.testing.assert_array_equal(other.predict(u)["velocity"], before)


def test_a_network_by_the_name_of_its_architecture():
    with pytest.raises(ArgumentError, match="architecture: got 'transformer'"):
        ginjax.train(data(2), STEPS, network="transformer", progress=False)


def test_an_untrained_network_is_a_model_that_can_be_tuned(tmp_path):
    design = TINY.design(data(1).contract.fields, data(1).contract.fields)
    fresh = ginjax.Model.of(design.build(1), data(1).contract)
    up = ginjax.load(fresh.to_dimension(2).save(tmp_path / "init.safetensors"))
    with pytest.raises(FileError, match="how its fields are normalised"):
        up.predict(data(2))
    tuned = up.tune(data(2), STEPS, progress=False)
    assert tuned.contract.scales[0].scale > 0
    assert np.isfinite(tuned.predict(data(2))["velocity"]).all()


def test_progress_goes_to_standard_error_and_can_be_turned_off(capsys, monkeypatch):
    monkeypatch.setattr("ginjax._progress._QUIET_SECONDS", 0.0)
    one = ginjax.simulate("diffusion", 1, trajectories=4, steps=2, side=8)
    small = ginjax.Network("series", channels=1, blocks=1)
    for shown in (True, False):
        ginjax.train(one, ginjax.TrainSettings(steps=2), network=small, progress=shown)
        out, err = capsys.readouterr()
        assert out == ""
        assert ("simulating diffusion, 1D: 100% (4/4)" in err and "training: " in err) == shown
        assert shown or err == ""


def test_other_models_beside_it_have_names_of_their_own(model):
    other = model.with_network(jax.tree.map(lambda a: 0.0 * a if eqx.is_array(a) else a, model.network))
    found = model.evaluate(data(2), beside={"zero": other}, progress=False)
    alone = model.evaluate(data(2), progress=False)
    for metric, values in alone.errors["velocity"].items():
        np.testing.assert_allclose(found.errors["velocity"][metric], values, rtol=1e-5)
    assert "nRMSE of zero" in repr(found)
    for taken in ("model", "persistence", "no change", "truth"):
        with pytest.raises(ArgumentError, match=f"name of a model beside: got '{taken}'"):
            model.evaluate(data(2), beside={taken: other}, progress=False)


def test_a_report_shows_what_was_measured(report):
    lines = repr(report)
    with left_as_they_were():
        register_metric(Metric("late", "late", lambda found: found.error[0]))
        assert repr(report) == lines and isinstance(report.plot("errors"), Figure)


def test_a_certificate_of_another_conversion_promises_nothing(model):
    by_volume = model.to_dimension(3, "volume")
    assert by_volume.verify().condition > 1e-3  # measured: the rule promises nothing
    top = by_volume.to_dimension(4)
    hand = replace(top.record, certificate=None)
    for high in (top, ginjax.Model(top.network, hand)):
        assert certificate_between(model.record, high.record) is None
    assert certificate_between(by_volume.record, top.record) is top.certificate


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda m: m.predict(data(2), 1.5), "steps: got 1.5, expected a whole number, 1 or more"),
        (lambda m: m.predict(velocity(2)), "start: got ndarray"),
        (lambda m: m.to_dimension(2.0), "D: got 2.0"),
        (lambda m: m.to_dimension(3, None), "rescale: got None"),
        (lambda m: m.verify(low="x"), "low: got str"),
        (lambda m: m.verify(low=m, side=0), "side: got 0"),
        (lambda m: m.with_network(None), "network: got NoneType"),
        (lambda m: m.evaluate(data(2), trajectories=-1), "trajectories: got -1"),
        (lambda m: m.tune(data(2), {"steps": 3}), "settings: got {'steps': 3}"),
        (lambda m: ginjax.train(data(2), 10), "settings: got 10, expected a ginjax.TrainSettings"),
        (lambda m: ginjax.train(data(2), network=3), "network: got 3"),
        (lambda m: ginjax.train(data(2), network=ginjax.Network(activation=lambda x: x * x)), "activation"),
        (lambda m: ginjax.Model.of(m.network, ginjax.from_arrays({"d": velocity(2)[..., 0]}, periodic=True).contract),
         "fields of the contract, as input of the network"),
    ],
)  # fmt: skip
def test_what_is_no_argument_is_refused_before_any_work(model, wrong, said):
    with pytest.raises(GinjaxError, match=said):
        wrong(model)


def test_parts_by_name_have_to_be_alike():
    parts = {"train": data(2), "test": data(2, periodic=False)}
    with pytest.raises(ArgumentError, match="part 'test' of the data"):
        ginjax.train(parts, STEPS, network=TINY, progress=False)
    with pytest.raises(ArgumentError, match="part 'test' of the data"):
        ginjax.train({"train": data(2), "test": data(3)}, STEPS, network=TINY, progress=False)


def test_history_that_is_changed_changes_no_model(model):
    model.history[0]["steps"] = 99
    assert model.history[0]["steps"] == 12


def test_parts_that_share_trajectories_are_pointed_out(model):
    with pytest.warns(GinjaxWarning, match="also in other parts: 6 of those of 'test'"):
        ginjax.train({"train": data(2), "test": data(2)}, STEPS, network=TINY, progress=False)
    known = model.evaluate({"test": data(2)}, progress=False)
    assert "the model was trained on these data" in known.note
