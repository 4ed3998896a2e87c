import json
import shlex
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import app
from data.layouts import arena, by_seed, compressible, numbers, well_file
from typer.main import get_command
from typer.testing import CliRunner

from ginjax._text import in_bytes
from ginjax.data import PDES, PLANES_ARE_FOR, PLANES_NAMES, PLANES_WORDS, open_data
from ginjax_cli.data import data


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, ["data", *args], prog_name="ginjax")


def test_inspect_tells_what_is_in_a_file(run, tmp_path):
    velocity = numbers(3, 5, 4, 6, 2)
    velocity[1, 2, 3, 4, 0] = np.nan
    well_file(tmp_path / "flow", {"velocity": (1, velocity, True, True, (True, True))}, bc="WALL")
    result = run("inspect", "flow")
    assert result.exit_code == 0, result.stderr
    for words in ("the-well", "4x6", "x not periodic, y periodic", "velocity      1  even    unknown", "719"):
        assert words in result.stdout
    assert "warning: field 'velocity' holds 1 values that are NaN or infinite" in result.stderr
    assert "next:" not in result.stderr  # training on it would be refused
    payload = json.loads(run("inspect", "flow", "--json").stdout)
    (field,) = payload["fields"]
    assert (field["name"], field["order"], field["bad"], field["values"]) == ("velocity", 1, 1, 720)
    assert (payload["spacing"], payload["time_step"], payload["is_torus"]) == (0.5, 0.25, [False, True])
    assert run("inspect", "flow", "-q").stdout == ""


def test_inspect_asks_for_what_a_file_leaves_open(run, tmp_path):
    by_seed(tmp_path / "a")
    result = run("inspect", "a")
    assert result.exit_code == 0
    assert "cannot be inferred: whether the channels data.0, data.1 are scalars" in result.stderr
    assert "--field" in result.stderr and "next:" not in result.stderr
    settled = run("inspect", "a", "--field", "w:0-=data.1", "--periodic", "x", "--json")
    payload = json.loads(settled.stdout)
    assert [(f["name"], f["parity"]) for f in payload["fields"]] == [("w", 1)]
    assert payload["is_torus"] == [True, False] and payload["warnings"] == []
    flipped = run("inspect", "a", "--parity", "data.0=odd", "--periodic", "all", "--json")
    assert json.loads(flipped.stdout)["fields"][0]["parity"] == 1


def test_inspect_names_the_training_that_would_go_on_from_it(run, tmp_path):
    numbers_of = {"velocity": (1, numbers(3, 5, 4, 6, 2), True, True, (True, True))}
    well_file(tmp_path / "flow", numbers_of, bc="WALL")
    following = run("inspect", "flow", "--periodic", "x", "--max-frames", "2").stderr.splitlines()[-1]
    assert following == "next: ginjax train --data flow --periodic x"
    few = {"velocity": (1, numbers(2, 5, 4, 6, 2), True, True, (True, True))}
    well_file(tmp_path / "few", few, bc="WALL")
    assert "next:" not in run("inspect", "few").stderr  # nothing would be left to train on
    well_file(
        tmp_path / "still", {"velocity": (1, numbers(3, 1, 4, 6, 2), True, True, (True, True))}, bc="WALL"
    )
    assert "next:" not in run("inspect", "still").stderr  # one frame has none after it


def test_inspect_looks_at_some_frames_of_many_and_at_one_part(run, tmp_path):
    arena(tmp_path / "a", ("train", "test"))
    payload = json.loads(run("inspect", "a", "--split", "test", "--max-frames", "2", "--json").stdout)
    assert payload["splits"] == ["train", "test"] and payload["frames_surveyed"] == 2
    assert payload["fields"][0]["values"] <= 32
    assert "2 of 12 frames" in run("inspect", "a", "--max-frames", "2").stderr


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("--parity", "density"), "NAME=odd"),
        (("--periodic", "z"), "all, none, or some of x, y"),
        (("--field", "u:9+=Vx"), "variables of field 'u'"),
        (("--field", "u"), "NAME:ORDER"),
    ],
)
def test_a_malformed_option_is_a_usage_error(run, tmp_path, args, problem):
    compressible(tmp_path / "a")
    result = run("inspect", "a", *args)
    assert result.exit_code == 2 and problem in result.stderr


