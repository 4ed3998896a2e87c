"""The edge: which exceptions become a line and an exit code, and which keep their traceback."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from ginjax.errors import (
    ArgumentError,
    FileError,
    GinjaxError,
    NumericsError,
    UnsupportedError,
    VerificationError,
)
from ginjax_cli._errors import Edge, describe
from ginjax_cli._options import Debug, Json
from ginjax_cli._output import Output


def app_that_raises(error):
    app = typer.Typer(cls=Edge, pretty_exceptions_enable=False)

    @app.callback()
    def root(debug: Debug = False) -> None:
        pass

    @app.command()
    def work(count: int = 1, json: Json = False, debug: Debug = False) -> None:
        if error is not None:
            raise error
        Output(json=json).result(None, {"count": count})

    return app


def run(error, *args):
    return CliRunner().invoke(app_that_raises(error), args, prog_name="ginjax")


EXPECTED = [
    (ArgumentError("side", got=0, expected="1 or more"), 2, "--side: got 0, expected 1 or more"),
    (ArgumentError("side of a grid", got=0), 2, "error: side of a grid: got 0"),
    (VerificationError("lift test", got=1.0, expected="below 1e-4"), 3, "lift test"),
    (FileError("m.st: truncated"), 1, "m.st: truncated"),
    (NumericsError("loss", got="NaN"), 1, "loss: got NaN"),
    (UnsupportedError("metric"), 1, "metric"),
    (GinjaxError("other"), 1, "other"),
    (OSError(errno.ENOSPC, "No space left on device", "m.st"), 1, "m.st: No space left on device"),
    (PermissionError(errno.EACCES, "Permission denied", "m.st"), 1, "m.st: Permission denied"),
    (MemoryError(), 1, "out of memory"),
    (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes"), 1, "out of memory"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (typer.Abort(), 130, "interrupted"),
]


@pytest.mark.parametrize(("error", "code", "message"), EXPECTED, ids=lambda v: type(v).__name__)
def test_expected_failures_are_one_line(error, code, message):
    result = run(error, "work")
    assert result.exit_code == code
    assert result.stdout == ""
    first = result.stderr.splitlines()[0]
    assert first == message if code == 130 else first.startswith("error: ") and message in first
    assert "Traceback" not in result.stderr
    failure = describe(error)
    assert len(result.stderr.splitlines()) == (1 if failure.hint is None else 2)


def test_the_hint_is_a_line_of_its_own():
    result = run(FileError("m.st: exists", hint="Pass --force."), "work")
    assert result.stderr == "error: m.st: exists\nhint: Pass --force.\n"


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError("x"), AssertionError("x"), RuntimeError("x"), NotImplementedError("x"),
     FileNotFoundError(errno.ENOENT, "No such file"), OSError("no number")],
    ids=repr,
)  # fmt: skip
def test_defects_keep_their_traceback(error):
    result = run(error, "work")
    assert describe(error) is None
    assert result.exception is error
    assert result.exit_code == 1
    assert result.output == ""


@pytest.mark.parametrize("args", [("--debug", "work"), ("work", "--debug")])
def test_debug_shows_the_traceback_first(args):
    result = run(FileError("m.st: truncated"), *args)
    assert result.exit_code == 1
    assert result.stderr.startswith("Traceback")
    assert result.stderr.endswith("error: m.st: truncated\n")


def test_json_errors_are_one_object_on_stderr():
    result = run(FileError("m.st: truncated", hint="Fetch it again."), "work", "--json")
    assert result.stdout == ""
    assert json.loads(result.stderr) == {
        "error": "m.st: truncated",
        "exit_code": 1,
        "hint": "Fetch it again.",
    }
    traced = run(FileError("m.st: truncated"), "work", "--json", "--debug")
    assert json.loads(traced.stderr)["traceback"].startswith("Traceback")


@pytest.mark.parametrize(
    ("args", "message", "command"),
    [
        (("work", "--cuont", "3"), "No such option: --cuont", "ginjax work"),
        (("work", "--count", "x"), "'--count'", "ginjax work"),
        (("work", "extra"), "unexpected extra argument", "ginjax work"),
        (("wrok",), "No such command 'wrok'", "ginjax"),
        (("--debug",), "Missing command", "ginjax"),
    ],
)
def test_usage_errors(args, message, command):
    result = run(None, *args)
    assert result.exit_code == 2
    problem = next(line for line in result.stderr.splitlines() if line.startswith("error: "))
    assert message in problem
    assert result.stderr.splitlines()[-1] == f"hint: '{command} --help' lists the options."


def test_usage_errors_as_json():
    result = run(None, "work", "--json", "--count", "x")
    assert result.exit_code == 2
    assert json.loads(result.stderr)["exit_code"] == 2


def test_success():
    result = run(None, "work", "--count", "3", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["count"] == 3


def test_flags_after_two_dashes_are_values():
    result = run(None, "work", "--", "--json")
    assert result.stderr.startswith("error: ")


SCRIPT = """
import sys, time
sys.path.insert(0, {folder!r})
from test_errors import app_that_raises
{body}
"""


def script(body):
    source = SCRIPT.format(folder=os.path.dirname(__file__), body=body)
    return [sys.executable, "-c", source]


def test_a_closed_pipe_is_quiet():
    body = "import ginjax_cli.main as m; sys.argv = ['ginjax', '--version']; time.sleep(0.3); m.main()"
    process = subprocess.Popen(script(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
    process.stderr.close()


def test_a_full_disk_on_standard_output():
    body = "import ginjax_cli.main as m; sys.argv = ['ginjax', '--version']; m.main()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(script(body), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: standard output: No space left on device\n"


def test_control_c():
    body = """
import signal, typer
# Tests that run in the background of a shell inherit that interrupts are ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
app = app_that_raises(None)
@app.command()
def wait() -> None:
    sys.stdout.write("waiting"); sys.stdout.flush()
    time.sleep(60)
sys.argv = ["ginjax", "wait"]
app()
"""
    process = subprocess.Popen(script(body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.read(7) == "waiting"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "interrupted\n")


def test_defects_in_a_real_process():
    body = "app = app_that_raises(ValueError('a defect')); sys.argv = ['ginjax', 'work']; app()"
    done = subprocess.run(script(body), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ValueError: a defect\n")
