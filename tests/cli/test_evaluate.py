import csv
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from sweeps import few
from typer.testing import CliRunner

from ginjax.checkpoint import read_model, write_model
from ginjax.data import Field, MemorySource, Trajectories, simulate, write_well

MODEL = str(FIXTURES / "diffusion_1d.safetensors")
SHORT = ("--steps", "2", "--trajectories", "2", "--size", "16")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.mark.pictures
def test_simulations(run, tmp_path):
    result = run("evaluate", MODEL, *SHORT, "-o", "found")
    assert result.exit_code == 0, result.stderr
    header, first, second, *_ = result.stdout.splitlines()[1:]
    assert header.split()[:5] == ["step", "field", "nRMSE", "VRMSE", "relative"]
    assert (first.split()[:2], second.split()[:2]) == (["1", "density"], ["2", "density"])
    assert result.stderr.splitlines()[-2] == "wrote found"
    assert "next: ginjax convert-d" in result.stderr.splitlines()[-1]
    found = json.loads((tmp_path / "found" / "evaluation.json").read_text())
    for metric in ("nrmse", "vrmse", "relative_l2"):
        mine, unchanged = (found["errors"][name]["density"][metric] for name in ("model", "persistence"))
        assert mine[0] < 0.2 * unchanged[0]
        assert mine[0] < mine[1]
    assert found["lost_at"] == {"model": None, "persistence": None}
    for name in ("fields", "errors", "spectra"):
        assert (tmp_path / "found" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    again = run("evaluate", MODEL, *SHORT, "-o", "found")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)


