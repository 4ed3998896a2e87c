"""Names that are refused for an output."""

import os

import pytest

from ginjax.checkpoint import check_output
from ginjax.errors import ArgumentError


@pytest.mark.parametrize("how", ["same", "spelled", "symbolic link", "hard link", "linked folder"])
@pytest.mark.parametrize("kind", ["model", "data"])
def test_an_output_that_is_read_is_refused_however_it_is_named(tmp_path, kind, how):
    given = tmp_path / "given"
    given.write_bytes(b"weights")
    (tmp_path / "folder").mkdir()
    output = tmp_path / "other"
    match how:
        case "same":
            output = given
        case "spelled":
            output = tmp_path / "folder" / ".." / "given"
        case "symbolic link":
            output.symlink_to(given)
        case "hard link":
            os.link(given, output)
        case "linked folder":
            output.symlink_to(tmp_path, target_is_directory=True)
            output = output / "given"
    with pytest.raises(ArgumentError, match="which is the model, expected a file elsewhere"):
        check_output(output, kind, {"nothing": None, "the model": [tmp_path / "not there", given]})
    check_output(tmp_path / "new", kind, {"the model": given})


def test_data_are_not_written_among_data_that_are_read(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ArgumentError, match="in the folder of the data, expected a file elsewhere"):
        check_output(tmp_path / "in" / "new.h5", "data", {"the data": tmp_path / "in"})
    check_output(tmp_path / "in" / "model.safetensors", "model", {"the data": tmp_path / "in"})


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("model", "m.onnx", "Name it m.safetensors; what writes a graph of ONNX is: ginjax export m.safetensors -o m.onnx"),
        ("model", "M.ONNX", "ginjax export M.safetensors -o M.ONNX"),
        ("model", "m.stablehlo", "ginjax export m.safetensors -o m.stablehlo"),
        ("model", "m.hdf5", "ginjax data convert DATA -o m.hdf5"),
        ("model", "m.npz", "Name it m.safetensors."),
        ("model", "m.csv", "ginjax evaluate m.safetensors with `csv='FILE'`"),
        ("model", "m.png", "ginjax compare m.safetensors -o m.png"),
        ("model", "m.toml", "ginjax train with `print_config=True`"),
        ("model", "m.safetensors.index.json", "Name it"),
        ("filters", "f.onnx", "ginjax export MODEL -o f.onnx"),
        ("state dict", "net.onnx", "Name it net.safetensors."),
        ("graph", "net.safetensors", "a graph of ONNX is converted into another one"),
        ("data", "d.npz", "Name it d.h5."),
        ("data", "d.gif", "ginjax predict MODEL DATA with `gif=True`"),
        ("table", "t.h5", "Name it t.csv"),
        ("folder", "d.h5", "Name it d;"),
    ],
)  # fmt: skip
def test_an_ending_of_another_kind_is_refused_with_what_writes_it(kind, name, hint):
    with pytest.raises(ArgumentError) as raised:
        check_output(name, kind)
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("model", "m"),
        ("model", "m.safetensors"),
        ("model", "m.st"),
        ("model", "v1.2"),
        ("state dict", "net.safetensors.index.json"),
        ("graph", "net.onnx"),
        ("data", "d.hdf5"),
        ("data", "d.h5"),
        ("table", "t.txt"),
        ("folder", "data"),
    ],
)
def test_every_other_name_is_taken(kind, name):
    check_output(name, kind)


def test_a_folder_that_is_there_is_taken(tmp_path):
    (tmp_path / "data.h5").mkdir()
    check_output(tmp_path / "data.h5", "folder")
