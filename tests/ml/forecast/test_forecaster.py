import dataclasses

import jax
import numpy as np
import pytest

from ginjax.checkpoint import DataContract, axes_of
from ginjax.data import Field, FieldScale, MemorySource, Trajectories
from ginjax.errors import ArgumentError, NumericsError
from ginjax.geometric import MultiImage
from ginjax.ml import PERSISTENCE, Forecaster, predicted, study_rollouts

DENSITY, VELOCITY, DEPTH = Field("density", 0, 0), Field("velocity", 1, 0), Field("depth", 0, 0)
SCALES = (FieldScale(DENSITY, 2.0, 1.0, increment=0.5), FieldScale(VELOCITY, 4.0, increment=1.0))
STEADY = FieldScale(DEPTH, 1.0)
SCALAR, VECTOR = DENSITY.key, VELOCITY.key


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class WithDepth(MemorySource):
    """A memory source with a constant field."""

    def _read_constants(self, trajectory):
        return {"depth": np.full(self.spatial, 3.0 + trajectory, np.float32)}


def source(frames=4, seed=0, kind=MemorySource, **changes):
    rng = np.random.default_rng(seed)
    fields = {
        "density": rng.normal(size=(3, frames, 4, 4)).astype(np.float32),
        "velocity": rng.normal(size=(3, frames, 4, 4, 2)).astype(np.float32),
    }
    made = kind.of(Trajectories((DENSITY, VELOCITY), fields, 2, 0.5, 0.1))
    return dataclasses.replace(made, **changes)


def forecaster(model, is_torus=(True, True), **changes):
    """A model for the data of `source`; fields that are given lose their scales."""
    known = DataContract(axes_of(is_torus), (DENSITY, VELOCITY), scales=SCALES, spacing=0.5, time_step=0.1)
    bare = {"scales": ()} if {"fields", "constants"} & changes.keys() else {}
    return Forecaster(jax.tree_util.Partial(model), dataclasses.replace(known, **bare | changes))


def same(x):
    return MultiImage({SCALAR: x[SCALAR][-1:], VECTOR: x[VECTOR][-1:]}, 2), None


def doubled(x):
    return MultiImage({key: 2 * block[-1:] for key, block in x.items()}, 2), None


def extrapolated(x):
    return MultiImage({key: 2 * block[1:2] - block[:1] for key, block in x.items()}, 2), None


def test_predictions_are_fed_back_in_physical_units():
    data = source()
    doubling = forecaster(doubled)
    steps = list(doubling.roll_out(doubling.start(data, [1, 2]), 3))
    first = data.read(1, 0, 1)
    np.testing.assert_allclose(steps[2]["velocity"][0], 8 * first["velocity"][0], rtol=1e-5)
    np.testing.assert_allclose(
        steps[2]["density"][0], 8 * (first["density"][0] - 1) + 1, rtol=1e-4, atol=1e-5
    )


def test_past_steps():
    data = source()
    line = forecaster(extrapolated, past_steps=2)
    *_, third = line.roll_out(line.start(data, [0], first=1), 3)
    old, new = data.read(0, 1, 3)["velocity"]
    np.testing.assert_allclose(third["velocity"][0], new + 3 * (new - old), rtol=1e-4, atol=1e-5)


def test_changes_and_constants():
    data = source(kind=WithDepth, constants=(DEPTH,))

    def by_depth(x):  # the scalar block holds density, then depth
        return MultiImage({SCALAR: x[SCALAR][1:], VECTOR: 0 * x[VECTOR]}, 2), None

    model = forecaster(by_depth, constants=(DEPTH,), scales=(*SCALES, STEADY), residual=True)
    *_, second = model.roll_out(model.start(data, [1]), 2)
    first = data.read(1, 0, 1)
    np.testing.assert_allclose(second["density"][0], first["density"][0] + 2 * 4.0 * 0.5, rtol=1e-5)
    np.testing.assert_array_equal(second["velocity"][0], first["velocity"][0])


def test_errors_beside_persistence():
    data = source()
    study = study_rollouts({"model": forecaster(same)}, data, [0, 1, 2], steps=3, batch_size=2)
    for field, curves in study.errors["model"].items():
        for metric, values in curves.items():
            np.testing.assert_allclose(values, study.errors[PERSISTENCE][field][metric], rtol=1e-4)
    frames = np.stack([data.read(i, 0, 4)["velocity"] for i in range(3)]).astype(float)
    ratios = [np.linalg.norm(f[2] - f[0]) / np.linalg.norm(f[2]) for f in frames]
    assert study.errors["model"]["velocity"]["nrmse"][1] == pytest.approx(np.mean(ratios), rel=1e-5)
    assert study.spectra["velocity"]["truth"].sum() == pytest.approx(
        np.square(frames[:, 3]).sum() / 48, rel=1e-6
    )
    energy = study.quantities["velocity"]["energy"]
    truth = np.square(frames).sum(axis=-1).mean(axis=(0, 2, 3)) / 2
    np.testing.assert_allclose(energy["truth"], truth[1:], rtol=1e-5)
    np.testing.assert_allclose(energy["model"], truth[[0, 0, 0]], rtol=1e-5)
    assert set(energy) == {"truth", "model", PERSISTENCE} and set(study.quantities["density"]) == {"mean"}
    assert list(study.samples) == [1, 3]
    np.testing.assert_array_equal(study.samples[3]["truth"]["velocity"], frames[0, 3].astype(np.float32))
    other = study_rollouts({"model": forecaster(doubled)}, data, [0, 1, 2], steps=3)
    assert (
        other.errors["model"]["velocity"]["nrmse"] > 1.1 * study.errors["model"]["velocity"]["nrmse"]
    ).all()


