"""What no command waits for, and what it may write again after it was interrupted."""

import os
import signal
from pathlib import Path

import pytest
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax_cli._train_run import TrainRun

MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.fixture
def impatient():
    """Whatever waits is ended."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


READ = (
    ("inspect", "{}"),
    ("verify", "{}", MODEL),
    ("convert-d", "{}", "--to-dim", "2"),
    ("export", "{}", "-o", "a.safetensors"),
    ("card", "{}"),
    ("card", MODEL, "-o", "a.md", "--evaluation", "{}"),
    ("evaluate", "{}"),
    ("evaluate", MODEL, "--data", "{}"),
    ("predict", "{}", MODEL),
    ("predict", MODEL, "{}"),
    ("data", "inspect", "{}"),
    ("train", "--data", "{}"),
    ("train", "--init", "{}"),
    ("train", "--filters", "{}"),
    ("train", "--config", "{}"),
    ("init", "resnet", "--filters", "{}"),
    ("import", "{}", "--arch", "resnet", "--in", "a:0+", "--channels", "2"),
)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("words", READ, ids=lambda words: " ".join(words).replace(MODEL, "MODEL"))
def test_nothing_but_files_is_read(run, tmp_path, words):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link"):
        refused = run(*(word.format(name) for word in words))
        assert refused.exit_code in (1, 2) and refused.stderr.startswith("error: "), refused.stderr
        assert name in refused.stderr and "is not a regular file" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


WRITE = (
    ("build-filters", "--dim", "1"),
    ("init", "resnet"),
    ("convert-d", MODEL, "--to-dim", "2"),
    ("demo", "--steps", "1"),
    ("predict", MODEL, MODEL),
    ("train", "--steps", "1"),
    ("card", MODEL),
    ("compare", MODEL, MODEL),
    ("export", MODEL),
    ("data", "convert", MODEL),
)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("words", WRITE, ids=lambda words: words[0])
def test_nothing_but_files_is_written(run, tmp_path, words):
    ending = ".stablehlo" if words[0] == "export" else ""
    pipe, mine = f"pipe{ending}", f"mine{ending}"
    os.mkfifo(tmp_path / pipe)
    (tmp_path / mine).write_text("mine")
    for name, force, problem in ((pipe, ["--force"], "is not a regular file"), (mine, [], "exists already")):
        refused = run(*words, "-o", name, *force)
        assert refused.exit_code == 1 and f"error: {name}: " in refused.stderr and problem in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine, pipe]
    assert (tmp_path / mine).read_text() == "mine"


@pytest.mark.parametrize("words", WRITE, ids=lambda words: " ".join(words[:2]))
def test_nothing_is_written_through_a_link_to_nothing(run, tmp_path, words):
    """Not even where nothing is: who sees the name of a link does not see what would be written."""
    link = f"link{'.stablehlo' if words[0] == 'export' else ''}"
    (tmp_path / link).symlink_to("elsewhere")
    refused = run(*words, "-o", link)
    assert refused.exit_code == 1, refused.stderr
    assert f"error: {link}: is a symbolic link to nothing: expected a file, or none\n" in refused.stderr
    assert "--force to write the file that it leads to" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == [link]


def test_a_link_that_somebody_named_is_followed_with_force(run, tmp_path):
    """As one to a disk with more room, and only where its name was given; the name of the model gave the other one."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "card.md").symlink_to("disk/card.md")
    for _ in ("nothing there", "the last one there"):
        assert run("card", MODEL, "-o", "card.md", "--force").exit_code == 0
        assert (tmp_path / "disk" / "card.md").is_file() and (tmp_path / "card.md").is_symlink()
    model = tmp_path / "card.safetensors"
    model.write_bytes(Path(MODEL).read_bytes())
    refused = run("card", "card.safetensors", "--force")
    assert refused.exit_code == 1 and "card.md: is a symbolic link: expected" in refused.stderr


FOLLOWING = (
    ("evaluate", MODEL, "--steps", "1", "--trajectories", "1", "--size", "8", "-o", "found"),
    ("data", "generate", "--dim", "1", "--size", "8", "--trajectories", "1", "--frames", "1", "-o", "found"),
    ("predict", MODEL, MODEL, "-o", "found/forecast.h5", "--gif"),
    ("transfer-curve", "-o", "found"),
)


@pytest.mark.parametrize("words", FOLLOWING, ids=lambda words: words[0])
def test_files_that_nobody_named_are_not_written_through_links(run, tmp_path, words):
    """With `--force` neither; names that follow from that of a folder, or of the output."""
    (tmp_path / "found").mkdir()
    (tmp_path / "precious").write_text("mine")
    for name in ("errors.png", "diffusion_1d.hdf5", "forecast.gif", "transfer_curve.png"):
        (tmp_path / "found" / name).symlink_to("../precious")
    refused = run(*words, "--force")
    assert refused.exit_code == 1, refused.stderr
    assert "is a symbolic link: expected a file, or none" in refused.stderr
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_folder_is_called_one_whatever_the_ending_should_be(run, tmp_path):
    (tmp_path / "folder").mkdir()
    for words in (("export", MODEL), ("compare", MODEL, MODEL), ("card", MODEL), ("data", "convert", MODEL)):
        refused = run(*words, "-o", "folder")
        assert (refused.exit_code, "error: folder: is a folder" in refused.stderr) == (1, True), (
            refused.stderr
        )


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "words",
    [("evaluate", MODEL), ("data", "generate", "--dim", "1"), ("transfer-curve",)],
    ids=lambda words: words[0],
)
def test_nothing_is_written_in_place_of_a_folder(run, tmp_path, words):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "mine").write_text("mine")
    for name in ("pipe", "mine"):
        refused = run(*words, "-o", name)
        assert (
            refused.exit_code == 1 and f"error: {name}: is not a folder: expected a folder" in refused.stderr
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "pipe"]
    assert (tmp_path / "mine").read_text() == "mine"


