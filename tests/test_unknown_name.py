"""What is said of a name that is not among those there are: the one that was probably meant."""

import shutil

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

import ginjax
from ginjax import Network, TrainSettings
from ginjax._unknown_name import did_you_mean, nearest, unknown_name
from ginjax.checkpoint import convert_record, read_model
from ginjax.data import DataReading, find_pde, from_arrays, simulate
from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.ml import LOSSES, frozen_names
from ginjax.transfer import find_rule


def test_the_likeliest_name_comes_first_whatever_its_letters():
    assert nearest("Burger", ["diffusion", "burgers", "BURGER-KING"], 2) == ["burgers", "BURGER-KING"]
    assert nearest("xyz", ["diffusion"]) == [] == nearest("x", [])


def test_what_else_is_to_be_said_follows():
    assert did_you_mean("burger", ["burgers"]) == "Did you mean 'burgers'?"
    assert did_you_mean("burger", ["burgers"], hint="Look.") == "Did you mean 'burgers'? Look."
    assert (did_you_mean("xyz", ["burgers"], hint="Look."), did_you_mean("xyz", [])) == ("Look.", None)


def test_the_refusal_names_what_there_is():
    error = unknown_name("equation", "burger", ["burgers", "wave"])
    assert str(error) == "equation: got 'burger', expected burgers or wave. Did you mean 'burgers'?"
    assert unknown_name("equation", 3, ["burgers"]).hint is None


DATA = from_arrays({"pressure": np.zeros((3, 2, 8))}, periodic=True)
MODEL = FIXTURES / "diffusion_1d.safetensors"
MISSPELT = {
    "compatibility": lambda: find_rule("compatability", None),
    "burgers": lambda: find_pde("burger"),
    "smse": lambda: LOSSES.find("sme"),
    "adamw": lambda: TrainSettings(optimiser="adamW"),
    "cosine": lambda: TrainSettings(schedule="cosinus"),
    "bfloat16": lambda: TrainSettings(precision="bfloat"),
    "resnet": lambda: Network("restnet"),
    "relu": lambda: Network(activation="rellu").design(DATA.schema, DATA.schema).build(1, 0),
    "normalize": lambda: BankRecipe(3, scaling="normalise"),
    "summed": lambda: BankRecipe(3, support="sumed"),
    "hyperoctahedral": lambda: BankRecipe(3, group="hyperoctaedral"),
    "float32": lambda: convert_record(read_model(MODEL), 2, find_rule("volume", None), dtype="flaot32"),
    "mirror": lambda: convert_record(read_model(MODEL), 2, find_rule("volume", None), new_boundary="miror"),
    "diffusivity": lambda: simulate("diffusion", 1, trajectories=2, steps=1, vary={"difusivity": [0.1]}),
    "oblique": lambda: simulate("diffusion", 3, trajectories=2, steps=1, planes="obliqe"),
    "train": lambda: DataReading().open(MODEL.with_name("none"), split="trian"),
    "pressure": lambda: from_arrays({"pressure": np.zeros((3, 2, 8))}, unit={"presure": "Pa"}, periodic=True),
    "blocks.0": lambda: frozen_names(ginjax.load(MODEL).network, ["block.0"]),
}


@pytest.mark.parametrize("meant", MISSPELT)
def test_names_of_every_kind_are_known_when_they_are_misspelt(meant):
    with pytest.raises(ArgumentError) as caught:
        MISSPELT[meant]()
    assert caught.value.hint is not None and caught.value.hint.startswith(f"Did you mean {meant!r}?")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODEL, "m.safetensors")
    return lambda *words: CliRunner().invoke(app, words, prog_name="ginjax")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("convert-d", "m.safetensors", "--to-dim", "2", "--rescale", "compatability"), "compatibility"),
        (("convert-d", "m.safetensors", "--to-dim", "2", "--dtype", "flaot32"), "float32"),
        (("convert-d", "m.safetensors", "--to-dim", "2", "--new-boundary", "miror"), "mirror"),
        (("train", "--pde", "burger"), "burgers"),
        (("train", "--nonlinearity", "produkt"), "product"),
        (("train", "--arch", "ressnet"), "resnet"),
        (("train", "--activation", "rellu"), "relu"),
        (("train", "--loss", "normalised-smse"), "normalized-smse"),
        (("train", "--bias", "scaler"), "scalar"),
        (("train", "--log", "tensor-board"), "tensorboard"),
        (("train", "--format", "pgn"), "png"),
        (("train", "--init", "m.safetensors", "--adapt", "spacin"), "spacing"),
        (("train", "--init", "m.safetensors", "--freeze", "block"), "blocks"),
        (("data", "generate", "--vary", "difusivity=0.1,0.2"), "diffusivity"),
        (("data", "generate", "--planes", "flatt"), "flat"),
        (("init", "unett"), "unet"),
        (("build-filters", "--support", "orthoplx"), "orthoplex"),
        (("evaluate", "m.safetensors", "--split", "trian"), "train"),
    ],
)
def test_so_they_are_on_the_command_line(run, words, meant):
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert f"hint: Did you mean '{meant}'?" in result.stderr


def test_a_condition_under_another_name_is_offered(run, tmp_path):
    assert run("data", "generate", "--dim", "1", "--vary", "diffusivity=0.1,0.2", "--trajectories", "4", "--frames", "2",
               "--size", "8", "-q").exit_code == 0  # fmt: skip
    result = run("data", "inspect", "data/diffusion_1d.hdf5", "--condition", "difusivity")
    assert result.exit_code == 2
    assert (
        "hint: Did you mean 'diffusivity'? Say it: --condition difusivity=NUMBER, or what the file calls it: "
        in result.stderr
    )
    assert "--condition difusivity=diffusivity" in result.stderr


def test_the_control_is_a_name_that_is_like_none(run):
    result = run("train", "--pde", "qqq")
    assert (
        "Did you mean" not in result.stderr
        and "hint: 'ginjax train --help' lists the options." in result.stderr
    )
