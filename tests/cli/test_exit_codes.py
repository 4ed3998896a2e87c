"""A value that does not go with the model, the data or the equation is wrong usage, whichever layer finds it out."""

import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

MODEL = str(FIXTURES / "diffusion_1d.safetensors")
TINY = ("--size", "8", "--trajectories", "2", "--frames", "3")
PLAIN = ("init", "unet", "--plain", "--levels", "1", "--dim", "1", "--in", "u:0+", "-o", "plain.safetensors")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("data", "generate", "--pde", "navier-stokes-forced", "--dim", "3", "--planes", "flat", *TINY),
            "--planes of navier-stokes-forced: it has none",
        ),
        (
            ("convert-d", MODEL, "--to-dim", "2", "--rescale", "centre"),
            "inflation of an equivariant model: got rule 'centre'",
        ),
        (
            ("convert-d", "plain.safetensors", "--to-dim", "2", "--rescale", "volume"),
            "conversion by filters of a model without invariant filters",
        ),
        (("train", "--norm", "--crop", "8", "--steps", "1", *TINY), "--crop: the network looks at the whole"),
    ],
)
def test_a_value_that_does_not_fit_is_wrong_usage(run, words, told):
    assert run(*PLAIN).exit_code == 0
    result = run(*words)
    assert result.exit_code == 2, result.stderr
    assert result.stderr.splitlines()[-2].startswith(f"error: {told}") and "hint: " in result.stderr


def test_a_graph_for_any_grid_of_a_network_that_needs_a_grid_is_wrong_usage(run):
    pytest.importorskip("onnxruntime")
    assert run(*PLAIN).exit_code == 0
    result = run("export", "plain.safetensors", "-o", "plain.onnx")
    assert result.exit_code == 2 and result.stderr.endswith("hint: Name its sides with --grid.\n")
