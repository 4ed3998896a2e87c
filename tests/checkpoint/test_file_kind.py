import json
import os

import numpy as np
import pytest
from helpers import FIXTURES

from ginjax.checkpoint import file_kind, is_other_kind, read_header, write_file, wrong_file
from ginjax.errors import FileError

HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(100)


def header(**own):
    text = json.dumps({"__metadata__": {"ginjax": json.dumps(own)}}).encode()
    return len(text).to_bytes(8, "little") + text


FILES = {
    "model": (FIXTURES / "diffusion_1d.safetensors").read_bytes(),
    "pairs": (FIXTURES / "diffusion_3d_fields.safetensors").read_bytes(),
    "filters": header(kind="filters", schema=2),
    "state": header(kind="arrays", schema=2, purpose="state of a training"),
    "arrays": header(kind="arrays", schema=2),
    "damaged": header(kind="nothing"),
    "safetensors": (lambda text: len(text).to_bytes(8, "little") + text)(b'{"a": 1}'),
    "data": HDF5,
    "log": b'{"learning_rate": 0.1, "loss": 1.0, "seconds": 1.0, "step": 1}\n',
    "evaluation": b'{"data": "x", "errors": {}}\n',
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "text": b"density:0+ and more",
    "program": b"<\0\0\0008\0d\0" + bytes(100) + b"ML\xefR\rStableHLO_v1.15.0\0\1",
    "empty": b"",
    "unknown": b"\xff" * 100,
}


@pytest.mark.parametrize("group", [".zgroup", "zarr.json", ".zmetadata"])
def test_a_folder_that_is_a_store_of_zarr_is_data(tmp_path, group):
    assert file_kind(tmp_path).name == "folder"
    (tmp_path / group).write_text("{}")
    assert file_kind(tmp_path).name == "data"
    assert f"{tmp_path}: is a Zarr store: expected a model" in str(wrong_file(tmp_path, "a model"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_is_inside_of_it(tmp_path, name):
    (tmp_path / "anything.safetensors").write_bytes(FILES[name])
    assert file_kind(tmp_path / "anything.safetensors").name == name


@pytest.mark.parametrize("text", [b"a", b"a: 1\n", "é".encode(), b"seven77"])
def test_a_short_text_is_text(tmp_path, text):
    (tmp_path / "note").write_bytes(text)
    assert file_kind(tmp_path / "note").name == "text"


@pytest.mark.parametrize(
    "text", [b"", b"{", b'{"learning_rate": 0.1, "lo'], ids=["empty", "a letter", "half a line"]
)
def test_the_log_of_a_training_that_has_just_begun_is_no_damaged_file(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    for name, kind in (("m.log.jsonl", "log"), ("m.jsonl", "text" if text else "empty")):
        (tmp_path / name).write_bytes(text)
        assert file_kind(name).name == kind
    with pytest.raises(FileError, match=r"m\.log\.jsonl: is the log of a training") as caught:
        read_header("m.log.jsonl")
    assert caught.value.hint == "Name the model beside it, or list the trainings there with: ginjax runs ."


def test_text_of_a_toml_file_is_settings(tmp_path):
    (tmp_path / "run.toml").write_text("steps = 300\n")
    assert file_kind(tmp_path / "run.toml").name == "settings"


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("run folder", "state.safetensors"),
        ("evaluation folder", "evaluation.json"),
        ("data folder", "x.hdf5"),
        ("model folder", "x.safetensors"),
        ("folder", "x.txt"),
    ],
)
def test_folders(tmp_path, name, inside):
    (tmp_path / inside).write_text("x")
    assert file_kind(tmp_path).name == name


def test_what_is_no_file(tmp_path):
    assert file_kind(tmp_path / "none").name == file_kind("a\0b").name == "missing"
    os.mkfifo(tmp_path / "pipe")
    assert file_kind(tmp_path / "pipe").name == "unknown"  # and nobody waits for a writer


def test_the_refusal_names_the_command_in_words_for_a_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_file("it's a model", {"a": np.zeros(2)}, {"kind": "model"})
    error = wrong_file("it's a model", "a file of filters")
    assert error.problem == "it's a model: is a model: expected a file of filters"
    assert error.hint == "Look at it with: ginjax inspect 'it'\"'\"'s a model'"
    assert is_other_kind("it's a model", "filters") and not is_other_kind("it's a model", "model")
    assert not is_other_kind("none", "model")  # what is missing is told by whoever opens it
