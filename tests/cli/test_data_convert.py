"""`ginjax data convert`, and the hint of the other commands that names it."""

import json
import shlex

import numpy as np
import pytest
from command_line import app
from data.layouts import arena, compressible
from helpers import FIXTURES
from typer.main import get_command
from typer.testing import CliRunner

from ginjax.checkpoint import check_contract
from ginjax.data import open_data, simulate, write_well
from ginjax_cli._way_to_convert import names_conversion


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, [*map(str, args)], prog_name="ginjax")


def test_what_was_said_goes_into_the_file(run, tmp_path):
    np.savez("runs.npz", w=np.random.default_rng(0).normal(size=(3, 8, 6, 8)))
    said = ("--axes", "trajectory,x,time,y", "--field", "w:0-", "--periodic", "x", "--data-spacing", 0.25)
    result = run(
        "data", "convert", "runs.npz", "-o", "out.hdf5", *said, "--data-time-step", 0.1, "--every", 2
    )
    assert result.exit_code == 0, result.stderr
    assert "read as 3 trajectories of 6 frames on 8x8 points" in result.stderr
    assert result.stderr.splitlines()[-1] == "next: ginjax data inspect out.hdf5"
    found = open_data("out.hdf5")
    assert (found.spacing, found.time_step, found.is_torus, found.frames) == (0.25, 0.2, (True, False), 3)
    assert [each.kind for each in found.schema] == ["w:0-"]
    again = run("data", "convert", "out.hdf5", "-o", "copy.hdf5", "--json")
    payload = json.loads(again.stdout)
    assert payload["path"] == "copy.hdf5" and payload["grid"] == [8, 8] and payload["warnings"] == []
    assert run("data", "convert", "out.hdf5", "-o", "copy.hdf5").exit_code == 1  # it is there
    assert run("data", "convert", "out.hdf5", "-o", "copy.hdf5", "--force", "-q").stdout == "copy.hdf5\n"


def test_what_nobody_said_is_asked_for(run, tmp_path):
    compressible("a")
    result = run("data", "convert", "a", "-o", "b")
    assert result.exit_code == 2 and "Say which axes are periodic with --periodic." in result.stderr
    assert not (tmp_path / "b").exists() and not list(tmp_path.glob(".b*"))
    arena("c", ("train", "test"))
    result = run("data", "convert", "c", "-o", "d", "--periodic", "none")
    assert result.exit_code == 0 and "parts train, test are written as one" in result.stderr


def test_nothing_is_written_over_what_is_read(run, tmp_path):
    (tmp_path / "in").mkdir()
    compressible("in/a")
    for target in ("in/a", "in/b"):
        result = run(
            "data",
            "convert",
            "in" if target == "in/b" else "in/a",
            "-o",
            target,
            "--periodic",
            "all",
            "--force",
        )
        assert result.exit_code == 2 and "expected a file elsewhere" in result.stderr


def test_the_hint_for_another_spacing_and_time_step_is_a_command_that_works(run, tmp_path):
    (tmp_path / "my data").mkdir()
    write_well("my data/fine.h5", simulate("diffusion", 1, trajectories=2, steps=4, side=16), name="d")
    fine = open_data("my data/fine.h5")
    from dataclasses import replace

    model = replace(fine.contract, spacing=2 * fine.spacing, time_step=2 * fine.time_step)

    @names_conversion("data")
    def command(data, split=None):
        check_contract(model, open_data(data).contract)

    from ginjax.errors import ArgumentError

    with pytest.raises(ArgumentError) as refused:
        command(data=tmp_path / "my data")
    line = str(refused.value.hint).partition(" made by: ")[2]
    assert line.startswith("ginjax data convert ") and line.endswith("--every 2 -o 'my data.resampled.hdf5'")
    done = run(*shlex.split(line)[1:])
    assert done.exit_code == 0, done.stderr
    check_contract(model, open_data("my data.resampled.hdf5").contract)

    model = replace(model, time_step=1.5 * fine.time_step)
    with pytest.raises(ArgumentError) as refused:
        command(data=tmp_path / "my data")
    assert "frames can be left out, but not made up" in str(refused.value.hint)


def test_the_line_says_what_the_model_kept_and_what_was_assumed(run, tmp_path):
    from dataclasses import replace

    from ginjax.errors import ArgumentError

    np.savez("a.npz", w=np.zeros((3, 6, 8, 8)), dims=0)
    said = {"fields": ["w:0-"], "axes": "trajectory,time,y,x"}
    known = open_data("a.npz", **said)
    model = replace(known.contract, spacing=1.0)

    @names_conversion("given")
    def command(given, field=None):
        check_contract(model, replace(open_data(given, **said).contract, spacing=0.5))

    with pytest.raises(ArgumentError) as refused:
        command(given=tmp_path / "a.npz")
    assert "--field w:0- --axes w=trajectory,time,y,x --periodic all" in str(refused.value.hint)


def test_predict_names_the_command_and_its_result_fits(run, tmp_path):
    """The model has spacing 0.0625 and time step 0.04."""
    fine = simulate("diffusion", 1, trajectories=1, steps=3, side=32)
    from dataclasses import replace

    write_well("fine.h5", replace(fine, spacing=fine.spacing / 2, time_step=fine.time_step / 2), name="d")
    model = FIXTURES / "diffusion_1d.safetensors"
    result = run("predict", model, "fine.h5", "--steps", 1)
    assert result.exit_code == 2
    line = result.stderr.rpartition(" made by: ")[2].strip()
    assert line == "ginjax data convert fine.h5 --spacing 0.0625 --every 2 -o fine.resampled.hdf5"
    assert run(*shlex.split(line)[1:]).exit_code == 0
    done = run("predict", model, "fine.resampled.hdf5", "--steps", 1)
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("train", "data"),
        ("evaluate", "data"),
        ("predict", "given"),
        ("verify", "data"),
        ("convert-d", "calibrate"),
    ],
)
def test_every_command_that_reads_data_for_a_model_names_it(command, data):
    found = get_command(app).commands[command]  # pyright: ignore[reportAttributeAccessIssue]
    assert data in {each.name for each in found.params}
    assert found.callback.__wrapped__.__wrapped__.__name__ == command.replace("-", "_")
