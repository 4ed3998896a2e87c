import json

import pytest
from command_line import app
from typer.testing import CliRunner

from ginjax.checkpoint import Field, read_model
from ginjax.models import load_model

TINY = ("--channels", "2", "--blocks", "1")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.mark.parametrize("dim", ["1", "2", "3"])
@pytest.mark.parametrize("architecture", ["resnet", "dilresnet", "unet", "series"])
def test_every_architecture_in_every_dimension(run, architecture, dim):
    result = run("init", architecture, "--dim", dim, *TINY)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines() == ["wrote model.safetensors", "next: ginjax inspect model.safetensors"]
    loaded = load_model("model.safetensors")
    assert str(loaded.model.D) == dim
    assert architecture in loaded.record.spec["architecture"].lower()
    assert [step["step"] for step in loaded.record.provenance] == ["init"]


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        (("--side", "5", "--support", "cut"), (5, "cut")),
        (("--side", "5", "--support", "orthoplex"), (5, "orthoplex")),
        (("--side", "1"), (1, "full")),
        (("--side", "2"), (2, "full")),
        (("--filters", "filters.safetensors"), (7, "summed")),
    ],
)
def test_every_basis(run, options, recipe):
    if "--filters" in options:
        run("build-filters", "--side", "7", "--support", "summed", "--order", "0", "--dim", "2")
    result = run("init", "series", *TINY, *options)
    assert result.exit_code == 0, result.stderr
    found = read_model("model.safetensors").banks["conv"].recipe
    assert (found.side, found.support) == recipe


@pytest.mark.parametrize(
    "options",
    [
        ("--activation", "none"),
        ("--activation", "relu"),
        ("--bias", "none"),
        ("--bias", "scalar"),
        ("--norm",),
    ],
)
def test_other_settings_reach_the_model(run, options):
    run("init", "resnet", *TINY, "-o", "default")
    assert run("init", "resnet", *TINY, *options, "-o", "changed").exit_code == 0
    assert read_model("default").spec != read_model("changed").spec
    load_model("changed")


def test_fields(run):
    result = run(
        "init", "series", *TINY, "--dim", "2",
        "--in", "density:0+", "--in", "velocity:1+", "--in", "pressure:0+", "--out", "vorticity:0-",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    record = read_model("model.safetensors")
    assert record.spec["inputs"] == [[0, 0, 2], [1, 0, 1]]
    assert record.spec["outputs"] == [[0, 1, 1]]
    assert [field.name for field in record.contract.fields] == ["density", "velocity", "pressure"]
    assert record.contract.predicted == (Field("vorticity", 0, 1, "1"),)
    assert "density:0+, velocity:1+, pressure:0+" in result.stdout


def test_the_same_seed_gives_the_same_bytes(run, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert run("init", "resnet", *TINY, "--seed", seed, "-o", name).exit_code == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_json(run):
    result = run("init", "resnet", *TINY, "--json")
    assert result.stderr == ""
    payload = json.loads(result.stdout)
    assert set(payload) == {
        "dimension", "parameters", "path", "sha256", "spec", "warnings", "weight_bytes",
    }  # fmt: skip
    assert payload["weight_bytes"] == 4 * payload["parameters"]
    assert set(payload["spec"]) == {"architecture", "inputs", "options", "outputs"}
    assert payload["path"] == "model.safetensors"
    assert payload["parameters"] == read_model("model.safetensors").parameters


def test_quiet(run):
    result = run("init", "resnet", *TINY, "-q", "-o", "m.st")
    assert (result.stdout, result.stderr) == ("m.st\n", "")


def test_a_path_with_a_space_can_be_pasted(run):
    assert "next: ginjax inspect 'my model'" in run("init", "resnet", *TINY, "-o", "my model").stderr


def test_an_existing_file_is_kept(run, tmp_path):
    (tmp_path / "model.safetensors").write_text("mine")
    result = run("init", "resnet", *TINY)
    assert result.exit_code == 1
    assert "exists already" in result.stderr and "--force" in result.stderr
    assert (tmp_path / "model.safetensors").read_text() == "mine"
    assert run("init", "resnet", *TINY, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "Missing argument 'ARCH'"),
        (("vgg",), 2, "'vgg' is not one of 'resnet', 'dilresnet', 'unet', 'series'"),
        (("resnet", "--in", "density"), 2, "such as density:0+"),
        (("resnet", "--in", "density:0"), 2, "such as density:0+"),
        (("resnet", "--in", ":0+"), 2, "such as density:0+"),
        (("resnet", "--in", "density:+1"), 2, "such as density:0+"),
        (("resnet", "--in", "density:٣+"), 2, "such as density:0+"),
        (("resnet", "--in", "a:0+", "--in", "a:1+"), 2, "'a' more than once"),
        (("resnet", "--dim", "0"), 2, "'--dim'"),
        (("resnet", "--dim", "9"), 2, "'--dim'"),
        (("resnet", "--channels", "0"), 2, "'--channels'"),
        (("resnet", "--channels", "4096", "--blocks", "256"), 2, "parameters"),
        (("resnet", "--levels", "3"), 2, "--levels: got architecture 'resnet', expected architecture unet"),
        (
            ("series", "--upsample", "transpose"),
            2,
            "--upsample: got architecture 'series', expected architecture unet",
        ),
        (("resnet", "--plain", "--support", "cut"), 2, "--support: got --plain"),
        (("resnet", "--plain", "--filters", "f"), 2, "--filters: got --plain"),
        (
            ("resnet", "--side", "5", "--filters", "f"),
            2,
            "--side: got --filters as well, which says it already",
        ),
        (("unet", "--levels", "12", "--channels", "64"), 2, "parameters"),
        (("resnet", "--side", "0"), 2, "'--side'"),
        (("resnet", "--side", "31", "--dim", "4"), 2, "filter bank"),
        (("resnet", "--in", "a:4+", "--dim", "3"), 2, "filter bank"),
        (("resnet", "--support", "orthoplex", "--side", "4"), 2, "an odd side"),
        (("unet", "--side", "2"), 2, "odd side"),
        (
            ("resnet", "--activation", "cosine"),
            2,
            "Invalid value for '--activation': 'cosine' is not one of 'relu',",
        ),
        (("series", "--norm"), 2, "--norm: got architecture 'series'"),
        (("resnet", "--norm", "--in", "stress:2+"), 1, "normalisation"),
        (("resnet", "--filters", "absent"), 1, "absent: there is no such file"),
        (("resnet", "--seed", "-1"), 2, "'--seed'"),
        (("resnet", "-o", "no/such/folder"), 1, "does not exist"),
        (("resnet", "-o", "."), 1, "is a folder"),
        (("resnet", "--colour", "red"), 2, "--colour"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(run, tmp_path, args, code, message):
    result = run("init", *args)
    assert result.exit_code == code
    first, *hint = result.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert len(hint) <= 1 and all(line.startswith("hint: ") for line in hint)
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_not_a_file_of_filters(run):
    run("init", "resnet", *TINY, "-q")
    result = run("init", "resnet", "--filters", "model.safetensors", "-o", "other")
    assert result.exit_code == 1
    assert "kind 'model', expected kind 'filters'" in result.stderr
