import json
import os
import shlex
import subprocess
import sys

import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner
from unfinished_runs import write_log, write_state

from ginjax._text import clean, shell_word
from ginjax.checkpoint import read_model, write_model
from ginjax.runs import read_run

SMALL = (
    "--arch", "series", "--channels", "2", "--steps", "3", "--trajectories", "2", "--frames", "2", "--size", "8",
)  # fmt: skip
ODD_NAMES = ["it's a model.safetensors", "a\nb", "tab\t", '"$x"', os.fsdecode(b"m\xff.safetensors")]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_a_folder(run, tmp_path):
    assert run("train", *SMALL, "-q").exit_code == 0
    write_state(tmp_path / "other.safetensors")
    (tmp_path / "bad.safetensors").write_text("no model at all")
    result = run("runs")
    assert result.exit_code == 0
    header, first, second = result.stdout.splitlines()[1:4]
    assert header.split()[:3] == ["file", "state", "data"]
    assert first.split()[:5] == ["model.safetensors", "model", "diffusion", "1", "11"]
    assert second.split()[:8] == ["other.run", "interrupted", "diffusion", "1", "15", "40", "of", "100"]
    error = read_model("model.safetensors").provenance[-1]["one_step_error"]
    assert first.split()[7] == f"{error['model']:.3g}"
    assert "warning: bad.safetensors: is text" in result.stderr
    assert result.stderr.splitlines()[-1] == "next: ginjax compare model.safetensors other.run"
    found = json.loads(run("runs", "--json").stdout)
    assert [each["state"] for each in found["runs"]] == ["model", "interrupted"]
    assert found["unread"][0]["path"] == "bad.safetensors"
    assert found["runs"][0]["one_step_error"] == error


def test_an_empty_folder(run):
    result = run("runs", "--json")
    assert (result.exit_code, json.loads(result.stdout)["runs"]) == (0, [])
    assert "no models or trainings" in run("runs").stderr
    assert run("runs", "nowhere").exit_code == 1


