"""Runs of `ginjax train` that are finished, extended, tried out, and written down."""

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import app, changed
from sweeps import few
from typer.main import get_command
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax.ml import OneStepError, TrainSettings
from ginjax_cli._train_report import following_command

SMALL = (
    "--arch",
    "series",
    "--channels",
    "2",
    "--blocks",
    "1",
    "--trajectories",
    "2",
    "--frames",
    "2",
    "--size",
    "8",
)
THREE = (*SMALL, "--schedule", "constant", "--warmup", "0", "--steps", "3")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, ["train", *args], prog_name="ginjax")


@pytest.mark.pictures
def test_a_finished_run_gets_the_curve_that_it_did_not_come_to(run, tmp_path):
    words = (*changed(THREE, "--steps", "10"), "-o", "m.safetensors")
    assert run(*words).exit_code == 0
    curve = tmp_path / "m.curve.png"
    first, when = curve.read_bytes(), curve.stat().st_mtime_ns
    assert run(*words, "--resume").exit_code == 0 and curve.stat().st_mtime_ns == when
    curve.unlink()
    again = run(*words, "--resume")
    assert (again.exit_code, curve.read_bytes() == first) == (0, True), again.stderr


def test_a_finished_run_stays_or_is_extended(run, tmp_path):
    model = tmp_path / "model.safetensors"
    said = run(*THREE)
    assert said.exit_code == 0 and "is kept in model.run: --resume with more steps" in said.stderr
    first = model.read_bytes()
    for force in ((), ("--force",)):
        again = run(*THREE, "--resume", *force)
        assert (again.exit_code, model.read_bytes() == first) == (0, True), again.stderr
        assert "finished already, after 3 steps: model.safetensors stays as it is" in again.stderr
        assert "wrote" not in again.stderr
        following = again.stderr.splitlines()[-1].split()[3:]
        assert following[-3:] == ["--steps", "6", "--resume"]
    assert run(*THREE, "--resume", "-q").stdout == "model.safetensors\n"
    longer = run(*changed(THREE, "--steps", "8"), "--resume")
    assert longer.exit_code == 0, longer.stderr
    assert "going on after step 3 of 8\nchanged from here on: steps 3 -> 8\n" in longer.stderr
    (step,) = read_model(model).provenance
    assert (step["steps_done"], step["changes"]) == (8, [{"after": 3, "steps": [3, 8]}])
    alone = run(*changed(THREE, "--steps", "8"), "-o", "alone.safetensors")
    assert alone.exit_code == 0
    weights = [read_model(tmp_path / name).arrays for name in ("model.safetensors", "alone.safetensors")]
    assert all(weights[0][name].tobytes() == weights[1][name].tobytes() for name in weights[1])
    second = model.read_bytes()
    for args, code, words in (
        (
            ("--steps", "3"),
            0,
            "finished already, after 8 steps",
        ),  # the job that was queued before it was extended
        (("--steps", "5"), 2, "--steps: got 5, expected more than 8"),
        (("--steps", "8", "--learning-rate", "0.1"), 2, "--steps: got 8, expected more than 8"),
        (("--steps", "9", "--seed", "1"), 1, "--seed: got 1, expected 0"),
        (("--steps", "9", "--channels", "3"), 1, "--channels: got 3, expected 2"),
        (("--steps", "9", "--force", "--seed", "1"), 1, "--seed: got 1, expected 0"),
    ):
        found = run(*changed(THREE, *args), "--resume")
        assert (found.exit_code, words in found.stderr) == (code, True), found.stderr
        assert model.read_bytes() == second
    (tmp_path / "model.run" / "state.safetensors").unlink()
    for force in ((), ("--force",)):
        found = run(*changed(THREE, "--steps", "9"), "--resume", *force)
        assert found.exit_code == 1 and "the state of its run is not there" in found.stderr
        known = run(*changed(THREE, "--steps", "8"), "--resume", *force)  # by the model alone
        assert known.exit_code == 0
        assert model.read_bytes() == second
    assert (
        run(*THREE, "--force").exit_code == 0 and model.read_bytes() == first
    )  # what begins anew is --force alone


def test_what_force_let_a_run_replace_the_command_to_go_on_replaces(run, tmp_path, monkeypatch):
    assert run(*THREE, "--seed", "7", "-q").exit_code == 0
    old = (tmp_path / "model.safetensors").read_bytes()
    asked = iter([False, True])
    monkeypatch.setattr("ginjax_cli._interrupt.Interrupt.asked", lambda self: next(asked, False))
    stopped = run(*changed(THREE, "--steps", "12"), "--force", "--json")
    assert stopped.exit_code == 130 and (tmp_path / "model.safetensors").read_bytes() == old
    words = json.loads(stopped.stdout)["go_on_with"].split()[2:]
    assert "--force" in words and words[-1] == "--resume"
    refused = run(*(word for word in words if word not in ("--force", "--json")))
    assert refused.exit_code == 1 and "another run: " in refused.stderr
    assert run(*words).exit_code == 0
    assert read_model(tmp_path / "model.safetensors").provenance[-1]["steps_done"] == 12


