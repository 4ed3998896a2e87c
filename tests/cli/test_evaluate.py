import json

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.checkpoint import read_model, write_model
from ginjax.data import simulate, write_well

MODEL = str(FIXTURES / "diffusion_1d.safetensors")
SHORT = ("--steps", "2", "--trajectories", "2", "--size", "16")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


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


def test_a_roll_out_that_blows_up_is_a_result(run):
    record = read_model(MODEL)
    for array in record.arrays.values():
        array *= np.float32(1e36)
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
    small = ("--arch", "series", "--channels", "2", "--steps", "2", "-q")
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
