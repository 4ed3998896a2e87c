"""Mistakes of a command are told before what an earlier run has left, whose advice would not help with them."""

import json

import pytest
from command_line import app, once
from helpers import FIXTURES
from typer.testing import CliRunner
from unfinished_runs import write_state

SMALL = (
    "--arch", "series", "--channels", "2", "--steps", "4", "--trajectories", "3", "--frames", "2", "--size", "8",
)  # fmt: skip
MODEL = str(FIXTURES / "diffusion_1d.safetensors")
FROM_MODEL = ("--init", MODEL, "--steps", "4")
MISTAKES = {
    "a data file that is missing": (("--data", "absent.hdf5"), "absent.hdf5': there is no such file"),
    "a model that is missing": (("--init", "absent.safetensors"), "absent.safetensors: there is no such file"),
    "an option without effect": ((*SMALL, "--parity", "density=even"), "--parity: got no --data"),
    "a learning rate": ((*SMALL, "--learning-rate", "-1"), "'--learning-rate'"),
    "a time": ((*SMALL, "--time-budget", "soon"), "--time-budget"),
    "an interval": ((*SMALL, "--checkpoint-every", "soon"), "--checkpoint-every"),
    "a crop in no number": ((*SMALL, "--crop", "few"), "--crop"),
    "a crop as large as the grid": ((*SMALL, "--crop", "8"), "--crop: got 8"),
    "planes in 1D": ((*SMALL, "--planes", "flat"), "--planes: got a simulation in 1D"),
    "weights to freeze": ((*SMALL, "--freeze", "nothing"), "--freeze: got"),
    "a batch that does not divide": (
        (*SMALL, "--batch-size", "7", "--accumulate", "2"),
        "--batch-size: got 7, expected a positive multiple of 2",
    ),
    "devices": ((*SMALL, "--devices", "4000"), "--devices: got 4000"),
    "past frames": ((*SMALL, "--past-steps", "9"), "expected at least"),
    "another equation than the model's": ((*FROM_MODEL, "--pde", "gray-scott"), "fields of the data: got substrate"),
    "another dimension than the model's": ((*FROM_MODEL, "--dim", "2"), "--dim: got 2"),
}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, once(args), prog_name="ginjax")


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def leave(name):
    write_state(name)
    name.write_bytes(b"an earlier model")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_what_an_earlier_run_left(run, tmp_path, mistake):
    words, told = MISTAKES[mistake]
    leave(tmp_path / "m.safetensors")
    leave(tmp_path / "m.seed0.safetensors")
    (tmp_path / "m.seeds.json").write_text(json.dumps({"asked": {"steps": "7"}}))
    before = content(tmp_path)
    for more in ((), ("--force",), ("--resume",), ("--seeds", "0,1"), ("--seeds", "0,1", "--force")):
        result = run("train", *words, "-o", "m.safetensors", *more)
        problem = next(line for line in result.stderr.splitlines() if line.startswith("error: "))
        assert told in problem, result.stderr
        assert content(tmp_path) == before


@pytest.mark.parametrize("seeds", [(), ("--seeds", "0,1")], ids=["one run", "seeds"])
def test_without_a_mistake_what_an_earlier_run_left_is_told(run, tmp_path, seeds):
    write_state(tmp_path / "m.safetensors")
    leave(tmp_path / "m.seed0.safetensors")
    before = content(tmp_path)
    result = run("train", *SMALL, "-o", "m.safetensors", *seeds)
    told = "m.seed0.safetensors: the file exists already" if seeds else "m.run: holds the state of a run"
    assert result.exit_code == 1 and told in result.stderr and "--force" in result.stderr
    assert content(tmp_path) == before