def test_listing_and_comparing_import_no_jax(tmp_path):
    write_state(tmp_path / "m.safetensors")
    write_state(tmp_path / "n.safetensors", seed=1)
    code = (
        "import sys\nfrom ginjax_cli.main import make_app\n"
        "try:\n    make_app([sys.argv[1]])(prog_name='ginjax', args=sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'jax', 'equinox', 'h5py', 'matplotlib'} & set(sys.modules)\nassert not heavy, heavy"
    )
    for words in (["runs"], ["compare", "m.run", "n.run"], ["inspect", "m.run", "n.run"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_the_state_of_a_real_training_is_read(run, tmp_path, monkeypatch):
    monkeypatch.setattr("ginjax_cli._interrupt.Interrupt.asked", lambda self: True)
    longer = ["9" if word == "3" else word for word in SMALL]
    result = run("train", *longer, "-o", "my run.safetensors")
    assert result.exit_code == 130
    found = read_run("my run.run")
    assert (found.state, found.D, found.parameters, found.steps) == ("interrupted", 1, 11, 9)
    shown = run("inspect", "my run.run")
    assert shown.exit_code == 0 and "'my run.run'" in shown.stdout
    assert "--resume" in shown.stderr


@pytest.mark.pictures
def test_comparing(run, tmp_path):
    one = write_state(tmp_path / "a.safetensors")
    two = write_state(tmp_path / "b.safetensors", learning_rate=0.01, data_digest="e" * 64)
    write_log(one)
    write_log(two, losses=(2.0, 0.1))
    result = run("compare", "a.run", "b.run")
    assert result.exit_code == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["training", "learning_rate", "0.003", "0.01"] in rows
    assert not any("frames" in row for row in rows)
    assert "the data differ" in result.stderr
    assert result.stderr.splitlines()[-1] == "next: ginjax compare a.run b.run -o comparison.png"
    drawn = run("compare", "a.run", "b.run", "-o", "c.png", "--json")
    assert drawn.exit_code == 0, drawn.stderr
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads(drawn.stdout)["differences"][0]["values"] == ["d" * 64, "e" * 64]
    again = run("compare", "a.run", "b.run", "-o", "c.png")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    alone = run("compare", "a.run")
    assert (alone.exit_code, "two or more" in alone.stderr) == (2, True)
    assert "no difference" in run("compare", "a.run", "a.run").stdout


def test_several_files_are_inspected(run, tmp_path):
    write_state(tmp_path / "a.safetensors")
    model = str(FIXTURES / "diffusion_1d.safetensors")
    result = run("inspect", model, "a.run")
    assert result.exit_code == 0 and "diffusion_1d.safetensors" in result.stdout
    assert result.stderr.splitlines()[-1] == f"next: ginjax compare {model} a.run"
    (tmp_path / "bad").write_text("no model at all")
    result = run("inspect", model, "bad", "a.run", "--json")
    assert result.exit_code == 1
    payload = json.loads(result.stdout)
    assert [each["kind"] for each in payload["files"]] == ["model", "run"] and list(payload["unread"]) == [
        "bad"
    ]
    assert json.loads(result.stderr)["error"].startswith("1 of 3 files were not read: bad: is text")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_can_be_pasted_into_a_shell(run, name):
    write_model(name, read_model(FIXTURES / "diffusion_1d.safetensors"))
    result = run("inspect", name)
    command = result.stderr.splitlines()[-1].removeprefix("next: ")
    assert command.isprintable()
    words = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True).stdout
    assert words.split(b"\0")[2] == os.fsencode(name)
    assert shlex.split(shell_word("plain.safetensors")) == ["plain.safetensors"]


def test_a_name_that_is_no_text_is_shown_as_bash_takes_it():
    name = os.fsdecode(b"m\xff\xfe.st")
    shown = clean(f"{name}: there is no such file").split(":")[0]
    assert subprocess.run(["bash", "-c", f"printf %s {shown}"], capture_output=True).stdout == b"m\xff\xfe.st"


def test_a_pipe_gets_the_name_as_it_is(tmp_path):
    name = b"m\xff.safetensors"
    code = "from ginjax_cli.main import main; main()"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "convert-d",
            FIXTURES / "diffusion_1d.safetensors",
            "--to-dim",
            "2",
            "-q",
            "-o",
            name,
        ],
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == name + b"\n"


MISPLACED = [
    (("inspect", "d.h5"), "is an HDF5 file", "ginjax data inspect d.h5"),
    (("data", "inspect", "m"), "m: is a model", "ginjax inspect m"),
    (("train", "--data", "m"), "m: is a model", "ginjax inspect m"),
    (("train", "--data", "models"), "is a folder of models", "ginjax runs models"),
    (("train", "--init", "d.h5"), "is an HDF5 file", "ginjax data inspect d.h5"),
    (("train", "--init", "a.run"), "the folder of a training", "ginjax inspect a.run"),
    (("train", "--config", "m"), "m: is a model", "ginjax inspect m"),
    (("train", "--filters", "m"), "m: is a model", "ginjax inspect m"),
    (("evaluate", "a.run"), "the folder of a training", "--resume"),
    (("predict", "m", "m"), "m: is a model", "ginjax inspect m"),
    (("convert-d", "d.h5", "--to-dim", "2"), "is an HDF5 file", "ginjax data inspect d.h5"),
    (("verify", "m", "a.log.jsonl"), "the log of a training", "the model beside it"),
    (("compare", "m", "d.h5"), "is an HDF5 file", "ginjax data inspect d.h5"),
    (("inspect", "models"), "is a folder of models", "ginjax runs models"),
]


@pytest.mark.parametrize(
    ("words", "problem", "hint"), MISPLACED, ids=[" ".join(each[0]) for each in MISPLACED]
)
def test_a_file_in_the_wrong_place_names_the_right_command(run, tmp_path, words, problem, hint):
    write_model("m", read_model(FIXTURES / "diffusion_1d.safetensors"))
    (tmp_path / "d.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    write_log(write_state(tmp_path / "a.safetensors"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.safetensors").write_bytes((tmp_path / "m").read_bytes())
    result = run(*words)
    error, told = result.stderr.splitlines()[-2:]
    assert result.exit_code == 1
    assert problem in error and hint in told
