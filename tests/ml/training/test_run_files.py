"""Where a training puts its files, and whether it may begin."""

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
    with pytest.raises(FileError, match=r"model\.run: an interrupted run is waiting here.*`resume=True`"):
        files.check(force=False, resume=False)
    files.check(force=False, resume=True)
    files.check(force=True, resume=False)
    files.output.write_text("mine")
    for resume in (False, True):
        with pytest.raises(FileError, match="exists already"):
            files.check(force=False, resume=resume)
    files.check(force=True, resume=True)
    assert files.output.read_text() == "mine" and files.state.exists()
