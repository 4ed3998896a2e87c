"""Names that are refused for an output."""

import os

import pytest

from ginjax.checkpoint import check_output
from ginjax.errors import ArgumentError, OutputNameError


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
    ("kind", "name", "better"),
    [
        ("model", "m.onnx", "m.safetensors"),
        ("model", "M.ONNX", "M.safetensors"),
        ("model", "m.npz", "m.safetensors"),
        ("model", "a b.png", "'a b.safetensors'"),
        ("filters", "f.onnx", "f.safetensors"),
        ("state dict", "net.onnx", "net.safetensors"),
        ("graph", "net.safetensors", "net.onnx: a graph of ONNX is converted into another one"),
        ("data", "d.npz", "d.h5"),
        ("table", "t.h5", "t.csv"),
        ("folder", "d.h5", "d"),
    ],
)
def test_an_ending_of_another_kind_is_refused_with_a_name_that_fits(kind, name, better):
    with pytest.raises(OutputNameError) as raised:
        check_output(name, kind)
    assert raised.value.hint == f"Name it {better}."


def test_what_is_expected_is_said_in_words_of_the_library():
    with pytest.raises(ArgumentError) as raised:
        check_output("m.csv", "model")
    assert str(raised.value) == (
        "`output`: got m.csv, a name of a table, expected a name that ends in .safetensors. Name it m.safetensors."
    )


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
