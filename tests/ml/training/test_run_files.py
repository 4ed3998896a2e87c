"""Where a training puts its files, and whether it may begin."""

import os
from pathlib import Path

import pytest

from ginjax.errors import FileError
from ginjax.ml import RunFiles


@pytest.mark.parametrize(
    ("output", "stem"),
    [
        ("model.safetensors", "model"),
        ("model", "model"),
        ("run.v2.safetensors", "run.v2"),
        ("m.st", "m.st"),
        (".safetensors", ".safetensors"),
    ],
)
def test_all_names_come_of_the_output(output, stem):
    files = RunFiles(Path("folder") / output)
    assert [files.log.name, files.curve.name, files.last.name, files.state.name] == [
        f"{stem}.log.jsonl", f"{stem}.curve.png", f"{stem}.last.safetensors", f"{stem}.run",
    ]  # fmt: skip
    assert {each.parent for each in (files.log, files.curve, files.last, files.state)} == {Path("folder")}
    assert files.run_file({}).path.parent == files.state


def test_what_is_there_is_not_lost_by_mistake(tmp_path):
    files = RunFiles(tmp_path / "model.safetensors")
    files.check(force=False, resume=False)
    files.state.mkdir()
    with pytest.raises(FileError, match=r"model\.run: holds the state of a run.*`resume=True`"):
        files.check(force=False, resume=False)
    files.check(force=False, resume=True)
    files.check(force=True, resume=False)
    files.output.write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        files.check(force=False, resume=False)
    files.check(force=False, resume=True)  # what it is decides, see `finished`
    files.check(force=True, resume=True)
    assert files.output.read_text() == "mine" and files.state.exists()


def test_a_curve_is_due_where_the_run_ended_behind_its_model(tmp_path):
    files = RunFiles(tmp_path / "model.safetensors")
    assert not files.curve_is_due()
    files.output.write_text("model")
    assert files.curve_is_due()
    files.curve.write_text("curve")
    assert not files.curve_is_due()
    os.utime(files.curve, ns=(0, files.output.stat().st_mtime_ns - 1))  # of a shorter run
    assert files.curve_is_due()


@pytest.mark.parametrize("make", [lambda p: p.write_text("mine"), lambda p: p.symlink_to(".")])
def test_the_folder_of_a_run_is_a_folder(tmp_path, make):
    files = RunFiles(tmp_path / "model.safetensors")
    make(files.state)
    for force in (False, True):
        with pytest.raises(FileError, match=r"model\.run: is not a folder"):
            files.check(force=force, resume=True)


def test_one_run_at_a_time(tmp_path):
    """Of whatever output the names come."""
    with RunFiles(tmp_path / "model.safetensors").claim(force=False, resume=False):
        for output in ("model.safetensors", "model"):
            with pytest.raises(FileError, match=r"model\.log\.jsonl: is being written by process"):
                RunFiles(tmp_path / output).claim(force=True, resume=True)
        RunFiles(tmp_path / "other.safetensors").claim(force=False, resume=False).__exit__(None, None, None)


def test_the_log_of_a_run_that_failed_may_be_replaced(tmp_path):
    files = RunFiles(tmp_path / "model.safetensors")
    with pytest.raises(RuntimeError), files.claim(force=False, resume=False):
        files.log.write_text("")
        raise RuntimeError
    with files.claim(force=False, resume=False) as claim:
        assert claim.replaces(files.log) and not claim.replaces(files.output)
        claim.done()
    with pytest.raises(FileError, match="exists already"):
        files.claim(force=False, resume=False)
    files.run_file({}).folder.mkdir()
    with pytest.raises(FileError, match="exists already"):  # nothing to go on with
        files.claim(force=False, resume=True)
    files.run_file({}).path.write_bytes(b"")
    files.claim(force=False, resume=True).__exit__(None, None, None)


def test_a_run_that_lasts_is_not_taken_for_an_interrupted_one(tmp_path):
    """Its state stands beside its lock: going on with it would write into it."""
    files = RunFiles(tmp_path / "model.safetensors")
    with files.claim(force=False, resume=False):
        files.state.mkdir()
        for how in (
            {"force": False, "resume": False},
            {"force": True, "resume": False},
            {"force": False, "resume": True},
        ):
            with pytest.raises(FileError, match=r"is being written by process [0-9]+ on .*, since 20"):
                files.check(**how)
    with pytest.raises(FileError, match="holds the state of a run"):
        files.check(force=False, resume=False)


def test_a_damaged_state_is_to_be_begun_anew(tmp_path):
    files = RunFiles(tmp_path / "model.safetensors")
    files.state.mkdir()
    run_file = files.run_file({})
    run_file.path.write_bytes(b"\x00" * 64)
    with pytest.raises(FileError, match="Begin anew") as caught:
        run_file.load(None)
    assert "fetch" not in str(caught.value)