def test_no_state_is_kept_where_none_is_wanted(run, tmp_path):
    result = run(*THREE, "--no-keep-state")
    assert result.exit_code == 0 and "is kept in" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.log.jsonl", "model.safetensors"]
    assert result.stderr.splitlines()[-1].endswith("--steps 12 --force")


def test_what_an_earlier_run_left_does_not_stay_beside_another_model(run, tmp_path):
    for name in ("model.last.safetensors", "model.curve.png"):
        (tmp_path / name).write_text("of an earlier run")
    result = run(*THREE, "--force")
    assert result.exit_code == 0, result.stderr
    assert "no learning curve is drawn: of the 10 points that it needs model.log.jsonl has 3" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.log.jsonl", "model.run", "model.safetensors",
    ]  # fmt: skip


# --- before it begins --------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_it_takes_and_writes_nothing(run, tmp_path):
    (tmp_path / "model.safetensors").write_text("mine")  # nothing is asked of the output
    result = run(*THREE, "--batch-size", "99", "--dry-run")
    assert result.exit_code == 0, result.stderr
    for words in (
        "parameters ",
        "samples ",
        "memory of a step ",
        "compiling took ",
        "seconds a step ",
        "time to the end ",
    ):
        assert f"\n{words}" in result.stdout
    cut = "the batch has 4 samples in place of 99: there are no more"
    assert f"warning: {cut}" in result.stderr
    following = result.stderr.splitlines()[-1]
    assert following.startswith("next: ginjax train ") and "--batch-size 99" in following
    assert "--dry-run" not in following
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    asked = json.loads(run(*THREE, "--batch-size", "99", "--dry-run", "--json").stdout)
    assert cut in asked["warnings"]
    payload = json.loads(run(*THREE, "--dry-run", "--json").stdout)
    assert not any("the batch has" in each for each in payload.get("warnings", ()))
    estimate = payload["estimate"]
    assert payload["dry_run"] is True and estimate["steps"] == 3 and estimate["samples"] == 4
    assert estimate["memory_bytes"] > estimate["working_bytes"] > 0 and estimate["seconds_per_step"] > 0


def test_a_run_says_the_same_at_its_beginning(run):
    result = run(*THREE)
    assert "memory of a step " in result.stderr and "memory of a step " not in result.stdout
    assert run(*THREE, "-q", "--force").stderr.startswith("warning: the network does no better")


# --- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        (*THREE, "--seed", "4", "--clip", "0"),
        *few(
            (*SMALL, "--epochs", "2", "--batch-size", "3", "--freeze", "layers.0", "--support", "orthoplex")
        ),
    ],
)
def test_the_printed_settings_make_the_same_model(run, tmp_path, asked):
    printed = run(*asked, "--print-config")
    assert printed.exit_code == 0, printed.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "whole.toml").write_text(printed.stdout)
    assert tomllib.loads(printed.stdout)["batch-size"] == (4 if asked[-1] == "0" else 3)
    assert run("--config", "whole.toml").exit_code == 0
    once = (tmp_path / "model.safetensors").read_bytes()
    assert run(*asked, "--force").exit_code == 0
    assert (tmp_path / "model.safetensors").read_bytes() == once
    assert run("--config", "whole.toml", "--print-config").stdout == printed.stdout
    config = json.loads(run(*asked, "--print-config", "--json").stdout)["config"]
    assert config == tomllib.loads(printed.stdout)
    # The settings stand in the model too.
    (step,) = read_model(tmp_path / "model.safetensors").provenance
    stored = TrainSettings.from_json(step).to_json()
    for name in (
        "steps",
        "batch_size",
        "learning_rate",
        "schedule",
        "warmup",
        "clip",
        "noise",
        "unroll",
        "seed",
    ):
        assert stored[name] == config[name.replace("_", "-")], name
    assert (step["size"], step["trajectories"], step["frames"]) == (8, 2, 2)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--init", "x", "--channels", "16"), "--channels: got --init as well"),
        (("--init", "x", "--arch", "resnet"), "--arch: got --init as well"),
        (("--init", "x", "--filters", "y"), "--filters: got --init as well"),
        (("--init", "x", "--no-norm"), None),
        (("--filters", "y", "--side", "3"), "--side: got --filters as well"),
        (("--keep-compatible",), "--keep-compatible: got no --init"),
        (("--adapt", "spacing"), "--adapt: got no --init"),
        (
            ("--optimiser", "adam", "--weight-decay", "0.1"),
            "--weight-decay: got --optimiser adam, which has none",
        ),
        (("--time-budget", "3s", "--warmup", "0.1"), "--warmup: got --time-budget alone"),
        (("--valid", "0", "--patience", "2"), "--patience: got --valid 0"),
        (("--valid", "0", "--validate-every", "2"), "--validate-every: got --valid 0"),
        (("--dry-run", "--resume"), "--resume: got --dry-run"),
        (("--arch", "resnet", "--levels", "2"), "--levels: got architecture 'resnet'"),
        (("--arch", "resnet", "--upsample", "repeat"), "--upsample: got architecture 'resnet'"),
        (("--plain", "--support", "full"), "--support: got --plain"),
        (("--distributed", "--devices", "1"), "--devices: got --distributed as well"),
    ],
)
def test_options_that_would_be_ignored_are_refused(run, tmp_path, args, message):
    result = run(*args)
    if message is None:
        assert "--no-norm" not in result.stderr  # what it turns off is off
        return
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert list(tmp_path.iterdir()) == []


