"""Walls on the command line: padding by axis, boundaries of new axes, and data with walls all around."""

import json

import numpy as np
import pytest
from command_line import app, once
from typer.testing import CliRunner

from ginjax.checkpoint import Axis, read_model
from ginjax_cli._by_axis import by_axis

TINY = ("--channels", "2", "--blocks", "1", "--arch", "series")
QUICK = ("--steps", "2", "--batch-size", "2", *TINY)


def write_box(path, D: int, side: int, periodic=False, seed: int = 0) -> None:
    """Any smooth motion of a pressure and a velocity; it need obey no law."""
    rng = np.random.default_rng(seed)
    fields = [
        {"name": "pressure", "order": 0, "parity": "even", "unit": "1"},
        {"name": "velocity", "order": 1, "parity": "even", "unit": "1"},
    ]
    schema = {"dimension": D, "spacing": 1.0, "time_step": 1.0, "periodic": periodic, "fields": fields}
    shape = (6, 3, *(side,) * D)
    arrays = {"pressure": rng.standard_normal(shape), "velocity": rng.standard_normal((*shape, D))}
    np.savez(path, schema=json.dumps(schema), **{k: v.astype(np.float32) for k, v in arrays.items()})


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    made = tmp_path_factory.mktemp("walls")
    write_box(made / "box_1d.npz", 1, 8)
    write_box(made / "ring_1d.npz", 1, 8, periodic=True)
    write_box(made / "box_2d.npz", 2, 6)
    return made


@pytest.fixture
def run(here, monkeypatch):
    monkeypatch.chdir(here)
    return lambda *args: CliRunner().invoke(app, once(args), prog_name="ginjax")


@pytest.fixture(scope="module")
def low(here):
    """A network trained beside walls, with the padding that nobody asked for."""
    args = ("train", "--data", str(here / "box_1d.npz"), *QUICK, "-o", str(here / "low"))
    result = CliRunner().invoke(app, once(args), prog_name="ginjax")
    assert result.exit_code == 0, result.stderr
    return here / "low"


def test_from_walls_to_walls(run, here, low):
    assert read_model(low).contract.axes == (Axis("x", "bounded", "mirror"),)
    result = run("convert-d", str(low), "--to-dim", "2", "--new-boundary", "mirror", "-o", "high", "--force")
    assert result.exit_code == 0, result.stderr
    assert "assumes of the new axes" in result.stdout and "mirror" in result.stdout
    assert read_model("high").contract.axes[1] == Axis("y", "bounded", "mirror")
    result = run("inspect", "high", "--json")
    assert json.loads(result.stdout)["certificate"]["new_boundaries"] == ["mirror"]
    assert "x not periodic (mirror), y not periodic (mirror)" in run("inspect", "high").stdout
    result = run("verify", str(low), "high", "--size", "4")
    assert result.exit_code == 0, result.stderr + result.stdout
    result = run("evaluate", "high", "--data", "box_2d.npz", "--steps", "1", "-o", "seen", "--force")
    assert result.exit_code == 0, result.stderr
    # With new axes that wrap the same data are refused.
    assert run("convert-d", str(low), "--to-dim", "2", "-o", "ring", "--force").exit_code == 0
    result = run("evaluate", "ring", "--data", "box_2d.npz", "--steps", "1", "-o", "seen", "--force")
    assert result.exit_code == 1 or result.exit_code == 2
    assert "boundaries of the data" in result.stderr


def test_rules_and_flex_are_compared_on_data_with_walls(run, low):
    common = ("convert-d", str(low), "--to-dim", "2", "--new-boundary", "edge", "--samples", "2")
    result = run(*common, "--rescale", "all", "--data", "box_2d.npz")
    assert result.exit_code == 0, result.stderr
    assert "--new-boundary edge" in result.stderr
    result = run(
        *common,
        "--rescale",
        "compat-flex",
        "--calibrate",
        "box_2d.npz",
        "-o",
        "calibrated",
        "--split",
        "train",
    )
    assert result.exit_code == 0, result.stderr
    record = read_model("calibrated")
    assert record.contract.axes[1].padding == "edge" and record.certificate.new_boundaries == ("edge",)
    assert not record.certificate_is_stale


