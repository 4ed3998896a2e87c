"""Outputs that no command writes: what it reads, and names of another kind of file."""

import os
import shutil

import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.checkpoint import check_output
from ginjax.errors import ArgumentError
from ginjax_cli._errors import describe


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIXTURES / "diffusion_1d.safetensors", "m.safetensors")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


INIT = ("init", "resnet", "--channels", "2", "--blocks", "1")
IMPORT = ("import", "m.safetensors", "--arch", "resnet", "--in", "density:0+")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("train",), "x.onnx"),
        (("train", "--seeds", "0,1"), "x.onnx"),
        (("convert-d", "m.safetensors", "--to-dim", "3"), "x.hdf5"),
        (INIT, "x.toml"),
        (IMPORT, "x.stablehlo"),
        (("build-filters",), "x.npz"),
        (("predict", "m.safetensors", "d.h5"), "x.csv"),
        (("data", "convert", "d.h5"), "x.npz"),
        (("data", "generate", "--pde", "burgers"), "x.h5"),
        (("evaluate", "m.safetensors"), "x.png"),
        (("card", "m.safetensors"), "x.onnx"),
        (("demo",), "x.safetensors"),
        (("compare", "m.safetensors", "m.safetensors"), "x.onnx"),
        (("transfer-curve",), "x.csv"),
    ],
)
def test_a_name_of_another_kind_is_refused_before_any_work(run, tmp_path, words, name):
    result = run(*words, "-o", name, "--force")
    assert result.exit_code == 2 and f"--output: got {name}, a name of" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("model", "m.onnx", "Name it m.safetensors; what writes a graph of ONNX is: ginjax export m.safetensors -o m.onnx"),
        ("model", "M.ONNX", "Name it M.safetensors; what writes a graph of ONNX is: ginjax export M.safetensors -o M.ONNX"),
        ("model", "a b.md", "Name it 'a b.safetensors'; what writes a model card is: ginjax card 'a b.safetensors' -o 'a b.md'"),
        ("model", "m.hdf5", "Name it m.safetensors; what writes data in HDF5 is: ginjax data convert DATA -o m.hdf5"),
        ("model", "m.npz", "Name it m.safetensors."),
        ("model", "m.csv", "Name it m.safetensors; what writes a table is: ginjax evaluate m.safetensors --csv m.csv"),
        ("filters", "f.onnx", "Name it f.safetensors; what writes a graph of ONNX is: ginjax export MODEL -o f.onnx"),
        ("state dict", "net.onnx", "Name it net.safetensors."),
        ("graph", "net.safetensors", "Name it net.onnx: a graph of ONNX is converted into another one."),
        ("data", "d.gif", "Name it d.h5; what writes an animation is: ginjax predict MODEL DATA --gif"),
        ("folder", "d.safetensors", "Name it d; what writes a file of weights is: ginjax train -o d.safetensors"),
    ],
)  # fmt: skip
def test_the_command_that_writes_such_a_file_is_named(kind, name, hint):
    with pytest.raises(ArgumentError) as raised:
        check_output(name, kind)
    failure = describe(raised.value)
    assert failure is not None and failure.hint == hint


def test_so_is_one_of_the_table_of_an_evaluation(run):
    result = run("evaluate", "m.safetensors", "--csv", "x.onnx")
    assert result.exit_code == 2 and "--csv: got x.onnx" in result.stderr
    result = run("evaluate", "m.safetensors", "--csv", "m.safetensors", "--force")
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--init", "m.safetensors"),
        ("convert-d", "m.safetensors", "--to-dim", "3"),
        (*INIT, "--filters", "m.safetensors"),
        IMPORT,
        ("predict", "m.safetensors", "d"),
        ("data", "convert", "m.safetensors"),
        ("card", "m.safetensors"),
        ("export", "m.safetensors"),
        ("compare", "m.safetensors", "m.safetensors"),
    ],
)
def test_what_is_read_is_not_written_over(run, tmp_path, words):
    before = (tmp_path / "m.safetensors").read_bytes()
    name = "link.safetensors" if words[0] == "export" else "link"
    os.symlink("m.safetensors", name)
    result = run(*words, "-o", name, "--force")
    assert result.exit_code == 2 and "expected a file elsewhere" in result.stderr
    assert (tmp_path / "m.safetensors").read_bytes() == before


