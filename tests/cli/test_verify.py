import json
from dataclasses import replace

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.checkpoint import (
    convert_file,
    convert_record,
    read_file,
    read_model,
    to_be_lifted,
    write_file,
    write_model,
)
from ginjax.models import LIFT_TOLERANCE, Verification, promises_between
from ginjax.models.verify import changed_since
from ginjax.transfer import make_rule

LOW = str(FIXTURES / "diffusion_1d.safetensors")
SIZE = ("--size", "4")


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """The fixture in 2D by two rules, with one weight changed, and a model of another kind."""
    folder = tmp_path_factory.mktemp("verify")
    for rule in ("compatibility", "volume"):
        convert_file(LOW, folder / rule, 2, make_rule(rule))
    content = read_file(folder / "compatibility")
    name = "blocks.0.0.conv.weight.k0p0->k0p0"
    arrays = content.arrays | {name: content.arrays[name] * np.float32(1.01)}
    write_file(folder / "changed", arrays, content.header)
    other = CliRunner().invoke(
        app,
        [
            "init",
            "series",
            "--channels",
            "1",
            "--blocks",
            "1",
            "--dim",
            "2",
            "-q",
            "-o",
            str(folder / "other"),
        ],
    )
    assert other.exit_code == 0
    return folder


@pytest.fixture
def run(converted, monkeypatch):
    monkeypatch.chdir(converted)
    return lambda *args: CliRunner().invoke(app, ["verify", *args], prog_name="ginjax")


def test_what_takes_long_is_said_before(run, monkeypatch):
    assert "on one core" not in run(LOW, "compatibility", *SIZE).stderr
    monkeypatch.setattr("ginjax.models.verify._effort.LONG_SECONDS", 0.0)
    said, *_ = run(LOW, "compatibility", *SIZE).stderr.splitlines()
    assert said.startswith("running the 2D network on 16 grid points takes about ")
    monkeypatch.setattr("ginjax.models.verify._effort.free_memory", lambda: 10)
    refused = run(LOW, "compatibility", *SIZE)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "error: memory to run the 2D network: got about " in refused.stderr


def test_a_kept_promise(run):
    result = run(LOW, "compatibility", *SIZE)
    assert result.exit_code == 0, result.stderr
    _, header, *rows, empty, waves = result.stdout.rstrip().splitlines()
    assert empty == "" and waves.startswith("the shortest waves of the grid, in one step: x ")
    assert header.split() == ["check", "defect", "limit", "holds"]
    assert [row.split("  ")[0] for row in rows] == [
        "condition (C)", "lift test in float64", "lift test in float32", "equivariance in float32",
    ]  # fmt: skip
    assert all(row.endswith("yes") for row in rows)
    assert result.stderr.splitlines()[-1] == "next: ginjax inspect compatibility"
    assert "warning" not in result.stderr


def test_a_broken_promise(run):
    result = run(LOW, "changed", *SIZE)
    assert result.exit_code == 3
    assert "no" in result.stdout.splitlines()[2].split()
    assert "warning: the certificate does not belong to the model in the file" in result.stderr
    error, hint = [line for line in result.stderr.splitlines() if line.startswith(("error", "hint"))]
    assert error.startswith("error: condition (C): got ")
    assert "--rescale compatibility" in hint
    assert "Traceback" not in result.stderr


def test_a_rule_that_promises_nothing_is_only_measured(run):
    result = run(LOW, "volume", *SIZE)
    assert result.exit_code == 0, result.stderr
    assert "the rule 'volume' does not promise compatibility" in result.stderr
    assert "no" in result.stdout.splitlines()[2].split()


@pytest.mark.parametrize(
    ("name", "code", "promised"), [("compatibility", 0, True), ("changed", 3, True), ("volume", 0, False)]
)
def test_json(run, name, code, promised):
    result = run(LOW, name, *SIZE, "--json")
    assert result.exit_code == code
    payload = json.loads(result.stdout)
    assert {
        "certificate_stale", "condition", "dtype", "equivariance", "high", "holds", "lift_float64", "lift_own", "low", "path",
        "promised", "side", "warnings",
    } <= set(payload)  # fmt: skip
    assert (payload["promised"], payload["holds"]) == (promised, code == 0)
    assert payload["certificate_stale"] == (name == "changed")
    if code:
        assert json.loads(result.stderr)["exit_code"] == code
    else:
        assert result.stderr == ""


@pytest.mark.parametrize(("tol", "code"), [("0", 3), ("1", 0)])
def test_the_tolerance_can_be_chosen(run, monkeypatch, tol, code):
    measured = Verification("float32", 4, 1e-8, 1e-7, 1e-7)
    monkeypatch.setattr("ginjax.models.verify_transfer", lambda *args, **kwargs: measured)
    monkeypatch.setattr("ginjax.ml.shortest_waves", lambda *args, **kwargs: None)
    assert run(LOW, "compatibility").exit_code == 0
    assert run(LOW, "compatibility", "--tol", tol).exit_code == code


