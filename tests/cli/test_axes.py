"""Axes on the command line: asked for, said once, kept in the model, and how data were read said by every command."""

import json

import numpy as np
import pytest
from command_line import app
from typer.testing import CliRunner

from ginjax.checkpoint import convert_record, read_model, write_model

RNG = np.random.default_rng(0)
SERIES = np.cumsum(RNG.normal(size=(6, 5, 8)), axis=1).astype(np.float32)
AXES = "trajectory,time,component,x"
SAID = ("--field", "u:0+=data", "--axes", AXES, "--periodic", "none")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Channel-first output in 1D, a model trained on it, and its conversion to 2D."""
    made = tmp_path_factory.mktemp("axes")
    np.save(made / "spectral.npy", SERIES[:, :, None])
    result = CliRunner().invoke(
        app,
        ["train", "--data", str(made / "spectral.npy"), *SAID, "--steps", "1", "--arch", "series", "--channels", "2", "--blocks", "1", "--batch-size", "2",
         "-o", str(made / "m.safetensors")],
        prog_name="ginjax",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    (made / "said").write_text(result.stderr)
    high = convert_record(read_model(made / "m.safetensors"), 2, "compatibility").after
    write_model(made / "m.2d.safetensors", high)
    return made


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_the_reading_is_said_before_training(folder):
    said = (folder / "said").read_text().splitlines()
    assert said[:2] == [
        f"read as 6 trajectories of 5 frames on 8 points (axes {AXES}): u (scalar)",
        "spacing not known, time step not known; x not periodic (as was said with --periodic)",
    ]
    assert said[2] == "not checked, because the data or the model do not say: spacing, time-step"
    assert sum("periodic" in line for line in said if not line.startswith("next: ")) == 1
    # The control: read by rank, the same numbers would be a field in 2D.
    assert read_model(folder / "m.safetensors").D == 1


COMMANDS = {
    "evaluate": "evaluate m.safetensors --data spectral.npy -o {out}",
    "predict": "predict m.safetensors spectral.npy --steps 1 -o {out}",
    "verify": "verify m.safetensors m.2d.safetensors --data spectral.npy --size 4",
    "train --init": "train --init m.safetensors --data spectral.npy --steps 1 --batch-size 2 -o {out}",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_said_in_training_need_not_be_said_again(run, tmp_path, command):
    result = run(*COMMANDS[command].format(out=tmp_path / "out").split())
    assert result.exit_code == 0, result.stderr
    assert f"on 8 points (axes {AXES}): u (scalar)" in result.stderr
    assert "spacing not known" in result.stderr and "not checked, because" in result.stderr
    if command == "train --init":
        contract = read_model(tmp_path / "out").contract
        assert contract.layout == {"data": AXES} and contract.reading.fields == ("u:0+=data",)


@pytest.mark.parametrize("command", COMMANDS)
def test_other_files_of_the_kind_are_still_asked_about(run, folder, tmp_path, command):
    np.save(tmp_path / "other.npy", np.ones((21, 16, 16, 2), np.float32))
    words = (
        COMMANDS[command].format(out=tmp_path / "out").replace("spectral.npy", str(tmp_path / "other.npy"))
    )
    result = run(*words.split())
    assert result.exit_code == 2 and not (tmp_path / "out").exists(), result.stderr
    kept = (
        "u:0+=data" if command == "verify" else f"u:0+=data, data={AXES}"
    )  # of the model in 2D no axes are kept
    assert f"other.npy: read as the data of the model ({kept})" in result.stderr
    assert "Say how to read these data with --field and --axes" in result.stderr


def test_a_question_comes_with_options_to_paste(run):
    for args in (("data", "inspect", "spectral.npy"), ("train", "--data", "spectral.npy", "-o", "x")):
        result = run(*args)
        assert f"--axes {AXES} (6 trajectories of 5 frames on 8 points" in result.stderr
    assert result.exit_code == 2


def test_a_doubtful_reading_is_not_shown_as_a_fact(run):
    found = json.loads(run("data", "inspect", "spectral.npy", "--json").stdout)
    for name in ("axes", "dimension", "grid", "frames", "trajectories", "is_torus"):
        assert found[name] is None
    lines = [line.split() for line in run("data", "inspect", "spectral.npy").stdout.splitlines() if line]
    assert ["dimension", "not", "known"] in lines and ["grid", "not", "known"] in lines


def test_a_model_shows_how_its_data_were_read(run):
    said = " ".join(run("inspect", "m.safetensors").stdout.split())
    assert f"axes of the data data {AXES}" in said and "fields of the data u:0+=data" in said


def test_inspect_says_the_axes_and_hands_on_what_was_said(run):
    result = run("data", "inspect", "spectral.npy", *SAID)
    assert f"data {AXES}" in result.stdout and "x not periodic (as was said with --periodic)" in result.stdout
    assert result.stderr.splitlines()[-1] == (
        f"next: ginjax train --data spectral.npy --field u:0+=data --axes {AXES} --periodic none"
    )
    found = json.loads(run("data", "inspect", "spectral.npy", *SAID, "--json").stdout)
    assert found["axes"] == {"data": AXES} and found["spacing"] is None


def test_a_forecast_of_unknown_spacing_has_no_spacing(run, tmp_path):
    out = tmp_path / "forecast.h5"
    assert run("predict", "m.safetensors", "spectral.npy", "--steps", "1", "-o", str(out)).exit_code == 0
    found = json.loads(run("data", "inspect", str(out), "--json").stdout)
    assert found["spacing"] is None and found["time_step"] is None


def test_a_file_that_states_its_axes_takes_no_others(run):
    run("data", "generate", "--dim", "1", "--trajectories", "3", "--frames", "2", "--size", "8", "-o", "sims")
    result = run("data", "inspect", "sims/diffusion_1d.hdf5", "--axes", "trajectory,time,x")
    assert result.exit_code == 2 and "says itself which axis is which" in result.stderr


def test_next_lines_carry_what_was_said(run, tmp_path):
    words = ("evaluate", "m.safetensors", "--data", "spectral.npy", "-o", str(tmp_path / "e"), *SAID)
    line = run(*words).stderr.splitlines()[-1]
    assert line.startswith("next: ginjax predict m.safetensors spectral.npy") and f"--axes {AXES}" in line
