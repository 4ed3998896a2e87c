"""What a model knows of its data is believed by every command, in the same words."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from command_line import app
from drawn_records import drawn_record, small_spec
from helpers import FULL3, S
from typer.testing import CliRunner

from ginjax.checkpoint import (
    DataContract,
    Field,
    FieldScale,
    axes_of,
    contract_to_json,
    convert_record,
    read_model,
    write_model,
)
from ginjax.data import MemorySource, Trajectories, source_digest, write_well

DENSITY = Field("density", 0, 0, "kg")
KNOWN = DataContract(
    axes_of((True,)), (DENSITY,), scales=(FieldScale(DENSITY, 1.0),), spacing=0.5, time_step=0.1
)
HERE = {"field": DENSITY, "spacing": 0.5, "time_step": 0.1, "is_torus": True}
OTHERS = {
    "spacing": ({"spacing": 0.25}, "grid spacing of the data: got 0.25, expected 0.5, as in the model's training"),
    "time-step": ({"time_step": 0.3}, "time step of the data: got 0.3, expected 0.1, as in the model's training"),
    "boundary": (
        {"is_torus": (False, True)},
        "boundaries of the data: got x not periodic{rest}, expected x periodic{rest}, as in the model's training",
    ),
    "units": (
        {"field": dataclasses.replace(DENSITY, unit="g")},
        "unit of field 'density' of the data: got g, expected kg, as in the model's training",
    ),
    "fields": (
        {"field": dataclasses.replace(DENSITY, name="heat")},
        "fields of the data: got heat:0+, expected density:0+, those of the model",
    ),
}  # fmt: skip
COMMANDS = {
    "train --init": (1, "train --init low --data {data} --steps 1 -o made"),
    "evaluate": (1, "evaluate low --data {data} -o made"),
    "predict": (1, "predict low {data} --steps 1 -o made"),
    "verify": (1, "verify low high --data {data} --size 4"),
    "convert-d --calibrate": (2, "convert-d low --to-dim 2 --rescale compat-flex --calibrate {data} -o made"),
    "convert-d --rescale all": (2, "convert-d low --to-dim 2 --rescale all --data {data}"),
}


def store(path, D, said, trajectories=5):
    told = {**HERE, **said}
    made, torus = told.pop("field"), told["is_torus"]
    told["is_torus"] = torus if isinstance(torus, bool) else torus[:D]
    values = np.random.default_rng(0).normal(size=(trajectories, 3, *(8,) * D)).astype(np.float32)
    write_well(path, MemorySource.of(Trajectories((made,), {made.name: values}, D, **told)), name="made up")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("contract")
    record = drawn_record(small_spec("SimpleConvSeries", S, depth=1), 1, FULL3, dtype=np.float32)
    record = dataclasses.replace(record, contract=KNOWN, provenance=({"step": "train", "steps_done": 1},))
    write_model(made / "low", record)
    write_model(made / "high", convert_record(record, 2, "compatibility").after)
    for D in (1, 2):
        store(made / f"right{D}.h5", D, {})
        for name, (said, _) in OTHERS.items():
            store(made / f"{name}{D}.h5", D, said)
    return made


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.mark.parametrize("aspect", OTHERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_other_data_are_refused_by_every_command_in_the_same_words(run, folder, command, aspect):
    D, words = COMMANDS[command]
    result = run(*words.format(data=f"{aspect}{D}.h5").split())
    assert result.exit_code == 2, (result.stdout, result.exception)
    message = OTHERS[aspect][1].format(rest=" and y periodic" if D == 2 else "")
    first, *hint = [line for line in result.stderr.splitlines() if line.startswith(("error", "hint"))]
    assert first == f"error: {message}" and len(hint) <= 1
    assert not (folder / "made").exists()
    if command == "train --init" and aspect in ("spacing", "time-step", "boundary"):
        assert hint[0].startswith(f"hint: --adapt {aspect} trains the network for these data from now on.")
    if aspect == "spacing":
        assert hint[0].endswith(
            f"ginjax data convert spacing{D}.h5 --spacing 0.5 -o spacing{D}.resampled.hdf5"
        )
    if aspect == "time-step":
        assert hint[0].endswith("frames can be left out, but not made up.")
        assert "got" not in hint[0], "a hint does not say again what the error said"


@pytest.mark.parametrize("command", COMMANDS)
def test_data_that_do_not_fit_one_another_are_refused_as_those_that_do_not_fit_the_model(
    run, folder, command
):
    D, words = COMMANDS[command]
    both = folder / f"both_steps{D}"
    both.mkdir(exist_ok=True)
    for name in (f"right{D}.h5", f"time-step{D}.h5"):
        (both / name).write_bytes((folder / name).read_bytes())
    result = run(*words.format(data=both.name).split())
    assert result.exit_code == 2, (result.stdout, result.exception)
    assert f"time-step{D}.h5: time step: got 0.3, expected 0.1" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_right_data_are_taken_by_every_command(run, tmp_path, command):
    D, words = COMMANDS[command]
    result = run(*words.replace("made", str(tmp_path / "made")).format(data=f"right{D}.h5").split())
    assert result.exit_code == 0, result.stderr


# --- adapting ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tune(run, tmp_path):
    def call(data, *more):
        made = tmp_path / "tuned.safetensors"
        words = ("--data", data, "--steps", "1", "--batch-size", "2", "-o", str(made))
        return run("train", "--init", "low", *words, *more), made

    return call


@pytest.mark.parametrize(
    ("aspect", "contract", "adapted"),
    [
        ("spacing", {"spacing": 0.25}, [0.5, 0.25]),
        pytest.param("time-step", {"time_step": 0.3}, [0.1, 0.3], marks=pytest.mark.slow),
        pytest.param("boundary", {"is_torus": (False,)}, [["periodic"], ["bounded"]], marks=pytest.mark.slow),
    ],
)
def test_a_model_that_is_adapted_says_so_and_believes_its_new_data(run, tune, aspect, contract, adapted):
    result, made = tune(f"{aspect}1.h5", "--adapt", aspect)
    assert result.exit_code == 0, result.stderr
    was, now = ["x periodic", "x not periodic"] if aspect == "boundary" else map(str, adapted)
    assert f"of the data: {now}; adapting from {was}, as in the model's training" in result.stderr
    record = read_model(made)
    assert {name: getattr(record.contract, name) for name in contract} == contract
    assert record.provenance[-1]["adapted"] == {aspect: adapted}
    assert record.contract.scales == KNOWN.scales
    taken = run("evaluate", str(made), "--data", f"{aspect}1.h5", "-o", str(Path(made).with_suffix(".a")))
    assert taken.exit_code == 0, taken.stderr
    refused = run("evaluate", str(made), "--data", "right1.h5", "-o", str(Path(made).with_suffix(".b")))
    assert refused.exit_code == 2 and "of the data: got" in refused.stderr


def test_the_boundaries_of_all_axes_are_remembered(run, tmp_path):
    made = tmp_path / "tuned.safetensors"
    words = (
        "--data",
        "boundary2.h5",
        "--steps",
        "1",
        "--batch-size",
        "2",
        "-o",
        str(made),
        "--adapt",
        "boundary",
    )
    result = run("train", "--init", "high", *words)
    assert result.exit_code == 0, result.stderr
    adapted = [["periodic", "periodic"], ["bounded", "periodic"]]
    assert read_model(made).provenance[-1]["adapted"] == {"boundary": adapted}
    assert read_model(made).contract.is_torus == (False, True)
    told = "boundaries of the data: x not periodic and y periodic; adapting from x periodic and y periodic"
    assert told in result.stderr


def test_adapting_to_one_thing_is_not_adapting_to_another(tune, folder):
    if not (folder / "both.h5").exists():
        store(folder / "both.h5", 1, {"spacing": 0.25, "time_step": 0.3})
    result, made = tune("both.h5", "--adapt", "spacing")
    assert result.exit_code == 2 and "time step of the data: got 0.3" in result.stderr and not made.exists()
    result, made = tune("both.h5", "--adapt", "spacing", "--adapt", "time-step")
    assert result.exit_code == 0, result.stderr
    assert read_model(made).provenance[-1]["adapted"].keys() == {"spacing", "time-step"}


def test_where_nothing_differs_nothing_is_adapted(tune):
    result, made = tune("right1.h5", "--adapt", "spacing")
    assert result.exit_code == 0 and "--adapt spacing: the data do not differ in it" in result.stderr
    assert "adapted" not in read_model(made).provenance[-1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            ("--adapt", "fields"),
            "--adapt: got 'fields', expected boundary or spacing or time-step",
        ),
        (("--adapt", "time_step"), "--adapt: got 'time_step'"),
    ],
)
def test_what_cannot_be_adapted_to(tune, more, message):
    result, made = tune("spacing1.h5", *more)
    assert result.exit_code == 2 and message in result.stderr and not made.exists()


def test_adapting_needs_a_model(run):
    result = run("train", "--data", "right1.h5", "--adapt", "spacing", "-o", "made")
    assert result.exit_code == 2 and "--adapt: got no --init, expected --init FILE" in result.stderr


# --- what is written -----------------------------------------------------------------------------------------------------


def test_the_parts_of_a_tuned_model_are_those_of_its_new_data(tune, folder):
    from ginjax.data import open_data

    _, made = tune("right1.h5")
    parts = read_model(made).contract.parts
    assert {part.digest for part in parts.values()} == {source_digest(open_data(folder / "right1.h5"))}
    assert sorted(i for part in parts.values() for i in part.trajectories) == list(range(5))
    stored = contract_to_json(read_model(made).contract)["parts"]["train"]["trajectories"]
    assert all(first < end for first, end in stored)