def test_nor_is_what_a_card_or_a_comparison_reads_besides(run, tmp_path):
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "evaluation.json").write_text("{}")
    os.link("found/evaluation.json", "c.md")
    result = run("card", "m.safetensors", "--evaluation", "found", "-o", "c.md", "--force")
    assert result.exit_code == 2 and "c.md, which is the evaluation" in result.stderr
    (tmp_path / "m.log.jsonl").write_text('{"step": 1, "seconds": 1.0}\n')
    os.symlink("m.log.jsonl", "p.png")
    result = run("compare", "m.safetensors", "m.safetensors", "-o", "p.png", "--force")
    assert result.exit_code == 2 and "p.png, which is the log of a run" in result.stderr
    assert (tmp_path / "m.log.jsonl").read_text().startswith("{")


def test_nor_through_a_name_that_nobody_gave(run, tmp_path):
    before = (tmp_path / "m.safetensors").read_bytes()
    os.symlink("m.safetensors", "m.2d.safetensors")
    assert run("convert-d", "m.safetensors", "--to-dim", "2", "--force").exit_code == 2
    shutil.copy("m.safetensors", "a.last.safetensors")
    assert run("train", "--init", "a.last.safetensors", "-o", "a.safetensors", "--force").exit_code == 2
    shutil.copy("m.safetensors", "a.seed1.safetensors")
    words = ("train", "--init", "a.seed1.safetensors", "--seeds", "0,1", "-o", "a.safetensors", "--force")
    assert run(*words).exit_code == 2
    assert (tmp_path / "a.last.safetensors").read_bytes() == before


@pytest.mark.skipif(
    not os.path.isdir("/proc/self"), reason="needs a folder that takes no files, whoever asks"
)
@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("train", "--data", "none.h5"), "x.safetensors"),
        (("train", "--data", "none.h5", "--seeds", "0,1"), "x.safetensors"),
        (("convert-d", "m.safetensors", "--to-dim", "2", "--calibrate", "none.h5"), "x.safetensors"),
        ((*INIT, "--filters", "none.safetensors"), "x.safetensors"),
        (("import", "none.eqx", *IMPORT[2:]), "x.safetensors"),
        (("build-filters",), "x.safetensors"),
        (("predict", "m.safetensors", "none.h5"), "x.h5"),
        (("data", "convert", "none.h5"), "x.h5"),
        (("data", "generate"), "x"),
        (("evaluate", "m.safetensors", "--data", "none.h5"), "x"),
        (("evaluate", "m.safetensors", "--data", "none.h5", "--csv"), "x.csv"),
        (("export", "m.safetensors"), "x.safetensors"),
        (("export", "m.safetensors"), "x.stablehlo"),
        (("card", "m.safetensors"), "x.md"),
        (("demo",), "x.png"),
        (("compare", "m.safetensors", "m.safetensors"), "x.png"),
        (("transfer-curve",), "x"),
    ],
)
def test_what_cannot_be_written_is_found_before_any_work(run, tmp_path, monkeypatch, words, name):
    """Otherwise the files that are not there would be missed, or the work would begin."""
    for work in (
        "models.export_dense",
        "models.export_stablehlo",
        "checkpoint.model_card",
        "filters.make_bank",
    ):
        monkeypatch.setattr(f"ginjax.{work}", lambda *args, **options: pytest.fail("it began to work"))
    said = () if words[-1] == "--csv" else ("-o",)
    result = run(*words, *said, f"/proc/{name}")
    assert result.exit_code == 1, result.output
    assert "error: /proc/x" in result.stderr and "cannot be" in result.stderr
    assert "hint: " in result.stderr and result.stdout == ""
    assert {each.name for each in tmp_path.iterdir()} <= {"m.safetensors", "m.evaluation"}


def test_nor_is_what_would_lie_in_a_file(run, tmp_path):
    (tmp_path / "taken").write_text("mine")
    inside = run("train", "--data", "none.h5", "-o", "taken/x.safetensors")
    assert inside.exit_code == 1 and "is not a folder" in inside.stderr
    assert (tmp_path / "taken").read_text() == "mine"
