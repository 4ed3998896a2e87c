"""A model of `ginjax init` is trained like any other; its scales are those of its first data."""

import numpy as np
import pytest
from command_line import app
from sweeps import few
from typer.testing import CliRunner

from ginjax.checkpoint import Field, read_model
from ginjax.data import MemorySource, Trajectories, measure_normalisation, open_data, write_well

TINY = ("--channels", "2", "--blocks", "1")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def stored(path, D=1, names=("density",)):
    shape = (5, 3, *(8,) * D)
    rng = np.random.default_rng(0)
    values = {name: (3 + 2 * rng.normal(size=shape)).astype(np.float32) for name in names}
    data = Trajectories(tuple(Field(name, 0, 0) for name in names), values, D, 0.5, 0.1)
    write_well(path, MemorySource.of(data), name="made up")
    return path


def tune(run, start, data, *more):
    return run(
        "train", "--init", start, "--data", data, "--steps", "1", "--batch-size", "2", "-o", "out", *more
    )


@pytest.mark.parametrize("converted", [True, *few(False)])
def test_scales_are_measured_then(run, tmp_path, converted):
    assert run("init", "series", *TINY, "-o", "new").exit_code == 0
    assert read_model("new").contract.scales == ()
    start, D = ("up", 2) if converted else ("new", 1)
    if converted:
        assert run("convert-d", "new", "--to-dim", "2", "-o", "up").exit_code == 0
    stored(tmp_path / "d.h5", D)
    result = tune(run, start, "d.h5", *(("--keep-compatible",) if converted else ()))
    assert result.exit_code == 0, result.stderr
    record = read_model("out")
    chosen = record.contract.parts["train"].trajectories
    measured = measure_normalisation(open_data(tmp_path / "d.h5"), trajectories=chosen)
    assert record.contract.scales == measured.scales and measured.scales[0].offset > 2
    assert (record.contract.spacing, record.contract.time_step) == (0.5, 0.1)
    assert [step["step"] for step in record.provenance] == [
        "init",
        *(["convert"] if converted else []),
        "tune",
    ]
    assert (record.certificate is not None) == converted
    again = run("evaluate", "out", "--data", "d.h5", "-o", "found")
    assert again.exit_code == 0, again.stderr


def test_other_fields_of_the_data_are_left_out(run, tmp_path):
    assert run("init", "series", *TINY, "-o", "new").exit_code == 0
    stored(tmp_path / "d.h5", names=("heat", "density"))
    assert tune(run, "new", "d.h5").exit_code == 0
    assert [each.name for each in read_model("out").contract.fields] == ["density"]
    stored(tmp_path / "e.h5", names=("heat",))
    refused = tune(run, "new", "e.h5", "--force")
    assert refused.exit_code == 2 and "fields of the data: got heat:0+, expected density:0+" in refused.stderr


@pytest.mark.parametrize("target", ["pressure:0+", "vorticity:0-"])
def test_a_network_for_other_fields_than_it_sees_is_not_trained_on_them(run, tmp_path, target):
    assert run("init", "series", *TINY, "--out", target, "-o", "new").exit_code == 0
    stored(tmp_path / "d.h5", names=("density", "pressure"))
    refused = tune(run, "new", "d.h5")
    assert refused.exit_code == 2, (refused.exception, refused.stdout)
    assert (
        f"fields that the model predicts: got {target}, expected density:0+, those that it sees"
        in refused.stderr
    )
    assert not (tmp_path / "out").exists()


def test_a_model_of_init_knows_no_scales_to_be_used_with(run, tmp_path):
    assert run("init", "series", *TINY, "-o", "new").exit_code == 0
    stored(tmp_path / "d.h5")
    result = run("evaluate", "new", "--data", "d.h5")
    assert result.exit_code == 1 and "does not say how its fields are normalised" in result.stderr
