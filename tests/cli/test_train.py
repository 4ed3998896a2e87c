import json
import signal
import subprocess
import sys

import pytest
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax.data import Normalisation
from ginjax_cli.main import app

TINY = ("--steps", "3", "--trajectories", "2", "--frames", "2", "--size", "8")
SMALL = ("--arch", "series", "--channels", "2", *TINY)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.mark.parametrize(
    ("pde", "dim", "fields"),
    [
        ("diffusion", "1", ["density"]),
        ("fisher-kpp", "1", ["population"]),
        ("allen-cahn", "1", ["phase"]),
        ("burgers", "1", ["velocity"]),
        ("gray-scott", "1", ["substrate", "activator"]),
        ("diffusion", "2", ["density"]),
        ("burgers", "2", ["velocity"]),
    ],
)
def test_every_equation(run, pde, dim, fields):
    result = run("train", "--pde", pde, "--dim", dim, *SMALL)
    assert result.exit_code == 0, result.stderr
    record = read_model("model.safetensors")
    assert str(record.D) == dim
    assert [field["name"] for field in record.data["inputs"]] == fields
    assert record.data["origin"]["equation"] == pde
    assert [
        scale.field.name for scale in Normalisation.from_json(record.data["normalisation"]).scales
    ] == fields
    (step,) = record.provenance
    assert (step["step"], step["equation"], step["steps"], step["seed"], step["size"]) == (
        "train",
        pde,
        3,
        0,
        8,
    )
    assert "error of predicting no change" in result.stdout
    *_, wrote, following = result.stderr.splitlines()
    assert wrote == "wrote model.safetensors"
    assert following == "next: ginjax convert-d model.safetensors --to-dim 3 --rescale compatibility"


def test_the_same_seed_gives_the_same_bytes(run, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert run("train", *SMALL, "--seed", seed, "-o", name).exit_code == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_json(run):
    result = run("train", *SMALL, "--json")
    assert result.stderr == ""
    payload = json.loads(result.stdout)
    assert {"error", "loss", "parameters", "path", "persistence", "settings", "sha256", "warnings"} <= set(
        payload
    )
    assert {
        "batch_size", "dim", "equation", "frames", "learning_rate", "seed", "size", "steps", "trajectories",
    } <= set(payload["settings"])  # fmt: skip
    assert payload["error"] > payload["persistence"]  # three steps teach nothing
    assert len(payload["warnings"]) == 1


def test_quiet_prints_the_path_and_what_must_not_be_missed(run):
    result = run("train", *SMALL, "-q", "-o", "m.st")
    assert result.stdout == "m.st\n"
    (warning,) = result.stderr.splitlines()
    assert warning.startswith("warning: the network does no better than predicting no change")


def test_filters_of_a_file(run):
    run("build-filters", "-q", "--side", "5", "--support", "orthoplex")
    result = run("train", *SMALL, "--filters", "filters.safetensors")
    assert result.exit_code == 0, result.stderr
    recipe = read_model("model.safetensors").banks["conv"].recipe
    assert (recipe.side, recipe.support) == (5, "orthoplex")


class Worked(Exception):
    pass


def work(*args, **kwargs):
    raise Worked


def test_an_existing_file_is_refused_before_any_work(run, tmp_path, monkeypatch):
    monkeypatch.setattr("ginjax.ml.make_task", work)
    assert isinstance(run("train", *SMALL).exception, Worked)
    (tmp_path / "model.safetensors").write_text("mine")
    result = run("train", *SMALL)
    assert result.exit_code == 1
    assert "exists already" in result.stderr and "--force" in result.stderr
    assert isinstance(run("train", *SMALL, "--force").exception, Worked)
    assert (tmp_path / "model.safetensors").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--pde", "heat"), 2, "'heat' is not one of 'diffusion', 'fisher-kpp'"),
        (("--dim", "4"), 2, "'--dim'"),
        (("--size", "3"), 2, "'--size'"),
        (("--steps", "0"), 2, "'--steps'"),
        (("--frames", "0"), 2, "'--frames'"),
        (("--trajectories", "1"), 2, "'--trajectories'"),
        (("--batch-size", "0"), 2, "'--batch-size'"),
        (("--learning-rate", "0"), 2, "'--learning-rate'"),
        (("--learning-rate", "nan"), 2, "'--learning-rate'"),
        (("--learning-rate", "fast"), 2, "'--learning-rate'"),
        (("--arch", "unet", "--size", "10"), 2, "got 10, expected a multiple of 4"),
        (("--arch", "unet", "--levels", "7"), 2, "got 64, expected a multiple of 128"),
        (("--arch", "series", "--norm"), 2, "SimpleConvSeries"),
        (("--activation", "cosine"), 2, "'cosine'"),
        (("--side", "4", "--support", "orthoplex"), 2, "odd side"),
        (("--filters", "absent"), 1, "no such file"),
        (
            ("--filters", str(FIXTURES / "diffusion_1d.safetensors")),
            1,
            "kind 'model', expected kind 'filters'",
        ),
        (("-o", "no/folder"), 1, "does not exist"),
        (("surplus",), 2, "surplus"),
    ],
)
def test_bad_input_is_answered_before_any_work(run, tmp_path, monkeypatch, args, code, message):
    monkeypatch.setattr("ginjax.ml.make_task", work)
    result = run("train", *args)
    assert result.exit_code == code
    first, *hint = result.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert len(hint) <= 1 and all(line.startswith("hint: ") for line in hint)
    assert list(tmp_path.iterdir()) == []


def test_data_that_would_fill_the_memory(run, tmp_path):
    result = run("train", *SMALL, "--trajectories", "1000000000")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "values, expected at most" in result.stderr and "fewer trajectories" in result.stderr


def test_a_training_that_diverges(run, tmp_path):
    wild = ("--arch", "series", "--blocks", "8", "--activation", "relu", "--learning-rate", "10", *TINY)
    result = run("train", *wild, "--steps", "40")
    assert result.exit_code == 1
    first, hint = result.stderr.splitlines()
    assert first.startswith("error: training loss at step") and "expected a finite number" in first
    assert "Lower the learning rate" in hint
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "ginjax_cli", "train", *SMALL, "--steps", "10000"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("training: "):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [line for line in err.splitlines() if not line.startswith("training: ")] == ["error: interrupted"]
    assert out == ""
    assert list(tmp_path.iterdir()) == []
