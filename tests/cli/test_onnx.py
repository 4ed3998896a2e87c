"""Graphs of ONNX on the command line."""

import json
import sys

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from small_graphs import SAME, STEM, K, make, onnx, weights
from typer.testing import CliRunner

pytest.importorskip("onnxruntime")
NODES = [STEM, ("Relu", "h", "r", {}), ("Conv", "r d", "s", SAME | {"strides": [2, 2]}), ("ConvTranspose", "s u", "y", {"strides": [2, 2]})]  # fmt: skip
ARRAYS = {"k": K, "d": weights(4, 4, 3, 3), "u": weights(4, 2, 2, 2)}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    onnx.save(make(NODES, ARRAYS, dims=("N", 3, "H", "W")), "net.onnx")
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_convert_verify_inspect(run):
    planned = run("convert-d", "net.onnx", "--to-dim", "3", "--dry-run", "--json")
    assert planned.exit_code == 0, planned.stderr
    nodes = {node["name"]: node for node in json.loads(planned.stdout)["nodes"]}
    assert nodes["conv2"]["after"] == [4, 4, 3, 3, 3] and nodes["relu1"]["action"] == "as it is"
    assert nodes["conv2"]["inputs"] == ["r", "d"]
    result = run("convert-d", "net.onnx", "--to-dim", "3", "--verify")
    assert result.exit_code == 0, result.stderr
    assert "compatible: all 3 convolutions reproduce the 2D network exactly" in result.stdout
    assert "multiple of its stride 2" in result.stderr
    assert result.stderr.endswith("next: ginjax verify net.onnx net.3d.onnx\n")
    dims = onnx.load("net.3d.onnx").graph.input[0].type.tensor_type.shape.dim
    assert [each.dim_param or each.dim_value for each in dims] == ["N", 3, "depth", "H", "W"]
    checked = run("verify", "net.onnx", "net.3d.onnx", "--json")
    assert checked.exit_code == 0, checked.stderr
    found = json.loads(checked.stdout)
    assert found["lift"] < 1e-6 < 1e-2 < found["noise"] and found["made_again"] and found["holds"]
    shown = run("inspect", "net.3d.onnx")
    assert shown.exit_code == 0 and "matches the model" in shown.stdout and "depth" in shown.stdout
    assert "convert-d net.onnx --to-dim 3" in run("inspect", "net.onnx").stderr


def test_slices_that_are_not_mixed_are_told(run):
    onnx.save(make([STEM, ("Relu", "h", "y", {})], {"k": K}), "net.onnx")
    told = "nothing is mixed along the new axis"
    assert told in run("convert-d", "net.onnx", "--to-dim", "3").stderr
    checked = run("verify", "net.onnx", "net.3d.onnx")
    assert checked.exit_code == 0 and told in checked.stderr and "none: slice by slice" in checked.stdout
    assert told in run("inspect", "net.3d.onnx").stderr
    mixed = run("convert-d", "net.onnx", "--to-dim", "3", "--rescale", "mean", "-o", "mean.onnx")
    assert mixed.exit_code == 0 and told not in mixed.stderr


def test_the_higher_graph_is_named_second(run):
    run("convert-d", "net.onnx", "--to-dim", "3", "-q")
    result = run("verify", "net.3d.onnx", "net.onnx")
    assert result.exit_code == 2 and "Name the graph before conversion first." in result.stderr
    result = run("verify", "net.onnx", "net.3d.onnx", "--size", "7")
    assert result.exit_code == 2 and result.stderr.startswith(
        "error: --size: got 7, expected a multiple of 2"
    )
    result = run("convert-d", "net.3d.onnx", "--to-dim", "3")
    assert result.exit_code == 2 and "the graph is in 3D already" in result.stderr


def test_verify_finds_what_was_changed_afterwards(run):
    run("convert-d", "net.onnx", "--to-dim", "3", "-q")
    model = onnx.load("net.3d.onnx")
    kernel = next(each for each in model.graph.initializer if each.name == "d")
    kernel.raw_data = (onnx.numpy_helper.to_array(kernel) * np.float32(1.01)).tobytes()
    onnx.save(model, "net.3d.onnx")
    result = run("verify", "net.onnx", "net.3d.onnx")
    assert result.exit_code == 3 and "net.3d.onnx does not do what net.onnx does" in result.stderr
    assert "has changed since" in result.stderr
    assert "void" in run("inspect", "net.3d.onnx").stdout


