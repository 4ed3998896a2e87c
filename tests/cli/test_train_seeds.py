import json
import tomllib

import numpy as np
import pytest
from command_line import app, once
from typer.testing import CliRunner

from ginjax.checkpoint import read_model

SMALL = (
    "--arch", "series", "--channels", "2", "--blocks", "1", "--steps", "4", "--trajectories", "3", "--frames", "2", "--size", "8",
    "--validate-every", "2",
)  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, once(args), prog_name="ginjax")


def test_several_seeds_are_those_of_single_trainings_with_mean_and_spread(run, tmp_path):
    result = run("train", *SMALL, "--seeds", "0,2", "-o", "m.safetensors")
    assert result.exit_code == 0, result.stderr
    assert run("train", *SMALL, "--seed", "2", "-o", "alone.safetensors").exit_code == 0
    first, second = tmp_path / "m.seed0.safetensors", tmp_path / "m.seed2.safetensors"
    assert second.read_bytes() == (tmp_path / "alone.safetensors").read_bytes() != first.read_bytes()
    errors = [read_model(path).provenance[-1]["one_step_error"]["model"] for path in (first, second)]
    summary = json.loads((tmp_path / "m.seeds.json").read_text())["one_step_error"]
    assert summary == {
        "mean": pytest.approx(np.mean(errors)),
        "deviation": pytest.approx(np.std(errors, ddof=1)),
        "n": 2,
    }
    row = result.stdout.splitlines()[-2]
    assert row.startswith("mean") and f"{np.mean(errors):.3g} ± {np.std(errors, ddof=1):.2g}" in row
    following = [line for line in result.stderr.splitlines() if line.startswith("next:")]
    assert following == ["next: ginjax compare m.seed0.safetensors m.seed2.safetensors"]


def test_one_seed_has_no_spread(run):
    result = run("train", *SMALL, "--seeds", "1", "-o", "m.safetensors", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["one_step_error"]["deviation"] is None and found["path"] == "m.seeds.json"
    assert [each["seed"] for each in found["seeds"]] == [1]
    assert "seed 1: the network does no better" in found["warnings"][0]
    shown = run("train", *SMALL, "--seeds", "1", "-o", "m.safetensors")
    assert "±" not in shown.stdout and "trained already" in shown.stderr


def test_the_same_command_goes_on_with_what_is_missing(run, tmp_path, monkeypatch):
    command = ("train", *SMALL, "--seeds", "0,1", "-o", "m.safetensors")
    assert run("train", *SMALL, "--seeds", "0", "-o", "m.safetensors").exit_code == 0
    before = (tmp_path / "m.seed0.safetensors").stat()
    with monkeypatch.context() as patched:
        patched.setattr("ginjax_cli._interrupt.Interrupt.asked", lambda self: True)
        stopped = run(*command)
    assert stopped.exit_code == 130 and (tmp_path / "m.seed1.run").is_dir()
    assert (
        stopped.stderr.splitlines()[-1].startswith("go on with: ginjax train")
        and "--seeds 0,1" in stopped.stderr
    )
    assert stopped.stderr.count("go on with") == 1
    result = run(*command)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "m.seed0.safetensors").stat() == before
    assert run("train", *SMALL, "--seed", "1", "-o", "alone.safetensors").exit_code == 0
    assert (tmp_path / "m.seed1.safetensors").read_bytes() == (tmp_path / "alone.safetensors").read_bytes()
    other = run(*command, "--learning-rate", "0.01")
    assert (other.exit_code, "learning_rate: got 0.01" in other.stderr) == (1, True)
    (tmp_path / "m.seeds.json").unlink()  # nobody says what the models there are
    unknown = run(*command)
    assert (unknown.exit_code, "exists already" in unknown.stderr) == (1, True)


def test_seeds_of_a_configuration(run, tmp_path):
    (tmp_path / "run.toml").write_text('seeds = "3"\nseed = 5\n')
    result = run("train", *SMALL, "--config", "run.toml", "-q")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == ["model.seed3.safetensors", "model.seeds.json"]


def test_what_is_only_said_of_several_seeds_is_of_the_command_as_typed(run, tmp_path):
    command = ("train", *SMALL, "--seeds", "4,5", "-o", "m.safetensors")
    printed = run(*command, "--print-config")
    assert printed.exit_code == 0, printed.stderr
    config = tomllib.loads(printed.stdout)
    assert (config["seeds"], config["output"], "seed" in config) == ("4,5", "m.safetensors", False)
    assert json.loads(run(*command, "--print-config", "--json").stdout)["config"] == config
    dry = run(*command, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    following = dry.stderr.splitlines()[-1].split()
    assert following[following.index("--output") + 1] == "m.safetensors"
    assert following[following.index("--seeds") + 1] == "4,5" and "--seed" not in following
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seeds", "0,0"), "2 seeds, 1 of them different"),
        (("--seeds", "a"), "whole numbers such as 0,1,2 or 0-4"),
        (("--seeds", "4-2"), "got 4-2"),
        (("--seeds", "0-99999999"), "a range of 1 to 1000"),
        (("--seeds", "0", "--seed", "1"), "--seed: got --seeds as well"),
    ],
)
def test_what_is_no_list_of_seeds(run, words, message):
    result = run("train", *SMALL, *words)
    assert (result.exit_code, message in result.stderr) == (2, True)


def test_seeds_under_a_misspelt_name_begin_anew_and_say_so(run):
    words = ("train", *SMALL, "--seeds", "0-1", "-o")
    first = run(*words, "fisher.safetensors")
    assert first.exit_code == 0 and "was found to go on with" not in first.stderr
    misspelt = run(*words, "fishr.safetensors", "--resume")
    assert misspelt.exit_code == 0
    assert misspelt.stderr.count("no run of 'fishr.safetensors' was found to go on with") == 1
    assert "Did you mean --output fisher.safetensors?" in misspelt.stderr
    assert "was found to go on with" not in run(*words, "fisher.safetensors", "--resume").stderr
