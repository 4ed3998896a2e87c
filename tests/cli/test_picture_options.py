"""The options of pictures: known without the library, and said in its words."""

import json
from pathlib import Path
from typing import get_args

import pytest
import typer
from command_line import app
from helpers import FIXTURES
from typer.testing import CliRunner

from ginjax.errors import ArgumentError
from ginjax.ml import draw
from ginjax.ml.draw import _style
from ginjax_cli import _picture_options
from ginjax_cli._picture_options import picture_path

MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def test_the_command_line_knows_what_the_library_takes():
    assert get_args(draw.PictureFormat) == _picture_options.FORMATS == get_args(_picture_options.FormatName)
    assert (_picture_options.NARROWEST, _picture_options.WIDEST) == (_style.NARROWEST, _style.WIDEST)
    for text, width in (("one", "one"), ("two", "two"), ("120", 120.0), (120, 120.0)):
        assert _picture_options._width(text) == width
        assert _style.inches(_picture_options._width(text)) > 0
    for wrong in ("three", "10", "nan", "1e9", ""):
        with pytest.raises(typer.BadParameter, match="is not one, two, or 60 to 600 millimetres"):
            _picture_options._width(wrong)


def test_the_file_of_a_picture():
    assert picture_path(None, "demo", None) == Path("demo.png")
    assert picture_path(None, "demo", "pdf") == Path("demo.pdf")
    assert picture_path(Path("a.SVG"), "demo", "svg") == Path("a.SVG")
    for given, form in (("a.png", "pdf"), ("a", "svg")):
        with pytest.raises(ArgumentError, match=rf"--format: got {form} for {given}, expected png"):
            picture_path(Path(given), "demo", form)
    with pytest.raises(ArgumentError, match=r"got '.jpg' in a.jpg, expected .png or .pdf or .svg"):
        picture_path(Path("a.jpg"), "demo", None)


@pytest.mark.pictures
def test_pictures_in_another_format_and_width(run, tmp_path):
    evaluate = ("evaluate", MODEL, "--steps", "1", "--trajectories", "1", "--size", "8", "-o", "found")
    found = json.loads(run(*evaluate, "--format", "svg", "--width", "one", "--json").stdout)
    assert {name: Path(path).suffix for name, path in found["files"].items()} == {
        "json": ".json", "fields": ".svg", "errors": ".svg", "spectra": ".svg",
    }  # fmt: skip
    drawn = (tmp_path / "found" / "errors.svg").read_text(encoding="utf-8")
    width = float(drawn.partition('width="')[2].partition("pt")[0])
    assert width / 72 * 25.4 == pytest.approx(89, abs=0.1)
    for wrong in (("--format", "jpg"), ("--width", "wide")):
        refused = run(*evaluate, *wrong)
        assert refused.exit_code == 2 and wrong[1] in refused.stderr
    refused = run("demo", "-o", "a.pdf", "--format", "png")
    assert (refused.exit_code, "--format: got png for a.pdf" in refused.stderr) == (2, True)
