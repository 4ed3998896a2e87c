"""`ginjax train --init` on data with more fields, fewer, or the same under other names."""

import numpy as np
import pytest
from cli.test_tuning import small
from command_line import app
from ml.task.small_tasks import SIDE
from typer.testing import CliRunner

from ginjax.checkpoint import Field, convert_record, read_model, write_model
from ginjax.data import MemorySource, Trajectories, write_well

WAYS = ("--steps", "1", "--batch-size", "2", "--valid", "0")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_model("low", small())
    write_model("high", convert_record(small(), 2, "compatibility").after)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def stored(path, *names, D=2):
    rng = np.random.default_rng(0)
    values = {each: rng.normal(size=(5, 3, *(SIDE,) * D)).astype(np.float32) for each in names}
    fields = tuple(Field(each, 0, 0) for each in names)
    write_well(path, MemorySource.of(Trajectories(fields, values, D, 0.5, 0.1)), name="made up")
    return path


def tune(run, data, *more, start="high"):
    return run("train", "--init", start, "--data", data, *WAYS, "-o", "out", *more)


def fields(path="out"):
    return [each.name for each in read_model(path).contract.fields]


def test_a_field_more_and_what_is_said_of_it(run, tmp_path):
    stored(tmp_path / "d.h5", "density", "pressure")
    result = tune(run, "d.h5", "--keep-compatible")
    assert result.exit_code == 0, result.stderr
    assert "the model gains pressure:0+: until it is trained on these" in result.stderr
    assert fields() == ["density", "pressure"]
    shown = run("inspect", "out")
    assert "holds of the fields" in shown.stdout and "matches the model" in shown.stdout
    assert [word.strip() for line in shown.stdout.splitlines() if "added" in line for word in line.split()][
        :3
    ] == ["fields", "added", "pressure:0+"]
    verified = run("verify", "low", "out", "--size", "4")
    assert verified.exit_code == 0, verified.stderr
    assert "compared on those of both (density), the others at their means" in verified.stderr


def test_a_field_less(run, tmp_path):
    stored(tmp_path / "d.h5", "density", "pressure")
    assert tune(run, "d.h5").exit_code == 0
    stored(tmp_path / "e.h5", "pressure")
    result = run("train", "--init", "out", "--data", "e.h5", *WAYS, "-o", "less")
    assert result.exit_code == 0 and "the model loses density:0+" in result.stderr
    assert fields("less") == ["pressure"]
    said = run("train", "--init", "out", "--data", "d.h5", *WAYS, "-o", "more", "--drop-field", "density")
    assert said.exit_code == 0 and fields("more") == ["pressure"]


def test_another_name(run, tmp_path):
    stored(tmp_path / "d.h5", "rho")
    refused = tune(run, "d.h5")
    assert refused.exit_code == 2
    assert "--field density=rho. --drop-field density takes what the data lack out" in refused.stderr
    assert tune(run, "d.h5", "--field", "density=rho").exit_code == 0 and fields() == ["density"]
    # Kept in the contract: the next command on the same kind of file needs it not.
    again = run("evaluate", "out", "--data", "d.h5", "--split", "train", "--steps", "1", "-o", "found")
    assert again.exit_code == 0, again.stderr


def test_options_that_need_a_model(run):
    refused = run("train", "--drop-field", "density", "-o", "out")
    assert refused.exit_code == 2 and "--drop-field: got no --init" in refused.stderr
