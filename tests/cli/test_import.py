import json

import pytest
from command_line import app
from helpers import FIXTURES, GOLDEN
from typer.testing import CliRunner

from ginjax.checkpoint import Field, read_model

NORMS = str(FIXTURES / "reference" / "norms_2d.eqx")
FIELDS = ("--in", "density:0+", "--in", "vorticity:0-", "--in", "velocity:1+")
NETWORK = ("--arch", "resnet", "--channels", "2", "--blocks", "1", "--set", "num_conv=1")
SERIES = (str(GOLDEN / "series_1d.eqx"), "--arch", "series", "--in", "density:0+", "--channels", "4")
SERIES_REST = ("--blocks", "2", "--bias", "auto", "--activation", "gelu")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_an_imported_network_is_a_model_like_any_other(run):
    result = run("import", NORMS, *NETWORK, *FIELDS, "--periodic", "x")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines() == ["wrote model.safetensors", "next: ginjax inspect model.safetensors"]
    record = read_model("model.safetensors")
    assert record.is_torus == (True, False)
    assert record.contract.fields == (
        Field("density", 0, 0),
        Field("vorticity", 0, 1),
        Field("velocity", 1, 0),
    )
    (step,) = record.provenance
    assert step["step"] == "import" and step["further"]["depth"] == 2
    shown = run("inspect", "model.safetensors")
    assert "density:0+, vorticity:0-, velocity:1+" in shown.stdout and "further" in shown.stdout
    converted = run("convert-d", "model.safetensors", "--to-dim", "3", "--lift-parity")
    assert converted.exit_code == 0, converted.stderr


def test_past_frames_and_constants_are_channels_of_the_input(run):
    plain = ("--plain", "--side", "3", "--levels", "1", "--blocks", "1", "--channels", "4")
    result = run(
        *("import", str(GOLDEN / "unet_2d_plain.eqx"), "--arch", "unet", *plain),
        *("--in", "a:0+", "--past-steps", "2", "--constant", "wall:1+", "--out", "u:1+", "--out", "v:1+"),
    )
    assert result.exit_code == 0, result.stderr
    contract = read_model("model.safetensors").contract
    assert [each.name for each in contract.inputs] == ["a", "a", "wall"]
    assert [each.name for each in contract.predicted] == ["u", "v"]


def test_json(run):
    result = run("import", NORMS, *NETWORK, *FIELDS, "--json")
    payload = json.loads(result.stdout)
    assert (payload["dimension"], payload["path"], payload["warnings"]) == (2, "model.safetensors", [])
    assert payload["spec"]["options"]["num_conv"] == 1


def test_support_of_a_network_in_one_dimension(run):
    for support in ("full", "orthoplex"):
        asked = ("--support", support, "--side", "5", "--force")
        assert run("import", *SERIES, *SERIES_REST, *asked).exit_code == 0
        assert read_model("model.safetensors").banks["conv"].recipe.support == support


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (
            (NORMS, *FIELDS, "--arch", "resnet", "--channels", "3", "--blocks", "1"),
            1,
            "array 1 of 89: got float32 (2, 1, 3)",
        ),
        ((NORMS, *FIELDS, *NETWORK, "--dim", "3"), 1, "different collections of filters"),
        ((NORMS, *FIELDS, *NETWORK, "--side", "5"), 2, "--side: got 5, expected 3"),
        ((NORMS, *FIELDS, *NETWORK, "--support", "cut"), 2, "--side: got nothing"),
        ((NORMS, *FIELDS, *NETWORK, "--levels", "2"), 2, "--levels: got architecture 'resnet'"),
        ((NORMS, *FIELDS, *NETWORK, "--set", "num_conv=0"), 2, "num_conv"),
        ((NORMS, *FIELDS, *NETWORK, "--set", "depth=2"), 2, "the same"),
        ((NORMS, *FIELDS, *NETWORK, "--set", "no=1"), 2, "'no', not known"),
        ((NORMS, *FIELDS, *NETWORK, "--set", "nothing"), 2, "NAME=VALUE"),
        ((NORMS, *FIELDS, *NETWORK, "--periodic", "z"), 2, "some of x, y"),
        ((NORMS, *FIELDS, *NETWORK, "--plain"), 2, "kernel_size"),
        (SERIES, 2, "--blocks: got nothing"),
        ((str(FIXTURES / "diffusion_1d.safetensors"), *SERIES[1:], *SERIES_REST), 1, "expected a checkpoint"),
        (("none.eqx", *SERIES[1:], *SERIES_REST), 1, "no such file"),
    ],
)
def test_what_is_refused(run, words, code, told):
    result = run("import", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    first, *rest = result.stderr.splitlines()
    assert told in first and len(rest) <= 1


def test_other_commands_say_what_it_is(run):
    shown = run("inspect", NORMS)
    assert shown.exit_code == 0
    assert "checkpoint of Equinox" in shown.stdout and "k1p1 side 3" in shown.stdout
    assert shown.stderr.splitlines()[-1].startswith(f"next: ginjax import {NORMS} --arch")
    assert json.loads(run("inspect", NORMS, "--json").stdout)["kind"] == "eqx"
    refused = run("convert-d", NORMS, "--to-dim", "3")
    assert refused.exit_code == 1 and f"ginjax import {NORMS}" in refused.stderr
