import json
import shutil

import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.checkpoint import convert_record, read_model, weights_digest, write_model
from ginjax.transfer import make_rule

FIXTURE = FIXTURES / "diffusion_1d.safetensors"
VECTORS = FIXTURES / "burgers_2d.safetensors"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURE, tmp_path / "model.safetensors")
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.fixture
def unet(run):
    """A UNet whose up-convolutions have no exact counterpart."""
    made = run(
        "init", "unet", "--upsample", "transpose", "--channels", "1", "--blocks", "1", "--levels", "1", "-q",
        "--in", "density:0+", "--in", "velocity:1+", "-o", "unet.safetensors",
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    return "unet.safetensors"


def files(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_the_table_the_certificate_and_what_next(run, tmp_path):
    result = run("convert-d", "model.safetensors", "--to-dim", "3", "--rescale", "compatibility")
    assert result.exit_code == 0, result.stderr
    title, header, *rest = result.stdout.splitlines()
    assert title == "ResNet, 1D -> 3D"
    assert header.split() == ["layer", "path", "filters", "rule", "residual", "free", "exact"]
    rows = rest[: rest.index("")]
    assert len(rows) == len(read_model("model.safetensors").layers)
    assert all("2 -> 4" in row and row.endswith("yes") for row in rows)
    assert "Certificate, 1D -> 3D" in result.stdout
    assert "compatible: all 8 paths reproduce the 1D network exactly" in result.stdout
    assert result.stderr.splitlines() == [
        "wrote model.3d.safetensors",
        "use it in Python: ginjax.load('model.3d.safetensors'), on 3D fields",
        "next: ginjax verify model.safetensors model.3d.safetensors",
    ]
    assert files(tmp_path) == ["model.3d.safetensors", "model.safetensors"]


@pytest.mark.parametrize(
    ("args", "rule", "flex"),
    [
        ((), "compatibility", None),
        (("--rescale", "isotropic"), "isotropic", None),
        (("--rescale", "compat-flex", "--flex", "0.25"), "compat-flex", 0.25),
        (("--rescale", "spin-embed"), "spin-embed", None),
        (("--rescale", "volume"), "volume", None),
        (("--rescale", "none"), "none", None),
    ],
)
def test_the_file_is_that_of_the_library(run, tmp_path, args, rule, flex):
    assert run("convert-d", "model.safetensors", "--to-dim", "2", "-o", "m", *args).exit_code == 0
    expected = convert_record(read_model("model.safetensors"), 2, make_rule(rule, flex)).after
    write_model("expected", expected)
    assert (tmp_path / "m").read_bytes() == (tmp_path / "expected").read_bytes()


def test_json(run):
    result = run("convert-d", "model.safetensors", "--to-dim", "2", "--json")
    assert result.stderr == ""
    payload = json.loads(result.stdout)
    assert set(payload) >= {
        "certificate", "dry_run", "from_dim", "parameters_after", "parameters_before", "path", "sha256", "to_dim",
        "warnings",
    }  # fmt: skip
    assert set(payload["certificate"]) >= {
        "digest", "exact", "flex", "from_dim", "paths", "promises", "residual", "rule", "stale", "to_dim", "tolerance",
    }  # fmt: skip
    assert set(payload["certificate"]["paths"][0]) >= {
        "after", "before", "dropped", "free", "layer", "note", "path", "residual", "residual_new",
    }  # fmt: skip
    assert payload["certificate"]["exact"] is True


def test_quiet(run):
    result = run("convert-d", "model.safetensors", "--to-dim", "2", "-q")
    assert (result.stdout, result.stderr) == ("model.2d.safetensors\n", "")


def test_vectors(run):
    result = run("convert-d", str(VECTORS), "--to-dim", "3", "-o", "m")
    assert result.exit_code == 0, result.stderr
    assert "k1p0->k1p0" in result.stdout
    assert read_model("m").certificate.exact


def test_a_path_that_the_rule_leaves_to_another_says_so(run):
    made = run(
        "init",
        "series",
        "--blocks",
        "1",
        "--support",
        "cut",
        "--side",
        "5",
        "--in",
        "density:0+",
        "-o",
        "cut",
    )
    assert made.exit_code == 0, made.stderr
    result = run("convert-d", "cut", "--to-dim", "2", "--rescale", "isotropic", "-o", "m")
    assert "'isotropic' is 'compatibility' here: these filters are not all that" in result.stderr
    whole = run(
        "convert-d", "model.safetensors", "--to-dim", "2", "--rescale", "isotropic", "-o", "m", "--force"
    )
    assert "'compatibility' here" not in whole.stderr


def test_a_dry_run_writes_nothing(run, tmp_path):
    result = run("convert-d", "model.safetensors", "--to-dim", "2", "--dry-run")
    assert result.exit_code == 0
    assert "blocks.0.0.conv" in result.stdout
    assert "next: ginjax convert-d model.safetensors --to-dim 2" in result.stderr
    payload = json.loads(run("convert-d", "model.safetensors", "--to-dim", "2", "--dry-run", "--json").stdout)
    assert (payload["dry_run"], payload["path"]) == (True, None)
    assert files(tmp_path) == ["model.safetensors"]


def test_an_existing_file_is_kept(run, tmp_path):
    (tmp_path / "model.2d.safetensors").write_text("mine")
    result = run("convert-d", "model.safetensors", "--to-dim", "2")
    assert result.exit_code == 1
    assert "exists already" in result.stderr and "--force" in result.stderr
    assert (tmp_path / "model.2d.safetensors").read_text() == "mine"
    itself = run("convert-d", "model.safetensors", "--to-dim", "2", "-o", "model.safetensors")
    assert itself.exit_code == 2
    assert (tmp_path / "model.safetensors").read_bytes() == FIXTURE.read_bytes()
    assert run("convert-d", "model.safetensors", "--to-dim", "2", "--force").exit_code == 0


def test_force_does_not_excuse_a_broken_promise(run, unet, tmp_path):
    before = files(tmp_path)
    for args in ((), ("--force",), ("--json",)):
        result = run("convert-d", unet, "--to-dim", "2", *args)
        assert result.exit_code == 3
        *_, error = [line for line in result.stderr.splitlines() if "cannot be converted exactly" in line]
        assert "upsample_blocks.0.0 k0p0->k1p0" in error
        assert "--allow-inexact" in result.stderr
        assert "Traceback" not in result.stderr
        assert files(tmp_path) == before


def test_an_inexact_conversion_is_written_on_request(run, unet):
    result = run("convert-d", unet, "--to-dim", "2", "--allow-inexact", "-o", "m")
    assert result.exit_code == 0, result.stderr
    assert "not reproduce the 1D network" in result.stdout
    assert "transposed convolution" in result.stderr
    assert not read_model("m").certificate.exact


@pytest.mark.parametrize("rule", ["volume", "none"])
def test_for_other_rules_the_numbers_are_information(run, unet, rule):
    result = run("convert-d", unet, "--to-dim", "2", "--rescale", rule)
    assert result.exit_code == 0, result.stderr
    assert "do not reproduce" in result.stdout


def test_an_odd_field_is_answered_with_the_name_of_the_block(run, tmp_path):
    run(
        "init", "series", "--dim", "2", "--in", "velocity:1+", "--out", "vorticity:0-", "--channels", "1",
        "--blocks", "1", "-q", "-o", "odd",
    )  # fmt: skip
    before = files(tmp_path)
    result = run("convert-d", "odd", "--to-dim", "3")
    assert result.exit_code == 3
    assert "error: layers.0.conv k1p0->k0p1 cannot be converted exactly" in result.stderr
    assert "hint: Odd path" in result.stderr
    assert files(tmp_path) == before
    lifted = run("convert-d", "odd", "--to-dim", "3", "--lift-parity", "-o", "lifted")
    assert lifted.exit_code == 0, lifted.stderr
    assert read_model("lifted").spec["outputs"] == [[1, 1, 1]]


def test_up_and_down_again(run):
    assert (
        run("convert-d", "model.safetensors", "--to-dim", "2", "--dtype", "float64", "-o", "up").exit_code
        == 0
    )
    result = run("convert-d", "up", "--to-dim", "1", "--dtype", "float32", "-o", "down")
    assert result.exit_code == 0, result.stderr
    down, before = read_model("down"), read_model("model.safetensors")
    assert weights_digest(down.arrays) == weights_digest(before.arrays)


def test_filters_that_match_no_recipe(run):
    from dataclasses import replace

    from ginjax.filters import bank_from_arrays

    record = read_model("model.safetensors")
    bank = bank_from_arrays(1, {(0, 0): 1.3 * record.banks["conv"].blocks[0, 0].filters})
    write_model("custom", replace(record, banks={"conv": bank}))
    result = run("convert-d", "custom", "--to-dim", "2")
    assert result.exit_code == 2
    assert "match no known recipe" in result.stderr
    assert "hint: Hand in the filters for dimension 2 as well." in result.stderr


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "Missing argument 'MODEL'"),
        (("model.safetensors",), 2, "Missing option '--to-dim'"),
        (("model.safetensors", "--to-dim", "1"), 2, "dimension to convert to: got 1"),
        (("model.safetensors", "--to-dim", "0"), 2, "'--to-dim'"),
        (("model.safetensors", "--to-dim", "9"), 2, "'--to-dim'"),
        (("model.safetensors", "--to-dim", "two"), 2, "'--to-dim'"),
        (
            ("model.safetensors", "--to-dim", "2", "--rescale", "best"),
            2,
            "'best' is not one of 'compatibility'",
        ),
        (("model.safetensors", "--to-dim", "2", "--flex", "0"), 2, "expected rule 'compat-flex'"),
        (
            ("model.safetensors", "--to-dim", "2", "--rescale", "compat-flex", "--flex", "nan"),
            2,
            "'--flex'",
        ),
        (
            ("model.safetensors", "--to-dim", "2", "--rescale", "compat-flex", "--flex", "1e300"),
            2,
            "'--flex'",
        ),
        (("model.safetensors", "--to-dim", "2", "--rescale", "compatibility-norm"), 2, "orthoplex"),
        (("model.safetensors", "--to-dim", "2", "--dtype", "int8"), 2, "'int8' is not one of 'float16'"),
        (("absent", "--to-dim", "2"), 1, "absent: there is no such file"),
        (("model.safetensors", "--to-dim", "2", "-o", "no/folder"), 1, "does not exist"),
        ((".", "--to-dim", "2"), 1, "is a folder"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(run, tmp_path, args, code, message):
    result = run("convert-d", *args)
    assert result.exit_code == code
    first, *hint = result.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert len(hint) <= 1 and all(line.startswith("hint: ") for line in hint)
    assert files(tmp_path) == ["model.safetensors"]


def test_filters_are_not_a_model(run):
    run("build-filters", "-q")
    result = run("convert-d", "filters.safetensors", "--to-dim", "2")
    assert result.exit_code == 1
    assert "is a file of filters: expected a model" in result.stderr