@pytest.mark.pictures
def test_a_roll_out_that_blows_up_is_a_result(run):
    record = read_model(MODEL)
    for array in record.arrays.values():
        array *= np.float32(3e38)
    write_model("wild.safetensors", record)
    result = run("evaluate", "wild.safetensors", *SHORT[2:], "--steps", "8", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    lost = found["lost_at"]["model"]
    assert lost is not None
    assert found["errors"]["model"]["density"]["nrmse"][lost - 1] is None
    assert f"blows up: NaN or infinity at step {lost}" in found["warnings"][0]


def test_parts_of_the_data_and_a_baseline_from_scratch(run, tmp_path):
    for part, seed in (("train", 0), ("test", 9)):
        (tmp_path / "data" / part).mkdir(parents=True)
        data = simulate("diffusion", 1, trajectories=2, steps=3, side=8, seed=seed)
        write_well(f"data/{part}/d.h5", data, name="diffusion")
    small = ("--arch", "series", "--channels", "2", "--blocks", "1", "--steps", "2", "-q")
    assert run("train", "--data", "data", *small, "--past-steps", "2", "--residual").exit_code == 0
    result = run("evaluate", "model.safetensors", "--data", "data", "--from-scratch", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["steps"], found["trajectories"]) == (2, 2)
    assert "part 'test'" in found["data"]
    # two steps from the same seed, settings and data: the baseline of a model trained from scratch is the model
    model, scratch = (found["errors"][name]["density"]["nrmse"] for name in ("model", "from scratch"))
    np.testing.assert_allclose(model, scratch, rtol=1e-4)
    assert model != found["errors"]["persistence"]["density"]["nrmse"]
    wrong = run("evaluate", "model.safetensors", "--data", "data", "--pde", "diffusion")
    assert (wrong.exit_code, "--pde: got --data" in wrong.stderr) == (2, True)


def stored(path, seed=0, trajectories=10):
    values = np.random.default_rng(seed).normal(size=(trajectories, 3, 8)).astype(np.float32)
    data = Trajectories((Field("density", 0, 0),), {"density": values}, 1, 0.5, 0.1)
    write_well(path, MemorySource.of(data), name="made up", force=True)


@pytest.fixture
def trained(run):
    """A model of one file, and what evaluating it says and does."""
    stored("d.h5")
    small = ("--arch", "series", "--channels", "2", "--blocks", "1", "--batch-size", "4", "-q")

    def train(*more):
        result = run("train", "--data", "d.h5", *small, *more, "--force")
        assert result.exit_code == 0, result.stderr

    def evaluate(data, *more):
        result = run("evaluate", "model.safetensors", "--data", data, *more, "-o", "found", "--force")
        wrote = result.exit_code == 0
        with open("found/evaluation.json") if wrote else nullcontext() as file:
            return result, json.load(file) if wrote else None

    return train, evaluate


def test_data_of_the_training_are_known_whatever_they_are_called(trained, tmp_path):
    train, evaluate = trained
    train("--steps", "2")
    (tmp_path / "d.h5").rename(tmp_path / "renamed.h5")
    result, found = evaluate("renamed.h5")
    assert (found["trajectories"], found["data"]) == (1, "renamed.h5, 1D, part 'test'")
    assert "the part that was held out from its training is used" in result.stderr
    stored("d.h5", seed=1)
    result, found = evaluate("d.h5")
    assert (found["trajectories"], found["data"]) == (10, "d.h5, 1D")
    assert "not known as data of the model's training: all are used" in result.stderr
    refused, _ = evaluate("d.h5", "--from-scratch")
    assert refused.exit_code == 2
    assert "data to train on from scratch: got d.h5, other data than those" in refused.stderr


def test_the_one_step_error_is_the_number_that_the_training_ended_with(trained):
    train, evaluate = trained
    train("--steps", "2", "--test", "0.3", "--past-steps", "2")
    stated = read_model("model.safetensors").provenance[-1]["one_step_error"]
    result, found = evaluate("d.h5", "--csv", "all.csv")
    measured = found["one_step_errors"]["model"]
    assert measured == pytest.approx(stated, rel=1e-5) and measured["trajectories"] == 3
    assert f"one-step error, from every frame (nRMSE): {stated['model']:.3g} ± " in result.stdout
    # The rollouts begin at the first frames: here there is one step, and their error is in physical units.
    (first,) = found["errors"]["model"]["density"]["nrmse"]
    assert first != pytest.approx(stated["model"], rel=1e-5)
    (spread,) = found["deviations"]["model"]["density"]["nrmse"]
    assert spread > 0 and f"{first:.3g} ± {spread:.2g}" in result.stdout
    with open("all.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    (row,) = [
        r
        for r in rows
        if (r["forecast"], r["field"], r["metric"]) == ("model.safetensors", "density", "nrmse")
    ]
    assert (row["step"], float(row["time"]), row["trajectories"]) == ("1", 0.1, "3")
    assert (float(row["mean"]), float(row["deviation"])) == pytest.approx((first, spread))
    assert {r["forecast"] for r in rows} == {"model.safetensors", "persistence", "truth"}
    again = CliRunner().invoke(app, ["evaluate", "model.safetensors", "--data", "d.h5", "--csv", "all.csv"])
    assert (again.exit_code, "all.csv" in again.stderr) == (1, True)
    assert not Path("model.evaluation").exists()
    alone, _ = evaluate("d.h5", "--trajectories", "1")
    assert "±" not in alone.stdout


def test_several_models_are_compared_on_what_all_of_them_hold_out(trained, tmp_path):
    train, _ = trained
    train("--steps", "2", "--test", "0.3")
    (tmp_path / "model.safetensors").rename("a.safetensors")
    train("--steps", "3", "--test", "0.3")
    command = ("evaluate", "model.safetensors", "a.safetensors", "--data", "d.h5")
    result = CliRunner().invoke(app, [*command, "--csv", "both.csv", "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    with open("both.csv", newline="") as file:
        forecasts = {row["forecast"] for row in csv.DictReader(file)}
    assert forecasts == {"model.safetensors", "a.safetensors", "persistence", "truth"}
    twice = CliRunner().invoke(app, ["evaluate", "a.safetensors", "a.safetensors"])
    assert twice.exit_code == 2 and "got one of them twice" in twice.stderr
    assert (found["trajectories"], set(found["errors"])) == (3, {"model", "a.safetensors", "persistence"})
    assert found["models"] == {"model": "model.safetensors", "a.safetensors": "a.safetensors"}
    assert set(found["one_step_errors"]) == {"model", "a.safetensors"}
    assert found["path"] == "evaluation"
    alone = json.loads(CliRunner().invoke(app, [*command[:1], *command[2:], "-o", "alone", "--json"]).stdout)
    theirs = (found["errors"]["a.safetensors"], alone["errors"]["model"])
    np.testing.assert_allclose(*(each["density"]["nrmse"] for each in theirs), rtol=1e-5)
    train("--steps", "2", "--test", "0.3", "--seed", "5")  # another partition of the same data
    shared = [CliRunner().invoke(app, [*command, "--force", "--json"])]
    if shared[0].exit_code == 0:
        assert json.loads(shared[0].stdout)["trajectories"] < 3
    else:
        assert "none that every model holds out" in shared[0].stderr
    wrong = CliRunner().invoke(app, ["evaluate", "a.safetensors", str(FIXTURES / "burgers_2d.safetensors")])
    assert (wrong.exit_code, "dimension of burgers_2d.safetensors: got 2D" in wrong.stderr) == (2, True)


def test_data_that_were_only_trained_on_are_not_evaluated_on_in_silence(trained):
    train, evaluate = trained
    train("--steps", "2", "--test", "0")
    refused, _ = evaluate("d.h5")
    error, hint = refused.stderr.splitlines()[-2:]
    assert refused.exit_code == 2 and error.startswith(
        "error: part of the data: got test: no trajectory of these data was held out"
    )
    assert hint == "hint: Add --split train, knowing that the model has seen these data; or use others."
    _, found = evaluate("d.h5", "--split", "train")
    assert found["trajectories"] == 9


@pytest.mark.parametrize("budget", [("--steps", "3000"), *few(())], ids=["with steps", "alone"])
def test_a_run_ended_by_time_has_a_baseline_as_long(trained, budget):
    train, evaluate = trained
    train("--time-budget", "0.02s", "--valid", "0", "--learning-rate", "0.1", *budget)
    (step,) = read_model("model.safetensors").provenance
    assert 0 < step["steps_done"] < 3000
    assert step["schedule"] == ("cosine" if budget else "constant") and ("steps" in step) == bool(budget)
    _, found = evaluate("d.h5", "--from-scratch")
    model, scratch = (found["errors"][name]["density"]["nrmse"] for name in ("model", "from scratch"))
    np.testing.assert_allclose(model, scratch, rtol=1e-6)
