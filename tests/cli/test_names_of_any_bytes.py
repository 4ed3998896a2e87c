"""Names of files may hold any bytes; what a file says of them is text."""

import json
import os
import sys

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from other_networks import PATTERNS, write_shards
from typer.testing import CliRunner

from ginjax._text import storable
from ginjax.checkpoint import Claim, atomic_write, read_model
from ginjax.data import open_data, simulate, write_well
from ginjax.errors import ArgumentError, FileError
from ginjax.state_dict import Description, convert_state_dict, read_state_dict, write_state_dict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names in UTF-8 alone")

ODD = os.fsdecode(b"odd\xff")
TRAINING = (
    "--arch",
    "series",
    "--channels",
    "2",
    "--batch-size",
    "1",
    "-o",
    f"{ODD}.model.safetensors",
    "--steps",
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{ODD}.safetensors").write_bytes((FIXTURES / "diffusion_1d.safetensors").read_bytes())
    write_well(
        tmp_path / f"{ODD}.h5", simulate("diffusion", 1, trajectories=3, steps=3, side=8), name="diffusion"
    )

    def call(*words):
        result = CliRunner().invoke(app, words, prog_name="ginjax")
        assert result.exit_code == 0, result.stderr
        return result

    return call


@pytest.mark.parametrize("text", ["", "plain", "ü🙂", "a\\xff"])
def test_text_stays_as_it_is(text):
    assert storable({text: [text, (text, 1, None)]}) == {text: [text, [text, 1, None]]}


def test_bytes_that_are_no_text_are_written_out():
    found = storable({ODD: [ODD, "\ud800"]})
    assert found == {"odd\\xff": ["odd\\xff", "\\ud800"]}
    json.dumps(found, ensure_ascii=False).encode()


def test_a_forecast_from_such_data(run, tmp_path):
    run("predict", f"{ODD}.safetensors", f"{ODD}.h5", "--steps", "1", "-o", f"{ODD}.forecast.h5")
    with open_data(tmp_path / f"{ODD}.forecast.h5") as source:
        assert (source.trajectories, source.frames) == (3, 2)
    run("data", "convert", f"{ODD}.h5", "-o", "converted.h5")


def test_an_evaluation_of_such_a_model(run, tmp_path):
    run("evaluate", f"{ODD}.safetensors", "--data", f"{ODD}.h5", "-o", ODD)
    run("card", f"{ODD}.safetensors", "--evaluation", ODD)
    assert "density" in (tmp_path / f"{ODD}.md").read_text()


def test_a_training_on_such_data_is_saved_and_extended(run):
    words = ("train", "--data", f"{ODD}.h5", *TRAINING)
    run(*words, "2")
    assert read_model(f"{ODD}.model.safetensors").provenance[-1]["data"].startswith("odd\\xff.h5")
    run(*words, "2", "--resume")
    run(*words, "3", "--resume")
    assert read_model(f"{ODD}.model.safetensors").provenance[-1]["steps_done"] == 3


def test_several_seeds_on_such_data_are_gone_on_with(run):
    words = ("train", "--data", f"{ODD}.h5", *TRAINING, "1", "--seeds")
    run(*words, "0")
    run(*words, "0,1")


def test_what_a_killed_command_left_under_such_a_name_is_replaced(tmp_path):
    file = tmp_path / ODD
    with pytest.raises(KeyboardInterrupt), Claim(file, (file,), work="this"):
        atomic_write(file, b"half")
        raise KeyboardInterrupt
    with pytest.raises(FileError, match="exists already"):
        Claim(file, (file,), work="that")
    with Claim(file, (file,), work="this") as claim:
        assert claim.replaces(file)
        claim.done()


def test_what_another_file_has_to_name_is_called_otherwise(tmp_path):
    found = convert_state_dict(read_state_dict(write_shards(tmp_path)), 3, "tile", Description(**PATTERNS))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ArgumentError, match="expected a name in UTF-8, because another file has to name it"):
        write_state_dict(tmp_path / f"{ODD}.safetensors.index.json", found.after)
    assert sorted(tmp_path.iterdir()) == before
    assert all(isinstance(array, np.ndarray) for array in found.after.arrays.values())
