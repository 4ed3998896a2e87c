"""Paths such as `.` and `/`, from which no other name can be made."""

import numpy as np
import pytest
from typer.testing import CliRunner

from ginjax_cli.main import make_app


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--steps", "1", "-o", "."],
        ["train", "--steps", "1", "--seeds", "0,1", "-o", "/"],
        ["predict", "m.safetensors", "data.npz", "-o", "."],
        ["predict", "m.safetensors", "data.npz", "--gif", "-o", "/"],
        ["data", "convert", "data.npz", "-o", "."],
        ["evaluate", "."],
        ["card", "/"],
    ],
    ids=" ".join,
)
def test_a_folder_without_a_name_is_refused_as_any_other(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", u=np.zeros((2, 3, 8), np.float32))
    result = CliRunner().invoke(make_app(), words, prog_name="ginjax")
    assert result.exit_code == 1
    assert "is a folder" in result.stderr.splitlines()[0]
