"""The options of `ginjax convert-d` beyond a rule and a dimension."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
from command_line import app
from drawn_records import drawn_record, perturbed, small_spec
from helpers import FIXTURES, FULL2, FULL3, ORTHOPLEX5, SV, S
from safetensors.numpy import save_file
from typer.testing import CliRunner

from ginjax.checkpoint import convert_record, read_model, write_model
from ginjax_cli import _onnx, _state_dict, convert_d

FIXTURE = FIXTURES / "diffusion_1d.safetensors"
FLOW = [((0, 1), 1), ((1, 0), 1)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").write_bytes(FIXTURE.read_bytes())
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def series(signature=S, D=1, recipe=FULL3, dtype=np.float32):
    return drawn_record(small_spec("SimpleConvSeries", signature, depth=1), D, recipe, dtype=dtype)


def plain(D=1, padding_mode="CIRCULAR"):
    spec = small_spec("ResNet", SV, equivariant=False, kernel_size=3, padding_mode=padding_mode)
    return drawn_record(spec, D, dtype=np.float32)


def write(tmp_path, record, name="model") -> str:
    write_model(tmp_path / name, record, force=True)
    return name


# --- all ------------------------------------------------------------------------------------------------------------


def test_all_rules_in_one_table(run, tmp_path):
    result = run("convert-d", "model", "--to-dim", "3", "--rescale", "all")
    assert result.exit_code == 0, result.stderr
    for rule in ("compatibility", "isotropic", "compat-flex 0", "volume", "none"):
        assert f"\n{rule} " in f"\n{result.stdout}"
    assert "white noise" in result.stdout and "best: compatibility" in result.stdout
    # A rule that cannot be applied says what it needs, once, and does not get in the way.
    assert result.stderr.count("left out: compatibility-norm, which needs an orthoplex bank") == 1
    # Nothing was run, so nothing is said about errors.
    assert "error" not in result.stdout.splitlines()[1]
    assert "best: compatibility, exact, and of the exact ones closest to the old filters" in result.stdout
    assert "next: ginjax convert-d model --to-dim 3 --rescale compatibility" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_all_as_json(run):
    payload = json.loads(run("convert-d", "model", "--to-dim", "2", "--rescale", "all", "--json").stdout)
    assert (payload["from_dim"], payload["to_dim"], payload["best"]) == (1, 2, "compatibility")
    rows = {row["rule"]: row for row in payload["rules"]}
    assert list(rows) == ["compatibility", "isotropic", "compat-flex 0", "volume", "none"]
    assert [row["exact"] for row in rows.values()] == [True, True, True, False, False]
    record = read_model("model")
    for rule in ("compatibility", "volume", "none"):
        assert rows[rule]["residual"] == convert_record(record, 2, rule).certificate.residual
    assert rows["none"]["noise"] > rows["compatibility"]["noise"] > 0
    assert all(row["noise_largest"] >= row["noise"] and row["error"] is None for row in rows.values())


def test_all_rules_of_an_orthoplex_bank(run, tmp_path):
    write(tmp_path, series(recipe=ORTHOPLEX5))
    payload = json.loads(run("convert-d", "model", "--to-dim", "2", "--rescale", "all", "--json").stdout)
    rows = {row["rule"]: row for row in payload["rules"]}
    assert "compatibility-norm" in rows
    # There is one solution of (C).
    assert rows["compat-flex 0"]["noise"] == pytest.approx(rows["compatibility"]["noise"])


def test_all_rules_of_a_plain_model(run, tmp_path):
    write(tmp_path, plain(padding_mode="ZEROS"))
    result = run("convert-d", "model", "--to-dim", "2", "--rescale", "all", "--json")
    payload = json.loads(result.stdout)
    assert [(row["rule"], row["exact"], row["noise"]) for row in payload["rules"]] == [
        ("centre", True, None),
        ("mean", False, None),
    ]
    assert (payload["best"], payload["best_by"]) == ("centre", "exactness")


def test_all_going_down(run, tmp_path):
    write(tmp_path, convert_record(read_model("model"), 2, "compatibility").after, "high")
    payload = json.loads(run("convert-d", "high", "--to-dim", "1", "--rescale", "all", "--json").stdout)
    assert [row["rule"] for row in payload["rules"]] == ["compatibility"]
    assert payload["rules"][0]["exact"] and payload["left_out"] == {}
    shown = run("convert-d", "high", "--to-dim", "1", "-o", "down").stdout
    assert "all 8 paths do what the 2D network does on fields of the lower dimension" in shown


def test_all_names_no_best_where_nothing_is_exact_and_nothing_was_measured(run, tmp_path):
    write(tmp_path, series(FLOW, 2))  # odd paths
    result = run("convert-d", "model", "--to-dim", "3", "--rescale", "all")
    assert result.exit_code == 0, result.stderr
    assert "best: none named, no rule is exact here" in result.stdout
    payload = json.loads(run("convert-d", "model", "--to-dim", "3", "--rescale", "all", "--json").stdout)
    assert payload["best"] is None


def test_all_knows_when_a_parity_lift_is_exact(run, tmp_path):
    write(tmp_path, series(FLOW, 2))
    args = ("convert-d", "model", "--rescale", "all", "--to-dim")
    result = run(*args, "3")
    assert (
        "no rule is exact here" in result.stdout and "--lift-parity, which makes odd vectors" in result.stdout
    )
    assert "next: ginjax convert-d model --to-dim 3 --rescale compatibility --lift-parity" in result.stderr
    assert json.loads(run(*args, "3", "--json").stdout)["lift_parity"] is True
    # Two dimensions up it is not possible, and without odd scalars there is nothing to lift.
    assert "--allow-inexact" in run(*args, "4").stderr
    write(tmp_path, drawn_record(small_spec("UNet", SV, upsample="transpose"), 2, FULL3, dtype=np.float32))
    payload = json.loads(run(*args, "3", "--json").stdout)
    assert (payload["best"], payload["lift_parity"]) == (None, False)


def test_all_with_errors_on_simulations(run):
    args = ("convert-d", "model", "--to-dim", "2", "--rescale", "all", "--pde", "diffusion", "--json")
    payload = json.loads(run(*args).stdout)
    errors = {row["rule"]: row["error"] for row in payload["rules"]}
    assert payload["best"] == min(errors, key=errors.get) == "compatibility"
    assert payload["best_by"] == "error"
    assert errors["compatibility"] < 0.1 < errors["none"]


@pytest.mark.parametrize(
    "args",
    [
        ("--flex", "0"), ("--lift-parity",), ("--dtype", "float64"), ("--tol", "1"), ("--verify",),
        ("--allow-inexact",), ("-o", "out"), ("--calibrate", "model"),
    ],
    ids=lambda args: args[0],
)  # fmt: skip
def test_what_all_does_not_do(run, tmp_path, args):
    result = run("convert-d", "model", "--to-dim", "2", "--rescale", "all", *args)
    assert result.exit_code == 2
    name = "--output" if args[0] == "-o" else args[0]
    assert f"error: {name}: got --rescale all, which compares and writes nothing" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("record", "pde", "code", "message"),
    [
        (series(), "diffusion", 1, "the model does not say how its fields are normalised"),
        (None, "burgers", 2, "velocity:1+, expected an equation with the fields of the model, density:0+"),
    ],
)
def test_errors_need_data_of_the_same_fields(run, tmp_path, record, pde, code, message):
    if record is not None:
        write(tmp_path, record)
    result = run("convert-d", "model", "--to-dim", "2", "--rescale", "all", "--pde", pde)
    assert result.exit_code == code and message in result.stderr


# --- centre and mean ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["centre", "mean"])
def test_plain_models(run, tmp_path, rule):
    record = plain()
    write(tmp_path, record)
    result = run("convert-d", "model", "--to-dim", "2", "--rescale", rule, "-o", "out")
    assert result.exit_code == 0, result.stderr
    after = read_model("out")
    assert after.digest == convert_record(record, 2, rule).after.digest
    assert after.certificate.rule == rule and after.certificate.exact
    assert rule in run("inspect", "out").stdout


def test_a_spread_kernel_that_meets_zeros_is_information(run, tmp_path):
    write(tmp_path, plain(padding_mode="ZEROS"))
    result = run("convert-d", "model", "--to-dim", "2", "--rescale", "mean", "-o", "out")
    assert result.exit_code == 0, result.stderr
    assert "padded with zeros" in result.stderr and "3.3e-01" in result.stdout
    assert not read_model("out").certificate.exact


@pytest.mark.parametrize(
    ("kind", "args", "code", "message"),
    [
        ("plain", "", 2, "Its kernels can be inflated, by the rule 'centre' or 'mean'."),
        ("plain", "--rescale volume", 2, "without invariant filters"),
        ("fields", "--rescale centre", 2, "Use the rule 'compatibility', which is exact."),
        ("plain", "--rescale mean --dtype float64", 2, "dtype: got 'float64'"),
        ("plain", "--rescale mean --lift-parity", 2, "parity lift: got rule 'mean'"),
        ("plain", "--rescale mean --flex 0", 2, "flex: got rule 'mean', expected rule 'compat-flex'"),
        ("fields", "--flex 0", 2, "flex: got rule 'compatibility', expected rule 'compat-flex'"),
        ("fields", "--pde diffusion", 2, "--pde: got --rescale compatibility, expected --rescale all"),
        ("fields", "--lift-parity", 2, "parity lift: got no odd scalars"),
        ("fields", "--tol -1", 2, "'--tol'"),
        ("fields", "--rescale middle", 2, "'--rescale'"),
    ],
)
def test_wrong_uses(run, tmp_path, kind, args, code, message):
    write(tmp_path, plain() if kind == "plain" else series())
    result = run("convert-d", "model", "--to-dim", "2", "-o", "out", *args.split())
    assert result.exit_code == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr and not (tmp_path / "out").exists()


def test_kernels_are_not_deflated(run, tmp_path):
    write(tmp_path, plain(2))
    result = run("convert-d", "model", "--to-dim", "1", "--rescale", "centre", "-o", "out")
    assert result.exit_code == 2 and "expected more than 2" in result.stderr


# --- lift-parity ----------------------------------------------------------------------------------------------------


def test_a_vorticity_of_a_plane_becomes_one_of_space(run, tmp_path):
    write(tmp_path, series(FLOW, 2))
    refused = run("convert-d", "model", "--to-dim", "3", "-o", "out")
    assert refused.exit_code == 3 and "Odd path" in refused.stderr
    result = run("convert-d", "model", "--to-dim", "3", "--lift-parity", "-o", "out", "--json")
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert payload["certificate"]["parity_lift"] is True and payload["certificate"]["exact"] is True
    after = read_model("out")
    assert after.spec["inputs"] == [[1, 0, 1], [1, 1, 1]]
    assert run("convert-d", "model", "--to-dim", "3", "--lift-parity", "-o", "again").exit_code == 0
    assert (tmp_path / "again").read_bytes() == (tmp_path / "out").read_bytes()


def test_verify_knows_a_lifted_file(run, tmp_path):
    low = write(tmp_path, series(FLOW, 1), "low")
    assert run("convert-d", low, "--to-dim", "2", "--lift-parity", "-o", "high").exit_code == 0
    result = run("verify", low, "high", "--size", "4")
    assert result.exit_code == 0, result.stderr
    record = read_model("high")
    changed = perturbed(record.arrays, "layers.0.conv.weight.k1p1->k1p0", by=0.5)
    write(tmp_path, replace(record, arrays=changed), "changed")
    result = run("verify", low, "changed", "--size", "4")
    assert result.exit_code == 3
    assert "condition (C)" in result.stderr


def test_a_model_that_diverged_is_not_converted(run, tmp_path):
    """Wherever the NaN is: a bias is passed on as it is."""
    for record, rule in ((series(), "compatibility"), (plain(), "centre")):
        for name in (min(record.arrays), max(record.arrays)):
            broken = {name: record.arrays[name] * np.float32(np.nan)}
            write(tmp_path, replace(record, arrays=dict(record.arrays) | broken))
            result = run("convert-d", "model", "--to-dim", "2", "--rescale", rule, "-o", "out")
            assert result.exit_code == 1 and f"array '{name}': got" in result.stderr
            assert "NaN or infinite" in result.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "args", [("--to-dim", "4"), ("--to-dim", "1"), ("--to-dim", "3", "--rescale", "volume")]
)
def test_where_a_parity_lift_is_not_possible(run, tmp_path, args):
    write(tmp_path, series(FLOW, 2))
    result = run("convert-d", "model", "--lift-parity", "-o", "out", *args)
    assert result.exit_code == 2 and "parity lift: got 2 -> " in result.stderr
    assert not (tmp_path / "out").exists()


def test_verify_says_why_what_was_allowed_is_not_exact(run, tmp_path):
    low = write(tmp_path, series(FLOW, 1), "low")
    assert run("convert-d", low, "--to-dim", "2", "--allow-inexact", "-o", "high").exit_code == 0
    result = run("verify", low, "high", "--size", "4")
    assert result.exit_code == 3
    assert "hint: The certificate says so, of layers.0.conv k0p1->k1p0: odd path" in result.stderr


# --- verify and tol -------------------------------------------------------------------------------------------------


def test_verify_runs_both_networks_before_writing(run, tmp_path):
    write(tmp_path, series())
    result = run("convert-d", "model", "--to-dim", "2", "--verify", "-o", "out", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["verification"]
    assert found["dtype"] == "float32" and found["lift_float64"] <= 1e-5 and found["lift_own"] <= 1e-4
    assert found["equivariance"] <= 1e-4
    shown = run("convert-d", "model", "--to-dim", "2", "--verify", "-o", "out", "--force").stdout
    assert "lift test in float64" in shown and "equivariance in float32" in shown
    # Without it nothing is run.
    assert "lift test" not in run("convert-d", "model", "--to-dim", "2", "-o", "out", "--force").stdout


def test_a_failed_verification_writes_nothing(run, tmp_path, monkeypatch):
    from ginjax.models import Verification

    write(tmp_path, series())
    bad = Verification("float32", 8, lift_float64=0.5, lift_own=0.5, equivariance=0.0)
    monkeypatch.setattr("ginjax.models.verify_records", lambda *_, **__: bad)
    result = run("convert-d", "model", "--to-dim", "2", "--verify", "-o", "out")
    assert result.exit_code == 3
    assert "lift test in float64: got 5.0e-01, expected at most 1e-05" in result.stderr
    assert not (tmp_path / "out").exists()
    # Rules that promise nothing, and what was asked for all the same, are only measured.
    for args in (("--rescale", "none"), ("--allow-inexact",)):
        assert (
            run("convert-d", "model", "--to-dim", "2", "--verify", "-o", "out", "--force", *args).exit_code
            == 0
        )


def test_a_network_that_is_not_equivariant_after_all(run, tmp_path, monkeypatch):
    from ginjax.models import Verification

    bad = Verification("float32", 8, lift_float64=0.0, lift_own=0.0, equivariance=0.3)
    monkeypatch.setattr("ginjax.models.verify_records", lambda *_, **__: bad)
    write(tmp_path, series())
    assert run("convert-d", "model", "--to-dim", "2", "--verify", "-o", "out").exit_code == 3
    write(tmp_path, plain())  # nobody promised it
    args = ("convert-d", "model", "--to-dim", "2", "--rescale", "centre", "--verify", "-o", "out")
    assert run(*args).exit_code == 0


@pytest.mark.parametrize(("tol", "code"), [("0", 3), ("1e-12", 3), ("1e-4", 0)])
def test_the_tolerance_can_be_chosen(run, tmp_path, tol, code):
    """Of weights in single precision: their rounding is of the order of 1e-7."""
    result = run("convert-d", "model", "--to-dim", "2", "--tol", tol, "-o", "out")
    assert result.exit_code == code
    assert (tmp_path / "out").exists() == (code == 0)
    if code:
        assert "cannot be converted exactly" in result.stderr and "accept a larger residual" in result.stderr


def test_a_generous_tolerance_accepts_what_is_not_exact(run, tmp_path):
    record = drawn_record(small_spec("UNet", SV, upsample="transpose"), 1, FULL3, dtype=np.float32)
    assert record.banks["upsample"].recipe == FULL2
    write(tmp_path, record)
    args = ("convert-d", "model", "--to-dim", "2", "-o", "out")
    assert run(*args).exit_code == 3
    result = run(*args, "--tol", "10")
    assert result.exit_code == 0, result.stderr
    # What is stored in the file is the number and the tolerance of the precision, not the verdict of the day.
    certificate = read_model("out").certificate
    assert not certificate.exact and certificate.tolerance == 1e-5


EVERYWHERE = {
    "ctx", "model", "to_dim", "rescale", "output", "tol", "allow_inexact", "dry_run", "force", "seed", "json", "quiet", "debug",
    "layout", "new_axis", "from_dim", "describe_lines",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (_onnx, {"new_boundary", "verify"}),
        (_state_dict, {"modules", "like", "transposed", "stride", "padding", "keep", "drop"}),
    ],
    ids=["graphs", "state dicts"],
)
def test_no_option_is_ignored_for_networks_of_other_libraries(kind, own):
    """Each option has a meaning for them or is refused."""
    options = set(inspect.signature(convert_d.convert_d).parameters)
    assert set(kind._MEANINGLESS) == options - EVERYWHERE - own


@pytest.mark.parametrize("option", [("--condition", "nu=1"), ("--new-boundary", "edge")], ids=" ".join)
def test_an_option_without_meaning_for_a_state_dict_is_refused(run, tmp_path, option):
    save_file({"conv.weight": np.zeros((2, 2, 3, 3), np.float32)}, tmp_path / "a.safetensors")
    words = ["convert-d", "a.safetensors", "--to-dim", "3"]
    result = run(*words, *option)
    assert result.exit_code == 2 and f"error: {option[0]}: got a network of another library" in result.stderr
    assert option[0] not in run(*words).stderr
