"""The whole job as a newcomer types it, and the help they read first."""

import pytest
from command_line import app
from typer.main import get_command
from typer.testing import CliRunner

from ginjax.checkpoint import read_banks, read_model
from ginjax_cli.main import COMMANDS


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Commands in a folder; `tests/test_wheel.py` types them into processes."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax", env={"COLUMNS": "200"})


def test_three_lines_in_an_empty_folder(run, tmp_path):
    filters = run("build-filters")
    trained = run("train", "--steps", "3", "--trajectories", "2", "--frames", "2", "--size", "8")
    converted = run("convert-d", "model.safetensors", "--to-dim", "3", "--rescale", "compatibility")
    for done in (filters, trained, converted):
        assert done.exit_code == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "filters.safetensors", "model.3d.safetensors", "model.log.jsonl", "model.run", "model.safetensors",
    ]  # fmt: skip

    assert "character formula" in filters.stdout
    assert filters.stderr.splitlines()[-1] == "next: ginjax train --filters filters.safetensors"
    assert set(read_banks(tmp_path / "filters.safetensors")) == {1, 2, 3}

    assert "one-step error" in trained.stdout
    assert "error of predicting no change" in trained.stdout
    *_, following = trained.stderr.splitlines()
    assert following.endswith(" --steps 12 --resume")  # three steps teach nothing that is worth converting

    assert "residual" in converted.stdout and "free" in converted.stdout
    assert "compatible: all 8 paths reproduce the 1D network exactly" in converted.stdout
    assert "ginjax.load(" in converted.stderr
    assert converted.stderr.splitlines()[-1] == "next: ginjax verify model.safetensors model.3d.safetensors"
    low, high = (read_model(tmp_path / name) for name in ("model.safetensors", "model.3d.safetensors"))
    assert (low.D, high.D) == (1, 3)
    assert high.certificate is not None and high.certificate.exact and not high.certificate_is_stale
    assert [step["step"] for step in high.provenance] == ["train", "convert"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_means(command):
    result = CliRunner().invoke(app, [command, "--help"], prog_name="ginjax", env={"COLUMNS": "300"})
    assert result.exit_code == 0
    parameters = get_command(app).commands[command].params
    for parameter in parameters:
        if parameter.name == "help":
            continue
        text = parameter.help
        assert text and text[-1] in ".)", (command, parameter.name)
        words = text.split()[0].rstrip(",;:.")
        assert words in result.stdout, (command, parameter.name)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_common_options(command):
    flags = {flag for p in get_command(app).commands[command].params for flag in p.opts}
    assert {"--json", "--quiet", "-q", "--debug"} <= flags
    assert ("--force" in flags) == ("--output" in flags)


def test_an_unknown_command_is_one_line_and_a_hint():
    result = CliRunner().invoke(app, ["convert"], prog_name="ginjax")
    assert result.exit_code == 2
    first, hint = result.stderr.splitlines()
    assert "convert" in first and hint == "hint: 'ginjax --help' lists the options."