def test_a_ring_is_adapted_to_a_box(run):
    assert run("train", "--data", "ring_1d.npz", *QUICK, "-o", "ring_low", "--force").exit_code == 0
    assert read_model("ring_low").spec["options"].get("padding_mode", "ZEROS") == "ZEROS"
    common = (
        "train",
        "--init",
        "ring_low",
        "--data",
        "box_1d.npz",
        "--steps",
        "2",
        "--batch-size",
        "2",
        "--force",
    )
    result = run(*common, "--adapt", "boundary", "--padding", "edge", "-o", "adapted")
    assert result.exit_code == 0, result.stderr
    assert read_model("adapted").contract.axes[0] == Axis("x", "bounded", "edge")
    result = run("train", "--init", "adapted", "--data", "box_1d.npz", "--steps", "2", "--padding", "mirror")
    assert result.exit_code != 0
    assert "--padding" in result.stderr and "--adapt boundary" in result.stderr


def test_init_names_its_walls(run):
    assert run("init", "series", "--dim", "2", "--padding", "y=edge", *TINY[:4], "--force").exit_code == 0
    assert read_model("model.safetensors").contract.axes == (Axis("x"), Axis("y", "bounded", "edge"))
    assert run("init", "series", "--dim", "2", "--padding", "mirror", *TINY[:4], "--force").exit_code == 0
    assert [axis.padding for axis in read_model("model.safetensors").contract.axes] == ["mirror"] * 2


@pytest.mark.parametrize(
    "args, message",
    [
        (
            ("train", "--data", "box_1d.npz", "--padding", "reflect"),
            "--padding: got 'reflect', expected zeros",
        ),
        (("train", "--data", "box_1d.npz", "--padding", "y=edge"), "--padding of axis 'y': got no such axis"),
        (("train", "--data", "ring_1d.npz", "--padding", "edge"), "an axis that is not periodic"),
        (("train", "--data", "box_1d.npz", "--padding", "x=edge", "--padding", "x=mirror"), "each axis once"),
        (("train", "--data", "box_1d.npz", "--padding", "edge", "--padding", "x=mirror"), "each axis once"),
        (("init", "series", "--padding", "z=edge"), "--padding of axis 'z'"),
        (("convert-d", "low", "--to-dim", "2", "--new-boundary", "zeros"), "--new-boundary: got 'zeros'"),
        (("convert-d", "low", "--to-dim", "2", "--new-boundary", "x=edge"), "--new-boundary of axis 'x'"),
    ],
)
def test_what_is_wrong_is_one_clear_line(run, low, args, message):
    result = run(*args, "-o", "nowhere")
    assert result.exit_code in (1, 2)
    assert message in result.stderr, result.stderr
    assert "Traceback" not in result.stderr


def test_one_word_or_words_by_axis():
    assert by_axis("--padding", None) is None and by_axis("--padding", []) is None
    assert by_axis("--padding", ["edge"]) == "edge"
    assert by_axis("--padding", ["y=edge", "x=zeros"]) == {"y": "edge", "x": "zeros"}


def test_the_axis_that_is_new_has_a_name(run):
    made = run(
        "init", "series", "--dim", "2", "--channels", "2", "--padding", "y=edge", "-o", "channel", "--force"
    )
    assert made.exit_code == 0, made.stderr
    common = ("convert-d", "channel", "--to-dim", "3")
    result = run(*common, "--new-axis", "y", "-o", "space", "--force")
    assert result.exit_code == 0, result.stderr
    assert "axes: x stays x, y becomes z; y is new" in result.stderr
    assert "new axes" in result.stdout
    axes = (Axis("x"), Axis("y"), Axis("z", "bounded", "edge"))
    assert read_model("space").contract.axes == axes
    assert "x periodic, y periodic, z not periodic (edge)" in run("inspect", "space").stdout
    back = run("convert-d", "space", "--to-dim", "2", "-o", "plane", "--force")
    assert "axes: x stays x, z becomes y; y goes" in back.stderr
    assert read_model("plane").contract.axes == read_model("channel").contract.axes
    verified = run("verify", "channel", "space", "--size", "4")
    assert verified.exit_code == 0, verified.stderr
    refused = run(*common, "--new-axis", "w", "-o", "other")
    assert refused.exit_code == 2 and "--new-axis: got 'w', expected one of x, y, z" in refused.stderr
    every = run(*common, "--new-axis", "y", "--rescale", "all")
    assert every.exit_code == 0 and "--new-axis y" in every.stderr
