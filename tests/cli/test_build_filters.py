import json
import subprocess
import sys

import pytest
from command_line import app
from typer.testing import CliRunner

from ginjax.checkpoint import read_banks, read_file
from ginjax.filters import BankRecipe, make_bank
from ginjax_cli.main import COMMANDS


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def rows(stdout):
    return [
        tuple(map(int, line.split())) for line in stdout.splitlines() if line[:1].isspace() and line.strip()
    ]


def test_without_arguments(run, tmp_path):
    result = run("build-filters")
    assert result.exit_code == 0, result.stderr
    table = rows(result.stdout)
    assert [row[:4] for row in table] == [(D, 3, k, p) for D in (1, 2, 3) for k in (0, 1, 2) for p in (0, 1)]
    assert all(row[4] == row[5] for row in table)
    assert [row[4:] for row in table if row[0] == 3] == [
        (4, 4, 4, 27), (0, 0, 4, 27), (3, 3, 4, 27), (0, 0, 4, 27), (8, 8, 4, 27), (4, 4, 4, 27)
    ]  # fmt: skip
    assert result.stderr.splitlines() == [
        "wrote filters.safetensors",
        "next: ginjax train --filters filters.safetensors",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["filters.safetensors"]


def test_the_file_holds_the_banks(run):
    run(
        "build-filters",
        "--dim",
        "2",
        "--side",
        "5",
        "--order",
        "1",
        "--parity",
        "0",
        "--parity",
        "1",
        "-o",
        "f.st",
    )
    expected = make_bank(2, BankRecipe(5), [(1, 0), (1, 1)])
    assert read_banks("f.st") == {2: expected}
    content = read_file("f.st", kind="filters")
    assert content.arrays["d2.k1p0"].shape == (len(expected.blocks[1, 0]), 5, 5, 2)
    assert content.header["banks"]["2"]["digest"] == expected.digest


def test_the_same_command_gives_the_same_bytes(run, tmp_path):
    for name in ("a", "b"):
        assert run("build-filters", "-o", name).exit_code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_json(run):
    result = run("build-filters", "--dim", "2", "--order", "0", "--json")
    assert result.stderr == ""
    payload = json.loads(result.stdout)
    assert payload["path"] == "filters.safetensors"
    assert payload["bases"][0] == {
        "dim": 2, "side": 3, "order": 0, "parity": 0,
        "filters": 3, "character_formula": 3, "orbits": 3, "pixels": 9,
    }  # fmt: skip
    assert payload["recipe"]["scaling"] == "one"
    assert set(payload) == {"banks", "bases", "path", "recipe", "sha256", "warnings"}


def test_quiet(run):
    result = run("build-filters", "-q", "-o", "f.st")
    assert (result.stdout, result.stderr) == ("f.st\n", "")


@pytest.mark.parametrize("support", ["cut", "summed", "orthoplex"])
def test_supports(run, support):
    result = run(
        "build-filters", "--side", "5", "--support", support, "--dim", "2", "--order", "0", "--parity", "0"
    )
    assert result.exit_code == 0, result.stderr
    filters = {"cut": 4, "summed": 3, "orthoplex": 3}[support]
    assert rows(result.stdout) == [(2, 5, 0, 0, filters, 4, 4, 13)]


def test_even_sides_count_pixels_from_half(run):
    result = run(
        "build-filters", "--side", "4", "--support", "cut", "--max-l1", "2", "--dim", "2", "--order", "0"
    )
    assert rows(result.stdout)[0] == (2, 4, 0, 0, 2, 2, 2, 12)


def test_an_existing_file_is_kept(run, tmp_path):
    (tmp_path / "filters.safetensors").write_text("mine")
    result = run("build-filters")
    assert result.exit_code == 1
    assert "exists already" in result.stderr and "--force" in result.stderr
    assert (tmp_path / "filters.safetensors").read_text() == "mine"
    assert run("build-filters", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--side", "0"), "'--side'"),
        (("--dim", "0"), "'--dim'"),
        (("--order", "-1"), "'--order'"),
        (("--parity", "2"), "'--parity'"),
        (("--scaling", "stencil"), "'--scaling'"),
        (("--max-l1", "1"), "max_pixel_l1: got 1.0, expected nothing for support 'full'"),
        (("--support", "orthoplex", "--side", "4"), "expected an odd side"),
        (("--dim", "9", "--side", "99"), "entries a filter"),
        (("--dim", "6", "--side", "7", "--order", "2"), "entries"),
    ],
)
def test_bad_input_is_a_usage_error(run, tmp_path, args, message):
    result = run("build-filters", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_count_is_not_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr("ginjax.filters.character_count", lambda *_: 7)
    result = run("build-filters", "--dim", "2")
    assert result.exit_code == 3
    assert "expected 7 by the character formula" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_and_version(run):
    bare = run()
    assert bare.exit_code == 0
    assert bare.stdout == run("--help").stdout
    assert all(name in bare.stdout for name in COMMANDS)
    assert run("--version").stdout.startswith("ginjax ")
    assert "character" in run("build-filters", "--help").stdout


HEAVY = "print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"


@pytest.mark.parametrize(
    ("args", "heavy"),
    [
        (["--help"], ("jax", "numpy", "equinox", "safetensors", "ginjax.filters")),
        (["build-filters", "-q"], ("jax", "equinox", "optax", "jaxtyping", "rich", "matplotlib")),
    ],
)
def test_light_imports(tmp_path, args, heavy):
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['ginjax', *{args!r}]\n"
        "try: runpy.run_module('ginjax_cli', run_name='__main__')\n"
        f"finally: {HEAVY.format(heavy=heavy)}"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "[]\n")


@pytest.mark.parametrize(
    "arguments, others",
    [
        (["inspect", "--help"], False),
        (["--debug", "inspect", "--help"], False),
        (["--help"], True),
        (["--help", "inspect"], True),
    ],
)
def test_a_command_comes_without_the_others(arguments, others):
    code = f"import ginjax_cli.main as m, sys; sys.argv = ['ginjax', *{arguments}]\ntry:\n    m.main()\nfinally:\n    print('ginjax_cli.train' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.split() == [str(others)]