def test_a_network_that_ignores_its_input_shows_nothing(run):
    onnx.save(make(NODES, {**ARRAYS, "u": 0 * ARRAYS["u"]}), "net.onnx")
    result = run("convert-d", "net.onnx", "--to-dim", "3", "--verify")
    assert result.exit_code == 3 and "shows nothing" in result.stderr
    assert "for two random fields that differ by 0.0e+00" in result.stderr


def test_a_rule_that_is_not_exact_beside_zeros_promises_nothing(run):
    result = run("convert-d", "net.onnx", "--to-dim", "3", "--rescale", "mean", "-o", "mean.onnx")
    assert result.exit_code == 0 and "zeros beyond the ends" in result.stderr
    checked = run("verify", "net.onnx", "mean.onnx")
    assert checked.exit_code == 0 and "promises nothing" in checked.stderr
    result = run("convert-d", "net.onnx", "--to-dim", "3", "--rescale", "mean", "--new-boundary", "periodic", "-o", "wrap.onnx")  # fmt: skip
    assert result.exit_code == 0 and "exactly" in result.stdout
    assert json.loads(run("verify", "net.onnx", "wrap.onnx", "--json").stdout)["lift"] < 1e-6


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--modules", "net.onnx"), 2, "--modules: got a graph of ONNX"),
        (("--stride", "a:2"), 2, "--stride"),
        (("--dtype", "float16"), 2, "--dtype"),
        (("--rescale", "compatibility"), 2, "--rescale"),
        (("--rescale", "all"), 2, "--rescale"),
        (("--new-boundary", "mirror"), 2, "--new-boundary mirror"),
        (("--new-boundary", "z=edge"), 2, "--new-boundary"),
        (("--new-axis", "x"), 2, "--new-axis"),
        (("-o", "no/net.onnx"), 1, "no"),
        (("-o", "net.onnx"), 2, "--output: got net.onnx, which is the graph"),
        (("-o", "./net.onnx", "--force"), 2, "which is the graph, expected a file elsewhere"),
        (("-o", "net.safetensors"), 2, "got net.safetensors, expected a name that ends in .onnx"),
        (("--flex", "1"), 2, "--flex: got a graph of ONNX, which is converted without it"),
    ],
)
def test_what_is_refused(run, words, code, told):
    result = run("convert-d", "net.onnx", "--to-dim", "3", *words)
    assert result.exit_code == code and told in result.stderr.splitlines()[0]


def test_one_line_for_what_cannot_be_read_or_carried(run, tmp_path, monkeypatch):
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    for command in (
        ("convert-d", "bad.onnx", "--to-dim", "3"),
        ("inspect", "bad.onnx"),
        ("verify", "bad.onnx", "net.onnx"),
    ):
        result = run(*command)
        assert result.exit_code == 1 and result.stderr.startswith("error: bad.onnx: "), result.stderr
    for name, content, told in (
        ("empty.onnx", b"", "is empty: expected a graph of ONNX"),
        ("text.onnx", b"no graph", "is text: expected a graph of ONNX"),
    ):
        (tmp_path / name).write_bytes(content)
        result = run("inspect", name)
        assert result.exit_code == 1 and told in result.stderr and "ginjax inspect" not in result.stderr
    (tmp_path / "graph.safetensors").write_bytes((tmp_path / "net.onnx").read_bytes())
    assert "graph of ONNX" in run("inspect", "graph.safetensors").stdout
    (tmp_path / "model.onnx").write_bytes((FIXTURES / "diffusion_1d.safetensors").read_bytes())
    assert "ResNet" in run("inspect", "model.onnx").stdout
    result = run("convert-d", "net.onnx", "--to-dim", "3", "--layout", "keras")
    assert result.exit_code == 1 and "Leave out --layout keras" in result.stderr
    onnx.save(make([STEM, ("ArgMax", "h", "y", {"axis": 2})], {"k": K}, outputs=("h",)), "flat.onnx")
    result = run("convert-d", "flat.onnx", "--to-dim", "3")
    assert result.exit_code == 1 and "node 'argmax1' (ArgMax of 'h')" in result.stderr.splitlines()[0]
    result = run("verify", "net.onnx", "no.safetensors")
    assert result.exit_code == 1 and "no.safetensors" in result.stderr
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = run("convert-d", "net.onnx", "--to-dim", "3")
    assert result.exit_code == 1 and "no package onnx" in result.stderr.splitlines()[0]
    assert "pip install onnx" in result.stderr
