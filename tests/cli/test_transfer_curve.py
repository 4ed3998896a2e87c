import json
from dataclasses import asdict

import pytest
from command_line import app
from typer.testing import CliRunner

from ginjax.ml import Cell, CurveSettings

PNG = b"\x89PNG\r\n\x1a\n"
ERROR = {"converted": 0.01, "calibrated": 0.015, "scratch": 0.02, "inflated": 0.03}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The command with measurements made up; what is measured is the matter of tests/ml."""
    measured = []

    def made_up(request, settings, found, on_cell):
        done = {cell.key for cell in found}
        for key in request.every_key():
            if key not in done:
                measured.append(key)
                on_cell(Cell(*key, 5, 1.0, 2.0, 0.5, 0.1, ERROR[key[3]], 0.25))

    monkeypatch.setattr("ginjax.ml.measure_curve", made_up)
    monkeypatch.chdir(tmp_path)
    return measured, lambda *args: CliRunner().invoke(app, ["transfer-curve", *args], prog_name="ginjax")


@pytest.mark.pictures
def test_table_numbers_and_picture(run, tmp_path):
    _, command = run
    result = command("--pde", "diffusion", "--samples", "0,4", "--seeds", "2", "-o", "curve")
    assert result.exit_code == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("diffusion")]
    assert [row[4] for row in rows] == ["0", "4"]
    assert rows[0][8] == "-" and "0.02" in rows[1] and "0.25" in rows[1]
    assert (tmp_path / "curve/transfer_curve.png").read_bytes().startswith(PNG)


def test_json_and_continuing_with_more_samples(run):
    measured, command = run
    ask = "--pde", "diffusion", "--seeds", "1", "-o", "curve", "--json", "--samples"
    first = json.loads(command(*ask, "1").stdout)
    assert {point["method"]: point["mean"] for point in first["points"]} == ERROR
    assert first["settings"] == asdict(CurveSettings())
    once = len(measured)
    more = json.loads(command(*ask, "0,1").stdout)
    assert len(measured) == once + 2 and {point["samples"] for point in more["points"]} == {0, 1}


def test_other_settings_are_not_mixed(run):
    _, command = run
    ask = "--pde", "diffusion", "--samples", "1", "--seeds", "1", "-o", "curve"
    assert command(*ask).exit_code == 0
    other = command(*ask, "--quick")
    assert other.exit_code == 2 and "other settings" in other.stderr
    for changed in ("--fold", "validation"), ("--scratch-time", "2"):
        other = command(*ask, *changed)
        assert other.exit_code == 2 and "other settings" in other.stderr
    assert command(*ask, "--quick", "--force").exit_code == 0


def test_points_on_fewer_seeds_are_left_out_with_a_word(run):
    _, command = run
    ask = "--pde", "diffusion", "-o", "curve", "--samples"
    whole = command(*ask, "1", "--seeds", "2")
    assert "left out" not in whole.stderr
    fewer = command(*ask, "2", "--seeds", "1")
    assert "left out" in fewer.stderr
    rows = [line.split()[4] for line in fewer.stdout.splitlines() if line.startswith("diffusion")]
    assert rows == ["1"]


@pytest.mark.parametrize("wrong", [("--samples", "1,x"), ("--pde", "heat"), ("--from", "3", "--to", "2")])
def test_wrong_options_name_what_would_do(run, wrong):
    result = run[1](*wrong, "-o", "curve")
    assert result.exit_code == 2 and "expected" in result.stderr
