"""`--condition`: said once in training, known to every command after that, and asked for by name where data lack it."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from command_line import app
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax.data import find_pde, open_data, simulate, write_well

TRAIN = ["--arch", "series", "--channels", "2", "--blocks", "1", "--steps", "4", "--batch-size", "4", "-q"]


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two files of different time steps, a file that does not state its own, a model trained on the former, and its conversion."""
    made = tmp_path_factory.mktemp("told")
    (made / "steps").mkdir()
    for step in (0.02, 0.08):
        pde = replace(find_pde("diffusion"), time_step=step)
        source = simulate(pde, 1, trajectories=5, steps=3, side=8, seed=int(100 * step))
        write_well(made / "steps" / f"{step}.hdf5", source, name="diffusion")
    np.savez(made / "silent.npz", density=source.arrays()["density"])
    write_well(made / "2d.hdf5", simulate(pde, 2, trajectories=3, steps=3, side=8), name="diffusion")
    run("train", "--data", made / "steps", "--condition", "time_step", *TRAIN, "-o", made / "m.safetensors")
    run("convert-d", made / "m.safetensors", "--to-dim", "2", "-q", "-o", made / "m.2d.safetensors")
    return made


SILENT = ["--axes", "trajectory,time,x", "--field", "density:0+", "--periodic", "all"]


def test_files_of_other_time_steps_are_refused_with_the_way_out(folder):
    said = run("train", "--data", folder / "steps", *TRAIN, "-o", folder / "no.safetensors", code=2)
    assert "time step: got 0.08, expected 0.02" in said
    assert "--condition time_step makes it an input of the network" in said


def test_what_was_said_in_training_is_known_to_every_command(folder, tmp_path):
    model, high = folder / "m.safetensors", folder / "m.2d.safetensors"
    said = run("evaluate", model, "--data", folder / "steps", "-o", tmp_path / "a", "--steps", "2")
    assert "not checked" not in said
    assert "condition 'time_step' is" not in said
    run("evaluate", model, "--data", folder / "steps" / "0.02.hdf5", "-o", tmp_path / "b", "--steps", "2")
    forecast = tmp_path / "f.h5"
    run("predict", model, folder / "steps" / "0.08.hdf5", "--steps", "2", "-o", forecast, "-q")
    found = open_data(forecast)
    assert (found.time_step, found.conditions) == (0.08, ("time_step",))
    run("predict", model, folder / "steps", "--steps", "2", "-o", forecast, "-q", "--force")
    with h5py.File(forecast) as file:
        np.testing.assert_allclose(file["scalars/time_step"], [0.02] * 5 + [0.08] * 5, rtol=1e-6)
    run("verify", model, high, "--data", folder / "steps", "--samples", "2")
    run(
        "convert-d",
        model,
        "--to-dim",
        "2",
        "--calibrate",
        folder / "2d.hdf5",
        "--samples",
        "4",
        "-o",
        tmp_path / "c.safetensors",
    )
    assert "time_step 0.02 to 0.08" in run("inspect", high)
    run("card", high, "-o", tmp_path / "card.md")
    card = (tmp_path / "card.md").read_text()
    assert "| time_step | condition, seen |" in card
    assert "- time step: a condition" in card
    run("export", model, "-o", tmp_path / "m.stablehlo", "--grid", "8")
    assert [each.name for each in read_model(high).contract.conditions] == ["time_step"]


def test_data_that_lack_it_are_refused_by_name_and_told_with_a_number(folder, tmp_path):
    words = [
        "predict",
        folder / "m.safetensors",
        folder / "silent.npz",
        *SILENT,
        "--steps",
        "2",
        "-o",
        tmp_path / "f.h5",
    ]
    said = run(*words, code=2)
    assert "condition 'time_step', which the data do not state" in said
    assert "--condition time_step=NUMBER" in said
    said = run(*words, "--condition", "time_step=0.04")
    assert "was trained between" not in said
    said = run(*words, "--condition", "time_step=0.5", "--force")
    assert "condition 'time_step' is 0.5: the network was trained between 0.02 and 0.08" in said
    assert not open_data(tmp_path / "f.h5").boundaries_assumed
    taken = [word for word in words if word not in ("--periodic", "all")]
    run(*taken, "--condition", "time_step=0.04", "--force")
    found = open_data(tmp_path / "f.h5")
    assert (found.is_torus, found.boundaries_assumed) == ((True,), True)


def test_data_are_written_with_their_numbers(folder, tmp_path):
    run(
        "data",
        "convert",
        folder / "steps",
        "--condition",
        "time_step",
        "-o",
        tmp_path / "one.hdf5",
        "--every",
        "2",
    )
    said = json.loads(run("data", "inspect", tmp_path / "one.hdf5", "--json"))
    assert (said["conditions"], said["time_step"]) == (["time_step"], None)
    (step,) = (each for each in said["fields"] if each["name"] == "time_step")
    np.testing.assert_allclose((step["minimum"], step["maximum"]), (0.04, 0.16), rtol=1e-6)


def test_simulations_of_several_time_steps_are_told_them(tmp_path):
    words = [
        "data",
        "generate",
        "--dim",
        "1",
        "--size",
        "8",
        "--trajectories",
        "4",
        "--frames",
        "2",
        "-o",
        tmp_path,
    ]
    said = json.loads(run(*words, "--vary", "time_step=0.02,0.04", "--json"))
    assert said["vary"] == {"time_step": [0.02, 0.04]} and said["time_step"] is None
    assert open_data(tmp_path / "diffusion_1d.hdf5").conditions == ("time_step",)
    for text in ("time_step", "time_step=a", "=1,2"):
        assert "--vary: got" in run(*words, "--vary", text, "--force", code=2)


def test_no_data_no_condition(folder):
    said = run("train", "--condition", "time_step", *TRAIN, "-o", folder / "no.safetensors", code=2)
    assert "--condition: got no --data" in said


def test_a_condition_that_data_lack_is_dropped_on_request(folder, tmp_path):
    words = ["train", "--init", folder / "m.safetensors", "--data", folder / "silent.npz", *SILENT]
    words += ["--steps", "1", "--batch-size", "2", "--valid", "0", "-q", "-o", tmp_path / "less.safetensors"]
    assert "condition 'time_step', which the data do not state" in run(*words, code=2)
    run(*words, "--drop-field", "time_step")
    contract = read_model(tmp_path / "less.safetensors").contract
    assert (contract.conditions, contract.constants) == ((), ())
