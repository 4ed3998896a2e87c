import json
import re

import h5py
import numpy as np
import pytest
from command_line import app, once
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.data import open_data, simulate, write_well

MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_well("given.h5", simulate("diffusion", 1, trajectories=2, steps=3, side=16), name="diffusion")
    return lambda *args: CliRunner().invoke(app, once(args), prog_name="ginjax")


def test_a_forecast_that_other_tools_read(run, tmp_path):
    result = run("predict", MODEL, "given.h5", "--steps", "3", "--gif", "-o", "out.h5")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-3:] == [
        "wrote out.gif", "wrote out.h5", "next: ginjax data inspect out.h5",
    ]  # fmt: skip
    with h5py.File("out.h5") as file:
        frames = file["t0_fields/density"][()]
        assert (frames.shape, file.attrs["n_spatial_dims"]) == ((2, 4, 16), 1)
        about = json.loads(file.attrs["ginjax"])
    assert about["step"] == "predict"
    truth = np.stack([open_data("given.h5").read(i, 0, 4)["density"] for i in range(2)])
    np.testing.assert_array_equal(frames[:, 0], truth[:, 0])
    error = np.linalg.norm(frames[:, 3] - truth[:, 3]) / np.linalg.norm(truth[:, 3])
    assert error < 0.1 < np.linalg.norm(truth[:, 3] - truth[:, 0]) / np.linalg.norm(truth[:, 3])
    assert (tmp_path / "out.gif").read_bytes()[:6] == b"GIF89a"

    again = run("predict", MODEL, "given.h5", "--steps", "3", "-o", "out.h5")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)


def test_one_frame_is_enough_and_json_is_all_there_is(run):
    series = open_data("given.h5").read(0, 0, 1)["density"][None]
    with h5py.File("given.h5", "r+") as file:
        del file["t0_fields/density"]
        again = file["t0_fields"].create_dataset("density", data=series)
        again.attrs.update({"dim_varying": [True], "sample_varying": True, "time_varying": True})
        del file["dimensions/time"]
        file["dimensions/time"] = np.zeros(1)
        file.attrs["n_trajectories"] = 1
    result = run("predict", MODEL, "given.h5", "--steps", "2", "--json")
    assert result.exit_code == 0, result.stderr
    payload = json.loads(result.stdout)
    assert (payload["frames"], payload["given_frames"], payload["path"]) == (3, 1, "forecast.h5")


def test_tiles_predict_the_same(run):
    write_well("wide.h5", simulate("diffusion", 1, trajectories=2, steps=1, side=64), name="diffusion")
    for name, more in (("whole.h5", ()), ("tiled.h5", ("--tile", "x=16"))):
        result = run("predict", MODEL, "wide.h5", "--steps", "2", *more, "-o", name)
        assert result.exit_code == 0, result.stderr
    assert "predicted in 4 parts: 16 of 64 points, each with what it depends on: 32" in result.stderr
    whole, tiled = (open_data(name).arrays()["density"] for name in ("whole.h5", "tiled.h5"))
    np.testing.assert_allclose(tiled, whole, rtol=1e-6, atol=1e-6)
    wrong = {
        "y=4": "--tile of axis 'y': got no such axis, expected x",
        "0": "--tile: got '0'",
        "x=4,x=5": "--tile: got",
    }
    for tile, message in wrong.items():
        result = run("predict", MODEL, "wide.h5", "--tile", tile, "-o", "out.h5")
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_what_does_not_fit_is_refused(run, tmp_path):
    write_well("flat.h5", simulate("diffusion", 2, trajectories=1, steps=1, side=8), name="diffusion")
    write_well("other.h5", simulate("wave", 1, trajectories=1, steps=1, side=8), name="wave")
    wrong = {
        "flat.h5": "dimension of the data: got 2, expected 1",
        "other.h5": "fields of the data: got height:0+, rate:0+, expected density:0+, those of the model",
    }
    for name, message in wrong.items():
        result = run("predict", MODEL, name, "-o", "out.h5")
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "out.h5").exists()


def test_the_hints_for_bare_arrays_lead_to_a_forecast(run):
    """Each is followed as it stands, until there is none left."""
    series = np.stack([open_data("given.h5").read(i, 0, 4)["density"] for i in range(2)])
    np.savez("bare.npz", data=series)
    words, followed = ["predict", MODEL, "bare.npz", "--steps", "2", "-o", "out.h5"], []
    while (result := run(*words)).exit_code == 2 and len(followed) < 4:
        hint = result.stderr.partition("hint: ")[2]
        followed.append(re.search(r"--[a-z]+ \S+", hint)[0].rstrip("."))
        words += followed[-1].split()
    assert (result.exit_code, followed) == (0, ["--axes trajectory,time,x", "--field density=data"]), (
        result.stderr
    )
    np.testing.assert_allclose(open_data("out.h5").read(0, 0, 1)["density"], series[0, :1], rtol=1e-6)


def test_an_array_of_another_dimension_is_refused_with_the_way_to_it(run):
    np.savez("bare.npz", data=np.ones((6, 11, 16, 16)))
    result = run("predict", MODEL, "bare.npz", "--axes", "trajectory,time,x,y", "-o", "out.h5")
    assert result.exit_code == 2
    assert "dimension of the data: got 2, expected 1, that of the model" in result.stderr
    assert "hint: 'ginjax convert-d' with --to-dim 2 makes a model for 2D of it." in result.stderr
    np.savez("bare.npz", data=np.ones((6, 11)))
    flat = run("predict", str(FIXTURES / "burgers_2d.safetensors"), "bare.npz", "-o", "out.h5")
    assert flat.exit_code == 2 and "got 2 axes, expected at least 3 for data in 2D" in flat.stderr