def test_fractions_of_data_that_are_parted_already(run, tmp_path):
    values = np.random.default_rng(0).standard_normal((4, 3, 8)).astype(np.float32)
    for part in ("train", "valid"):
        (tmp_path / "d" / part).mkdir(parents=True)
        np.savez(tmp_path / "d" / part / "a.npz", density=values)
    words = (
        "--data",
        "d",
        "--field",
        "density:0+=density",
        "--axes",
        "trajectory,time,x",
        "--periodic",
        "all",
    )
    for option in ("--valid", "--test"):
        result = run(*words, option, "0.2", *SMALL[:4], "--steps", "2")
        assert result.exit_code == 2 and f"{option}: got data that have parts already" in result.stderr
    printed = tomllib.loads(run(*words, *SMALL[:4], "--steps", "2", "--print-config").stdout)
    assert not {"valid", "test", "pde", "size"} & set(printed)


# --- what comes next ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "persistence", "asked", "following"),
    [
        (0.5, 0.9, (), "ginjax convert-d model.safetensors --to-dim 3 --rescale compatibility"),
        (0.9, 0.5, ("--seed", "3"), "ginjax train --seed 3 --steps 40 --resume"),
        (1.0, 1.4, (), "ginjax train --steps 40 --resume"),  # as good as the mean, whose error is 1
        (0.9, 0.5, ("--no-keep-state",), "ginjax train --no-keep-state --steps 40 --force"),
        (0.9, 0.5, ("--time-budget", "5s"), "ginjax train --steps 40 --time-budget 20s --resume"),
        (0.9, 0.5, ("-o", "a b"), "ginjax train --output 'a b' --steps 40 --resume"),
    ],
)
def test_a_network_that_has_learned_nothing_is_trained_longer(model, persistence, asked, following):
    command = get_command(app).commands["train"]  # pyright: ignore[reportAttributeAccessIssue]
    ctx = command.make_context("train", ["--steps", "10", *asked])
    record = SimpleNamespace(D=1, layers=("conv",))
    settings = TrainSettings(steps=10, seconds=5.0 if "--time-budget" in asked else None)
    found = following_command(
        ctx,
        ctx.params["output"],
        record,  # pyright: ignore[reportArgumentType]
        OneStepError(model, persistence),
        settings,
        keep_state="--no-keep-state" not in asked,
    )
    assert found == following
    unknown = following_command(ctx, Path("m"), record, None, settings, keep_state=True)  # pyright: ignore
    assert unknown.startswith("ginjax convert-d m ")


def test_a_run_under_a_misspelt_name_begins_anew_and_says_so(run, tmp_path):
    """A job that is given again and again begins like this, so that it is no error."""
    assert run(*THREE, "-o", "fisher.safetensors").exit_code == 0
    new = run(*THREE, "-o", "fishr.safetensors", "--resume")
    assert new.exit_code == 0 and (tmp_path / "fishr.safetensors").exists()
    said = "warning: no run of 'fishr.safetensors' was found to go on with: a new one begins at step 0. "
    assert f"{said}Did you mean --output fisher.safetensors?\n" in new.stderr
    told = json.loads(run(*THREE, "-o", "third.safetensors", "--resume", "--json").stdout)["warnings"]
    assert "In its folder are the runs of 'fisher.safetensors', 'fishr.safetensors'" in told[0]
    assert "was found to go on with" not in run(*THREE, "-o", "fisher.safetensors", "--resume").stderr


def test_while_the_first_step_compiles_the_progress_says_so(run, monkeypatch):
    monkeypatch.setattr("ginjax._progress.PREPARING_SECONDS", 0.0)
    monkeypatch.setattr("ginjax._progress.SILENT_SECONDS", 0.02)
    said = run(*THREE)
    assert said.exit_code == 0
    assert "training: 0% (0/3), compiling the first step, " in said.stderr
