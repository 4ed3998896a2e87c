import json
import sys

import pytest
from command_line import app
from helpers import FIXTURES
from safetensors.numpy import load_file
from typer.testing import CliRunner

MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_kernels_that_any_library_loads(run):
    result = run("export", MODEL, "-o", "weights.safetensors")
    assert result.exit_code == 0, result.stderr
    assert "by running it" in result.stdout and result.stderr == "wrote weights.safetensors\n"
    kernel = load_file("weights.safetensors")["encoder.0.conv.kernel"]
    assert kernel.ndim == 3 and kernel.shape[1:] == (1, 3)
    assert "weights.safetensors" in run("export", MODEL, "-o", "weights.safetensors").stderr
    assert (
        run("export", MODEL, "-o", "weights.safetensors", "--force", "-q").stdout == "weights.safetensors\n"
    )


def test_a_program(run):
    pytest.importorskip("flatbuffers")
    result = run("export", MODEL, "-o", "model.stablehlo", "--grid", "16", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["grid"] == "16"
    for command in ("inspect", "evaluate"):
        refused = run(command, "model.stablehlo")
        assert refused.exit_code == 1 and refused.stderr.splitlines() == [
            "error: model.stablehlo: is a program in StableHLO, which no command runs"
            + (
                ": expected a file that ginjax wrote to be read again"
                if command == "inspect"
                else ": expected a model"
            ),
            "hint: In Python jax.export.deserialize runs it; what it was made of says: ginjax inspect MODEL",
        ]


def test_a_graph(run, monkeypatch):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    result = run("export", MODEL, "-o", "model.onnx")
    assert result.exit_code == 0, result.stderr
    assert "ONNX" in result.stdout and "next: ginjax inspect model.onnx" in result.stderr
    shown = run("inspect", "model.onnx")
    assert "graph of ONNX" in shown.stdout and "convert the model that it was made of" in shown.stderr
    converted = run("convert-d", "model.onnx", "--to-dim", "2", "--json")
    assert converted.exit_code == 0, converted.stderr
    found = json.loads(converted.stdout)
    assert found["trial"]["lift"] < 1e-5 and found["slice_by_slice"]
    checked = run("verify", "model.onnx", "model.2d.onnx")
    assert checked.exit_code == 0 and "none: slice by slice" in checked.stdout
    assert "gives the graph of model.2d.onnx, byte for byte" in checked.stdout
    for name in ("onnx", "onnxruntime"):
        with monkeypatch.context() as gone:
            gone.setitem(sys.modules, name, None)
            result = run("export", MODEL, "-o", "other.onnx")
        assert result.exit_code == 1 and f"no package {name}" in result.stderr.splitlines()[0]
    assert onnx.load("model.onnx").producer_name == "ginjax"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("-o", "model.txt"), 2, ".onnx, .stablehlo, .safetensors"),
        (("-o", "a.safetensors", "--grid", "16"), 2, "--grid"),
        (("-o", "a.stablehlo", "--grid", "big"), 2, "--grid: got 'big'"),
        (("-o", "no/a.safetensors"), 1, "no"),
    ],
)
def test_what_is_refused(run, words, code, told):
    result = run("export", MODEL, *words)
    assert result.exit_code == code and told in result.stderr.splitlines()[0]


def test_a_model_is_not_replaced_by_its_kernels(run, tmp_path):
    (tmp_path / "m.safetensors").write_bytes((FIXTURES / "diffusion_1d.safetensors").read_bytes())
    result = run("export", "m.safetensors", "-o", "m.safetensors", "--force")
    assert result.exit_code == 2 and "which is the model, expected a file elsewhere" in result.stderr
    assert (tmp_path / "m.safetensors").read_bytes() == (FIXTURES / "diffusion_1d.safetensors").read_bytes()
