"""Training on pairs that are no time series, from the file to predictions for inputs alone."""

import numpy as np
from command_line import app
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax.data import open_data

SMALL = ("--channels", "2", "--blocks", "1", "--steps", "4", "--batch-size", "2")


def test_from_pairs_to_predictions_for_inputs_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*args):
        result = CliRunner().invoke(app, [*map(str, args)], prog_name="ginjax")
        assert result.exit_code == 0, result.stderr
        return result.stderr

    a = np.random.default_rng(0).normal(size=(10, 8, 8))
    np.savez("pairs.npz", a=a, u=0.5 * a)
    np.savez("new.npz", a=a[:2])
    said = ("--axes", "trajectory,x,y", "--periodic", "all", "--target", "u")
    told = run("data", "inspect", "pairs.npz", *said)
    assert "pairs: u from a" in told and told.strip().endswith(
        f"ginjax train --data pairs.npz {' '.join(said)}"
    )
    run("train", "--data", "pairs.npz", *said, *SMALL, "-o", "m.safetensors")
    contract = read_model("m.safetensors").contract
    assert [each.name for each in contract.fields] == ["u"] and [c.name for c in contract.constants] == ["a"]
    run("evaluate", "m.safetensors", "--data", "pairs.npz")
    run("predict", "m.safetensors", "new.npz", "--steps", 1, "-o", "f.h5")
    found = open_data("f.h5")
    assert (found.trajectories, found.frames) == (2, 2) and found.read(1, 1, 2)["u"].any()