def test_what_is_no_data_is_one_line_and_a_hint(run, tmp_path):
    (tmp_path / "a").write_text("nothing")
    result = run("inspect", "a")
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.startswith("error: a: holds text, not arrays: expected data: The Well")
    assert "hint: A table whose rows are frames becomes an array by: python -c" in result.stderr


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("1,2,3\n4,5,6\n", ","),
        ("a;b;c\n1;2;3\n4;5;6\n", ";"),
        ("1 2 3\n4 5 6\n", None),
        ("# a b c\n1\t2\t3\n4\t5\t6\n", "\t"),
    ],
)
def test_the_way_from_a_table_leads_to_its_numbers(run, tmp_path, text, separator):
    """The lines of the hint are run as they stand, but for the program that looks at what came of them."""
    (tmp_path / "a table.csv").write_text(text)
    way = run("inspect", "a table.csv").stderr.partition("becomes an array by: ")[2].strip()
    convert, look = way.split(" && ")
    assert separator is None or json.dumps(separator) in convert
    program = shlex.split(convert)
    assert program[:2] == ["python", "-c"]
    assert subprocess.run([sys.executable, *program[1:]], cwd=tmp_path).returncode == 0
    words = shlex.split(look)
    assert words == ["ginjax", "data", "inspect", "a table.npz", "--axes", "time,x"]
    np.testing.assert_array_equal(np.load(tmp_path / words[3])["u"], [[1, 2, 3], [4, 5, 6]])
    assert json.loads(run(*words[2:], "--json").stdout)["frames"] == 2


def test_generate_writes_matching_files(run, tmp_path):
    args = (
        "generate",
        "--pde",
        "diffusion",
        "--dim",
        "2,1",
        "--size",
        "8",
        "--trajectories",
        "2",
        "--frames",
        "3",
    )
    result = run(*args, "-o", "new/place")
    assert result.exit_code == 0, result.stderr
    assert "diffusivity 0.04" in result.stdout and "density:0+" in result.stdout
    assert result.stderr.splitlines()[-1] == "next: ginjax data inspect new/place/diffusion_1d.hdf5"
    low, high = (open_data(tmp_path / f"new/place/diffusion_{D}d.hdf5") for D in (1, 2))
    assert (low.spacing, low.time_step) == (high.spacing, high.time_step) == (0.0625, 0.04)
    assert (low.spatial, high.spatial, high.trajectories, high.frames) == ((8,), (8, 8), 2, 4)
    assert low.schema == high.schema and high.is_torus == (True, True)
    about = high.origin["about"]
    assert (
        about["seed"] == 0 and about["formula"] == "u_t = nu Lap(u)" and about["correlation_length"] == 0.125
    )
    payload = json.loads(run(*args, "-o", "again", "--json").stdout)
    assert [entry["path"] for entry in payload["files"]] == [
        "again/diffusion_1d.hdf5",
        "again/diffusion_2d.hdf5",
    ]
    for D in (1, 2):
        name = f"diffusion_{D}d.hdf5"
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "new/place" / name).read_bytes()
    refused = run(*args, "-o", "again")
    assert refused.exit_code == 1 and "exists already" in refused.stderr
    assert run(*args, "-o", "again", "--force", "-q").stdout == "again\n"


TINY = ("generate", "--pde", "diffusion", "--size", "8", "--trajectories", "2", "--frames", "1")


def test_generate_covers_a_dimension_and_says_how(run, tmp_path):
    result = run(*TINY, "--dim", "1,2", "--cover", "2")
    assert result.exit_code == 0, result.stderr
    assert "data in 1D begin with the correlation lengths 0.125 and 0.0884 in turn: " in result.stderr
    assert "data in 2D begin" not in result.stderr
    low, high = (open_data(tmp_path / f"data/diffusion_{D}d.hdf5") for D in (1, 2))
    assert low.origin["about"]["cover"] == 2 and len(low.origin["about"]["correlation_lengths"]) == 2
    assert "cover" not in high.origin["about"]  # it is what is covered


def test_generate_lays_planes_in_space(run, tmp_path):
    result = run(*TINY, "--dim", "3", "--planes", "flat", "--json")
    assert result.exit_code == 0, result.stderr
    (file,) = json.loads(result.stdout)["files"]
    assert (file["path"], file["grid"], file["planes"]) == ("data/diffusion_3d_flat.hdf5", [8, 8, 4], "flat")
    source = open_data(tmp_path / file["path"])
    density = source.read(1, 0, 2)["density"]
    np.testing.assert_array_equal(density, np.repeat(density[..., :1], 4, axis=-1))
    assert source.is_torus == (True,) * 3 and source.origin["about"]["planes"] == "flat"


@pytest.mark.parametrize("planes", PLANES_NAMES)
def test_planes_say_what_they_are_and_what_they_are_for(run, planes):
    """Also once they were converted, and among other files."""
    command = (
        "generate",
        "--pde",
        "diffusion",
        "--size",
        "8",
        "--trajectories",
        "3",
        "--frames",
        "1",
        "--dim",
        "3",
    )
    assert run(*command, "--planes", planes, "-q").exit_code == 0
    path = f"data/diffusion_3d_{planes}.hdf5"
    assert run("convert", path, "--every", "1", "-o", "again.hdf5", "-q").exit_code == 0
    for each in (path, "again.hdf5"):
        found = run("inspect", each)
        assert f"\nplanes        {planes}: {PLANES_WORDS[planes]}\n" in found.stdout, found.output
        assert f"planes ({planes}): fields that are {PLANES_WORDS[planes]}\n" in found.stderr
        assert found.stderr.count(PLANES_ARE_FOR) == 1
        following = found.stderr.splitlines()[-1]
        assert following == f"next: ginjax train --init MODEL.3d.safetensors --data {each}"
        assert json.loads(run("inspect", each, "--json").stdout)["planes"] == planes
    assert run(*command, "-o", "cubes", "-q").exit_code == 0
    cubes = run("inspect", "cubes/diffusion_3d.hdf5")
    assert "planes" not in cubes.output and "--init" not in cubes.stderr
    assert run("inspect", path, "again.hdf5", "--json").stdout.count(f'"planes": "{planes}"') >= 1