@pytest.mark.parametrize("broken", ["lift_float64", "lift_own", "equivariance"])
@pytest.mark.parametrize("high", ["compatibility", "volume"])
def test_each_check_counts(run, monkeypatch, broken, high):
    values = {"lift_float64": 0.0, "lift_own": 0.0, "equivariance": 0.0} | {
        broken: 2 * LIFT_TOLERANCE["float32"]
    }
    monkeypatch.setattr("ginjax.models.verify_transfer", lambda *a, **k: Verification("float32", 4, **values))
    monkeypatch.setattr("ginjax.ml.shortest_waves", lambda *a, **k: None)
    expected = 3 if high == "compatibility" or broken == "equivariance" else 0
    assert run(LOW, high).exit_code == expected


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("compatibility", LOW), 2, "dimension of the second model: got 1, expected more than 2"),
        ((LOW, LOW), 2, "expected more than 1"),
        ((LOW, "other", *SIZE), 2, "architecture of the second model: got SimpleConvSeries"),
        ((LOW,), 2, "Missing argument 'HIGH'"),
        ((LOW, "absent"), 1, "absent: there is no such file"),
        ((LOW, "compatibility", "--size", "1"), 2, "'--size'"),
        ((LOW, "compatibility", "--tol", "-1"), 2, "'--tol'"),
    ],
)
def test_bad_input_is_one_line_and_a_hint(run, args, code, message):
    result = run(*args)
    assert result.exit_code == code
    first, *hint = result.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert len(hint) <= 1 and all(line.startswith("hint: ") for line in hint)
    assert result.stdout == ""


def tuned(record, **step):
    """A record as a tuning of all weights leaves it: other weights, no certificate."""
    arrays = {name: array * np.float32(1.01) for name, array in record.arrays.items()}
    told = {"step": "tune", "kept_compatible": False, **step}
    return replace(record, arrays=arrays, certificate=None, provenance=(*record.provenance, told))


def test_a_fully_tuned_model_promises_nothing_and_is_told_so(run, converted):
    record = read_model(converted / "compatibility")
    write_model(converted / "tuned", tuned(record), force=True)
    result = run(LOW, "tuned", *SIZE)
    assert result.exit_code == 0, result.stderr
    assert (
        "all weights of the 2D model were tuned after its conversion: the lift test is information"
        in result.stderr
    )
    assert "Convert again" not in result.stderr
    assert json.loads(run(LOW, "tuned", *SIZE, "--json").stdout)["promised"] is False
    # Controls: weights that changed though nothing is said to have, and a history that is that of another model.
    silent = replace(tuned(record), provenance=record.provenance)
    other = replace(tuned(record), provenance=({"step": "train"}, *tuned(record).provenance[1:]))
    for wrong in (other, tuned(record, kept_compatible=True)):
        assert promises_between(read_model(LOW), wrong).why_not is None
    write_model(converted / "wrong", silent, force=True)
    assert run(LOW, "wrong", *SIZE).exit_code == 3


def test_what_was_done_since_a_conversion(converted):
    low, high = read_model(LOW), read_model(converted / "compatibility")
    assert changed_since(low, high) is None and promises_between(low, high).why_not is None
    assert changed_since(low, tuned(high, freeze=["encoder"])).startswith("weights that were not frozen")
    edited = replace(high, provenance=(*high.provenance, {"step": "edit"}))
    assert "changed by hand" in changed_since(low, edited)
    above = convert_record(tuned(high), 3, make_rule("compatibility")).after
    above = replace(
        above, provenance=(*tuned(high).provenance, {"step": "convert", "from_dim": 2, "to_dim": 3})
    )
    assert changed_since(low, above) == "all weights of the 3D model were tuned after its conversion"
    assert changed_since(tuned(high), above) is None


def test_odd_scalars_of_2d_are_told_of_the_parity_lift(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    odd = FIXTURES / "schema_1" / "odd_2d.safetensors"
    words = ("convert-d", str(odd), "--to-dim", "3", "--dry-run")
    told = CliRunner().invoke(app, words).stderr
    assert "the 2D model has odd scalars (vorticity)" in told and "--lift-parity converts them" in told
    assert "odd scalars" not in CliRunner().invoke(app, [*words, "--lift-parity"]).stderr
    assert (
        "odd scalars" not in CliRunner().invoke(app, ["convert-d", LOW, "--to-dim", "2", "--dry-run"]).stderr
    )
    assert to_be_lifted(read_model(odd)) is not None and to_be_lifted(read_model(LOW)) is None


def test_models_for_other_data_are_pointed_out(run, converted):
    record = read_model(converted / "compatibility")
    other = replace(record.contract, spacing=9.0, residual=True)
    write_model(converted / "elsewhere", replace(record, contract=other), force=True)
    result = run(LOW, "elsewhere", *SIZE)
    told = [line for line in result.stderr.splitlines() if "not for the same data" in line]
    assert len(told) == 2 and "grid spacing of the data: 9 against 0.0625" in told[0]
    assert "--residual" in told[1]
    assert "not for the same data" not in run(LOW, "compatibility", *SIZE).stderr
