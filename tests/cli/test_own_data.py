"""`convert-d` and `verify` with data: a model that sees two frames and predicts changes, in its own task."""

import json
from dataclasses import replace

import numpy as np
import pytest
from command_line import app
from drawn_records import drawn_record, small_spec
from helpers import FIXTURES, FULL3, S
from typer.testing import CliRunner

from ginjax.checkpoint import DataContract, axes_of, convert_record, read_model, write_model
from ginjax.data import (
    Field,
    FieldScale,
    MemorySource,
    Normalisation,
    Trajectories,
    Windows,
    open_data,
    simulate,
    write_pairs,
    write_well,
)
from ginjax.ml import OwnTask, RuleRow
from ginjax.ml.transfer._rule_comparison import _best
from ginjax.models import from_record

DENSITY = Field("density", 0, 0)
CONTRACT = DataContract(
    axes_of((True,)),
    (DENSITY,),
    scales=(FieldScale(DENSITY, 2.0, 1.0, increment=0.5),),
    past_steps=2,
    residual=True,
    spacing=1.0,
    time_step=0.5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model in 1D and its conversion to 2D; data of both dimensions, those of 2D in two parts."""
    made = tmp_path_factory.mktemp("own")
    spec = small_spec("SimpleConvSeries", [((0, 0), 2)], S, depth=2)
    record = replace(drawn_record(spec, 1, FULL3, dtype=np.float32), contract=CONTRACT)
    write_model(made / "low", record)
    write_model(made / "high", convert_record(record, 2, "compatibility").after)
    write_well(made / "1d.h5", random_source(1, 0), name="density")
    for part, seed in (("train", 1), ("test", 2)):
        (made / "2d" / part).mkdir(parents=True)
        write_well(made / "2d" / part / "d.h5", random_source(2, seed), name="density")
    return made


def random_source(D, seed, time_step=0.5, trajectories=2):
    values = np.random.default_rng(seed).normal(size=(trajectories, 5, *(8,) * D)).astype(np.float32)
    return MemorySource.of(Trajectories((DENSITY,), {"density": values}, D, 1.0, time_step))


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.chdir(folder)

    def call(*args):
        result = CliRunner().invoke(app, args, prog_name="ginjax")
        assert "Traceback" not in result.stderr
        return result

    return call


def measured(name, data, samples=16):
    """The error of a model file in its own task, and of no change."""
    record = read_model(name)
    task = OwnTask.of(record.contract, open_data(data), samples=samples)
    found = task.error(from_record(record))
    return found.model, found.persistence


def test_all_rules_with_errors_on_data(run):
    args = ("convert-d", "low", "--to-dim", "2", "--rescale", "all", "--data", "2d")
    payload = json.loads(run(*args, "--json").stdout)
    rows = {row["rule"]: row["error"] for row in payload["rules"]}
    error, no_change = measured("high", "2d/test")
    assert rows["compatibility"] == pytest.approx(error, rel=1e-5)
    assert payload["no_change"] == pytest.approx(no_change, rel=1e-5)
    assert payload["data"] == "6 samples of 2d, 2D, part 'test'" and payload["best_by"] == "error"
    assert payload["best"] == min(rows, key=rows.get)
    shown = run(*args, "--samples", "2")
    assert "error: one-step error (nRMSE) on 2 samples of 2d, 2D, part 'test'; of no change:" in shown.stdout
    train = json.loads(run(*args, "--split", "train", "--json").stdout)
    assert train["no_change"] == pytest.approx(measured("high", "2d/train")[1], rel=1e-5)


def test_calibration_on_data(run, folder, tmp_path):
    args = ("convert-d", "low", "--to-dim", "2", "--rescale", "compat-flex", "--calibrate", "2d")
    result = run(*args, "--json", "-o", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert payload["data"] == "2d, 2D, part 'train'" and payload["samples"] == 6
    # The loss is that of changes in their own scale: at the start that of the plain conversion.
    X, Y = OwnTask.of(read_model("high").contract, open_data("2d/train")).pairs()
    np.testing.assert_allclose(
        Y[DENSITY.key][:, 0], 2 / 0.5 * (next_frame(open_data("2d/train")) - X[DENSITY.key][:, 1]), atol=1e-5
    )
    from ginjax.ml import predict

    gap = np.asarray(predict(from_record(read_model("high")), X)[DENSITY.key]) - Y[DENSITY.key]
    loss = np.square(gap).sum() / np.square(Y[DENSITY.key]).sum()
    assert payload["loss_before"] == pytest.approx(loss, rel=1e-4)
    assert payload["loss_after"] < payload["loss_before"]
    assert read_model(tmp_path / "out").certificate.exact
    assert run("verify", "low", str(tmp_path / "out"), "--size", "4").exit_code == 0


def test_calibration_on_data_of_the_models_own_dimension(run, tmp_path):
    args = ("convert-d", "low", "--to-dim", "2", "--calibrate", "1d.h5", "--samples", "4")
    result = run(*args, "-o", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    assert "of 1d.h5, 1D, laid into 2D in random directions" in " ".join(result.stdout.split())
    assert "moved from isotropic" in result.stdout and "physics prefers no direction" in result.stderr
    made = read_model(tmp_path / "out")
    assert made.certificate.exact and made.certificate.rule == "isotropic"
    assert set(made.provenance[-1]["calibrated_moves"]) == {layer.name for layer in made.layers}
    dry = run(*args, "--dry-run")
    assert "convert-d low --to-dim 2 --calibrate 1d.h5 --samples 4" in dry.stdout + dry.stderr


def next_frame(source):
    """The normalised third frame of every window."""
    frames = [source.read(t, i, i + 1)["density"] for t in range(source.trajectories) for i in (2, 3, 4)]
    return (np.concatenate(frames) - 1) / 2


def test_verify_on_data_of_the_lower_dimension(run):
    result = run("verify", "low", "high", "--data", "1d.h5", "--size", "4", "--json")
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    error, no_change = measured("low", "1d.h5")
    assert payload["data"]["lifted"] and payload["data"]["dimension"] == 1
    assert payload["data"]["error"] == pytest.approx(error, rel=1e-5)
    assert payload["data"]["no_change"] == pytest.approx(no_change, rel=1e-5)
    random = json.loads(run("verify", "low", "high", "--size", "4", "--json").stdout)
    assert random["data"] is None
    assert random["lift_float64"] != payload["lift_float64"] <= 1e-5


def test_verify_on_a_part_of_data_without_parts(run, tmp_path):
    """Split as training splits them."""
    data = str(tmp_path / "five.h5")
    write_well(data, random_source(1, 0, trajectories=5), name="density")
    whole, part = (
        json.loads(run("verify", "low", "high", "--data", data, "--size", "4", "--json", *more).stdout)[
            "data"
        ]
        for more in ((), ("--split", "train"))
    )
    assert (whole["samples"], part["samples"]) == (15, 9)


def test_a_rule_that_blew_up_is_not_the_best():
    rows = [
        RuleRow(name, 0.0, True, None, None, None, error)
        for name, error in (("a", float("nan")), ("b", 0.2), ("c", 0.1))
    ]
    assert _best(rows) == (rows[2], "by its error")
    assert _best(rows[:1]) == (None, "every rule blew up on the data")


def test_verify_on_data_of_the_higher_dimension(run):
    result = run("verify", "low", "high", "--data", "2d", "--size", "4", "--split", "train")
    assert result.exit_code == 0, result.stderr
    error, no_change = measured("high", "2d/train")
    line = f"on 2d, 2D, part 'train' (nRMSE): {error:.4g}; of no change: {no_change:.4g}"
    assert line in result.stdout and "fields of side 4" in result.stdout


def test_pairs_of_such_a_model(run, tmp_path):
    """Two frames in, one out, in physical units."""
    raw = Normalisation((FieldScale(DENSITY, 1.0),))
    X, Y = Windows(open_data("2d/test"), raw, past_steps=2).take(np.arange(6))
    write_pairs(tmp_path / "pairs", X, Y)
    args = ("convert-d", "low", "--to-dim", "2", "--rescale", "all", "--json", "--data")
    pairs, data = (json.loads(run(*args, each).stdout) for each in (str(tmp_path / "pairs"), "2d"))
    assert [row["error"] for row in pairs["rules"]] == pytest.approx([r["error"] for r in data["rules"]])
    result = run(*args, str(tmp_path / "pairs"), "--split", "test")
    assert result.exit_code == 2 and "--split: got" in result.stderr and "a file of pairs" in result.stderr


def test_evaluate_reads_pairs_too(run, tmp_path):
    raw = Normalisation((FieldScale(DENSITY, 1.0),))
    write_pairs(tmp_path / "pairs", *Windows(open_data("2d/test"), raw, past_steps=2).take(np.arange(6)))
    result = run("evaluate", "high", "--data", str(tmp_path / "pairs"), "-o", str(tmp_path / "found"))
    assert result.exit_code == 0, result.stderr
    found = json.loads((tmp_path / "found" / "evaluation.json").read_text())
    assert (found["steps"], found["trajectories"]) == (1, 6)
    assert result.stderr.splitlines()[-1] == "next: ginjax inspect high"


def test_simulations_for_such_a_model(run, folder):
    """The equation has another spacing and time step than the model unless they are taken from it."""
    args = ("convert-d", "changes", "--to-dim", "2", "--rescale", "all", "--pde", "diffusion", "--json")
    source = simulate("diffusion", 1, trajectories=1, steps=1)
    about = replace(CONTRACT, spacing=source.spacing, time_step=source.time_step)
    write_model(folder / "changes", replace(read_model("low"), contract=about), force=True)
    payload = json.loads(run(*args, "--samples", "4").stdout)
    assert payload["data"] == "4 samples of diffusion in 2D" and payload["no_change"] < 1
    refused = run("convert-d", "low", "--to-dim", "2", "--rescale", "all", "--pde", "diffusion")
    assert refused.exit_code == 2 and "grid spacing of the data: got" in refused.stderr


def test_a_model_that_says_nothing_about_its_data_takes_pairs_as_they_are(run, tmp_path):
    record = drawn_record(small_spec("SimpleConvSeries", S, depth=1), 1, FULL3, dtype=np.float32)
    write_model(tmp_path / "bare", record)
    pairs = str(FIXTURES / "diffusion_3d_fields.safetensors")
    args = ("convert-d", str(tmp_path / "bare"), "--to-dim", "3", "--rescale")
    assert run(*args, "all", "--data", pairs).exit_code == 0
    result = run(*args, "all", "--data", "2d")
    assert result.exit_code == 1 and "does not say how its fields are normalised" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("convert-d low --to-dim 3 --rescale all --data 2d", "dimension of the data: got 2, expected 3"),
        ("convert-d low --to-dim 2 --data 2d", "--data: got --rescale compatibility, expected --rescale all"),
        ("convert-d low --to-dim 2 --rescale all --data 2d --pde diffusion", "--pde: got --data"),
        (
            "convert-d low --to-dim 2 --rescale all --split test",
            "--split: got no data to read, expected --data",
        ),
        ("convert-d low --to-dim 2 --samples 4", "--samples: got no data to read"),
        (
            "convert-d low --to-dim 2 --rescale compatibility --calibrate 2d",
            "--calibrate: got --rescale compatibility, expected --rescale isotropic or compat-flex",
        ),
        (
            "convert-d low --to-dim 3 --calibrate 2d",
            "dimension of the data: got 2, expected 3 (converted to) or 1 (of the model)",
        ),
        ("verify low high --data only", "part of the data: got test, expected one of train"),
        ("verify low high --data only", "Name one that is there: --split train"),
        ("convert-d high --to-dim 1 --rescale compat-flex --calibrate 1d.h5", "expected more than 2"),
        ("verify low high --periodic x", "--periodic: got no data to read, expected --data PATH"),
        ("verify low high --data 2d --periodic none", "boundaries of the data: got x not periodic"),
        ("verify low high --data fixture", "dimension of the data: got 3, expected 1 or 2"),
        ("verify low high --data slow.h5", "time step of the data: got 0.25, expected 0.5"),
    ],
)
def test_data_that_do_not_fit_are_answered_in_one_line(run, folder, args, message):
    fixture = str(FIXTURES / "diffusion_3d_fields.safetensors")
    if "slow.h5" in args and not (folder / "slow.h5").exists():
        write_well(folder / "slow.h5", random_source(1, 0, 0.25), name="density")
    if "only" in args and not (folder / "only").exists():
        (folder / "only" / "train").mkdir(parents=True)
        write_well(folder / "only" / "train" / "d.h5", random_source(2, 1), name="density")
    result = run(*args.replace("fixture", fixture).split())
    assert result.exit_code == 2, result.stderr
    assert message in result.stderr.splitlines()[-1] or message in result.stderr.splitlines()[-2]