def test_the_spread_over_trajectories():
    data = source()
    study = study_rollouts({"model": forecaster(same)}, data, [0, 1, 2], steps=3, batch_size=2)
    frames = np.stack([data.read(i, 0, 4)["velocity"] for i in range(3)]).astype(float)
    ratios = [np.linalg.norm(f[2] - f[0]) / np.linalg.norm(f[2]) for f in frames]
    deviation = study.deviation("model", "velocity", "nrmse")
    assert deviation is not None and deviation[1] == pytest.approx(np.std(ratios, ddof=1), rel=1e-5)
    of_each = study.errors_by_trajectory["model"]["velocity"]
    np.testing.assert_allclose(of_each["nrmse"][:, 1], ratios, rtol=1e-5)
    np.testing.assert_allclose(of_each["nrmse"].mean(axis=0), study.errors["model"]["velocity"]["nrmse"])
    energy = np.square(frames[:, 3]).sum(axis=-1).mean(axis=(1, 2)) / 2
    spread = study.quantity_deviation("velocity", "energy", "truth")
    assert spread is not None and spread[2] == pytest.approx(np.std(energy, ddof=1), rel=1e-5)
    alone = study_rollouts({"model": forecaster(same)}, data, [0], steps=2)
    assert alone.deviation("model", "velocity", "nrmse") is None
    assert alone.quantity_deviation("velocity", "energy", "truth") is None


def test_models_that_see_different_pasts_predict_the_same_frames():
    data = source()
    models = {"model": forecaster(same), "line": forecaster(extrapolated, past_steps=2)}
    study = study_rollouts(models, data, [0, 1, 2])
    assert study.steps == 2  # the first two frames are seen
    frames = np.stack([data.read(i, 0, 4)["velocity"] for i in range(3)]).astype(float)

    def error(guess, truth):
        return np.mean([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(guess, truth, strict=True)])

    first = {name: study.errors[name]["velocity"]["nrmse"][0] for name in (*models, PERSISTENCE)}
    assert first["model"] == pytest.approx(error(frames[:, 1], frames[:, 2]), rel=1e-5)
    assert first["line"] == pytest.approx(error(2 * frames[:, 1] - frames[:, 0], frames[:, 2]), rel=1e-4)
    assert first[PERSISTENCE] == pytest.approx(first["model"], rel=1e-5)


def exploding(x):
    return MultiImage({key: 1e15 * block for key, block in x.items()}, 2), None


def test_a_blow_up_is_reported_at_its_step():
    data = source()
    study = study_rollouts({"model": forecaster(exploding)}, data, [0, 1], steps=3, batch_size=1)
    assert (study.lost_at, study.shown_step) == ({"model": 3, PERSISTENCE: None}, 2)
    values = study.errors["model"]["density"]["nrmse"]
    assert np.isfinite(values[:2]).all()
    assert not np.isfinite(values[2])
    assert list(study.samples) == [1, 2]
    with pytest.raises(NumericsError, match=r"NaN or infinity at step 3 of trajectory 0.*Predict 2 steps"):
        predicted(forecaster(exploding), data, steps=4).read(0, 0, 1)


def test_a_forecast_as_a_source():
    data = source()
    ahead = predicted(forecaster(extrapolated, past_steps=2), data, steps=3, first=1)
    assert (ahead.frames, ahead.trajectories, ahead.spacing, ahead.time_step) == (5, 3, 0.5, 0.1)
    read = ahead.read(2, 0, 5)
    given = data.read(2, 1, 3)
    np.testing.assert_array_equal(read["density"][:2], given["density"])
    np.testing.assert_allclose(np.diff(read["density"], 2, axis=0), 0, atol=1e-4)
    with pytest.raises(ArgumentError, match="frames of the data"):
        predicted(forecaster(same), data, steps=1, first=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spacing": 0.25}, "grid spacing of the data: got 0.5, expected 0.25"),
        ({"time_step": 0.2}, "time step of the data: got 0.1, expected 0.2"),
        ({"is_torus": (True, False)}, "boundaries of the data: got x periodic and y periodic"),
        ({"is_torus": (True, True, True)}, "dimension of the data: got 2, expected 3"),
        ({"fields": (Field("density", 0, 1),)}, "expected density:0-.*`fields=.'density:0-=density'.`"),
        ({"constants": (DEPTH,)}, "constant fields of the data: got none, expected depth"),
    ],
)
def test_data_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ArgumentError, match=message):
        forecaster(same, **changes).check(source(), 2)


def test_what_is_not_stated_or_the_same_to_rounding_fits():
    forecaster(same, spacing=0.5000001).check(source(time_step=None), 4)