def stop_at(monkeypatch, name, which):
    """Let the call of a function that has this number end as Ctrl-C does."""
    module, _, function = name.rpartition(".")
    real, calls = getattr(__import__(module, fromlist=[function]), function), []

    def stopped(*args, **kwargs):
        calls.append(args)
        if len(calls) == which:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(name, stopped)


def test_an_interrupted_generation_may_be_repeated(run, tmp_path, monkeypatch):
    words = ("data", "generate", "--dim", "1,2", "--size", "8", "--trajectories", "1", "--frames", "1")
    stop_at(monkeypatch, "ginjax.data.write_well", 2)
    assert run(*words).exit_code == 130
    assert {path.suffix for path in (tmp_path / "data").iterdir()} == {".hdf5", ".ginjax-lock"}
    other = run(*words, "--seed", "1")  # other files, which must not replace these
    assert other.exit_code == 1 and "diffusion_1d.hdf5: the file exists already" in other.stderr
    assert run(*words, "--json").exit_code == 0  # the same files, told otherwise
    assert {path.suffix for path in (tmp_path / "data").iterdir()} == {".hdf5"}
    assert run(*words).exit_code == 1


def test_an_interrupted_evaluation_may_be_repeated(run, tmp_path, monkeypatch):
    words = ("evaluate", MODEL, "--steps", "1", "--trajectories", "1", "--size", "8", "-o", "found")
    stop_at(monkeypatch, "ginjax.workflow._evaluation.save_picture", 1)
    assert run(*words).exit_code == 130
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert names == [".evaluation.ginjax-lock", "evaluation.json"]  # numbers before pictures
    assert run(*words).exit_code == 0
    assert not (tmp_path / "found" / names[0]).exists()
    assert run(*words).exit_code == 1


@pytest.mark.parametrize("table", ["all.csv", "found/all.csv"])
def test_a_table_belongs_to_its_evaluation(run, tmp_path, monkeypatch, table):
    """It may lie in the folder that is made, and stopped before it was written, the command may be repeated."""
    words = (
        "evaluate",
        MODEL,
        "--steps",
        "1",
        "--trajectories",
        "1",
        "--size",
        "8",
        "-o",
        "found",
        "--csv",
        table,
    )
    with monkeypatch.context() as stopping:
        stop_at(stopping, "ginjax.checkpoint.atomic_write", 1)
        assert run(*words).exit_code == 130
    assert not (tmp_path / table).exists() and (tmp_path / "found" / "errors.png").exists()
    assert run(*words).exit_code == 0
    assert (tmp_path / table).read_text().startswith("forecast,")
    assert not list(tmp_path.rglob(".*"))


def test_an_evaluation_of_which_nothing_came_leaves_no_folder(run, tmp_path):
    assert run("evaluate", MODEL, "--pde", "burgers", "-o", "found").exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", ["--keep-state", "--no-keep-state"])
def test_a_training_is_not_lost_where_another_program_takes_its_name(run, tmp_path, monkeypatch, keep):
    real = TrainRun.carry_out

    def carried_out(self):
        trained = real(self)
        for name in ("model.safetensors", "model.1.safetensors"):
            (tmp_path / name).write_text("mine")
        return trained

    monkeypatch.setattr(TrainRun, "carry_out", carried_out)
    words = (
        "--arch",
        "series",
        "--channels",
        "2",
        "--blocks",
        "1",
        "--size",
        "8",
        "--trajectories",
        "2",
        "--frames",
        "1",
    )
    result = run("train", *words, "--steps", "1", "--batch-size", "1", keep)
    assert result.exit_code == 0, result.stderr
    told = "model.safetensors was made by another program meanwhile: the model is model.2.safetensors"
    assert told in result.stderr and "wrote model.2.safetensors" in result.stderr
    assert read_model(tmp_path / "model.2.safetensors").provenance[-1]["steps_done"] == 1
    assert {(tmp_path / name).read_text() for name in ("model.safetensors", "model.1.safetensors")} == {
        "mine"
    }


@pytest.mark.skipif(os.name == "nt", reason="a folder in use is not removed there")
@pytest.mark.parametrize(
    "words",
    [("card", MODEL, "-o", "card.md"), ("init", "resnet"), ("train",), ("predict", MODEL, MODEL), ("demo",)],
    ids=lambda words: words[0],
)
def test_a_folder_that_is_gone_is_told_in_a_line(tmp_path, monkeypatch, words):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    refused = CliRunner().invoke(app, words, prog_name="ginjax")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "error: the folder that this was started in is gone\nhint: Change to another one.\n",
    )