def test_the_planes_of_the_command_line_are_those_of_the_library(run):
    result = run(*TINY, "--planes", "tilted")
    assert result.exit_code == 2 and f"is not one of {', '.join(map(repr, PLANES_NAMES))}" in result.stderr


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (
            ("--dim", "3", "--cover", "3"),
            "--cover: got data in 3D, expected data of a lower dimension",
            "only planes",
        ),
        (("--dim", "2", "--cover", "2"), "--cover: got 2, expected a dimension that the data", ""),
        (
            ("--dim", "2,3", "--planes", "flat"),
            "--planes: got a simulation in 2D, expected one in 3D",
            "Ask for 3D",
        ),
    ],
)
def test_generate_refuses_what_cannot_be_covered_or_laid(run, args, message, hint, tmp_path):
    result = run(*TINY, *args)
    assert result.exit_code == 2 and message in result.stderr and hint in result.stderr
    # nothing is announced or made first, as it is for what can be had
    assert "on disk" not in result.stderr and not (tmp_path / "data").exists()


def test_the_help_says_which_equations_have_no_planes(run):
    text = " ".join(run("generate", "--help").output.replace("\u2502", " ").split())
    without = [name for name, pde in PDES.items() if not pde.planar]
    assert f"All equations except {', '.join(without)} have planes." in text


def test_generate_refuses_before_it_simulates(run, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be made" in run("generate", "-o", "file/x").stderr
    result = run("generate", "--dim", "1,4")
    assert result.exit_code == 2 and "some of 1, 2 and 3" in result.stderr
    result = run("generate", "--pde", "navier-stokes", "--dim", "1,2", "-o", "none")
    assert result.exit_code == 2 and not (tmp_path / "none").exists()
    assert result.stderr.startswith(
        "error: dimension of a simulation of navier-stokes: got 1, expected 2 or 3"
    )


def test_generate_takes_the_dimensions_that_an_equation_has(run, tmp_path):
    small = ("--size", "4", "--trajectories", "1", "--frames", "1", "-o", "flow")
    result = run("generate", "--pde", "navier-stokes", *small)
    assert result.exit_code == 0, result.stderr
    assert sorted(each.name for each in (tmp_path / "flow").iterdir()) == [
        "navier-stokes_2d.hdf5",
        "navier-stokes_3d.hdf5",
    ]


def test_generate_says_how_much_it_will_write_and_refuses_what_has_no_room(run, tmp_path, monkeypatch):
    large = (
        "generate",
        "--pde",
        "burgers",
        "--dim",
        "2",
        "--size",
        "32",
        "--trajectories",
        "2",
        "--frames",
        "3",
    )
    needed = 2 * 4 * 2 * 32**2 * 4
    assert f"about {needed / 2**10:.3g} KiB on disk" in run(*large, "-o", "a").stderr
    written = (tmp_path / "a" / "burgers_2d.hdf5").stat().st_size
    assert needed < written < needed + 2**16
    for free, code in ((2 * needed, 0), (2 * needed - 1, 1)):  # twice on the disk while it is finished
        monkeypatch.setattr("shutil.disk_usage", lambda folder, free=free: SimpleNamespace(free=free))
        result = run(*large, "-o", "b", "--force")
        assert result.exit_code == code
    assert f"b: has {in_bytes(free)} free, and the files need {in_bytes(2 * needed)} while" in result.stderr


def test_the_help_shows_a_schema_that_can_be_used(run, tmp_path):
    text = " ".join(run("inspect", "--help").stdout.split())
    shown = text[text.index('{"dimension"') : text.index("╭")].strip()
    np.savez("a.npz", schema=shown, v=np.zeros((3, 4, 8, 8, 2)), bed=np.zeros((3, 8, 8)))
    source = open_data("a.npz")
    assert [each.kind for each in (*source.schema, *source.constants)] == ["v:1+", "bed:0+"]
    assert (source.spacing, source.time_step, source.is_torus) == (0.1, 0.5, (True, True))


def test_every_option_says_what_it_means_and_the_common_ones_are_there():
    commands = get_command(data).commands  # pyright: ignore[reportAttributeAccessIssue]
    assert list(commands) == ["inspect", "convert", "generate"]
    for command in commands.values():
        assert {"--json", "--quiet", "--debug"} <= {flag for p in command.params for flag in p.opts}
        assert all(p.name == "help" or p.help.strip()[-1] in ".)" for p in command.params)
