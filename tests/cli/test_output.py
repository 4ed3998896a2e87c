"""What is printed where, for a terminal, a pipe, `--json` and `-q`."""

import io
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from ginjax._progress import Lines
from ginjax._text import cell, clean, json_line, shortened, table_lines
from ginjax.errors import FileError
from ginjax_cli._output import Output, show_error

COLUMNS = ("layer", "filters", "residual")
ROWS = [("blocks.0.conv", 12, 1.25e-13), ("a very long name " * 8, 3, None)]


def play(out):
    """What every command does."""
    out.note("a note")
    with out.progress(10, "working") as progress:
        for _ in range(10):
            progress.advance(status="loss 1")
    out.warn("careful")
    out.table("Layers", COLUMNS, ROWS)
    out.fields("Model", {"dim": 3, "torus": (True, False)})
    out.line("compatible")
    out.result(Path("model.safetensors"), {"worst": math.inf, "rows": np.arange(2)})
    out.next_step("ginjax inspect model.safetensors")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_pipe(capsys):
    play(Output())
    out, err = capsys.readouterr()
    assert out.isascii() and "\x1b" not in out
    lines = out.splitlines()
    assert lines[0] == "Layers"
    assert lines[1].split() == ["layer", "filters", "residual"]
    assert lines[2].split() == ["blocks.0.conv", "12", "1.25e-13"]
    assert lines[3].split()[-2:] == ["3", "-"]  # one line, though wider than any terminal
    assert lines[1].index("filters") + len("filters") == lines[2].index("12") + len("12")
    assert "torus  yes, no" in lines
    assert "compatible" in lines
    assert err.splitlines() == [
        "a note",
        "warning: careful",
        "wrote model.safetensors",
        "next: ginjax inspect model.safetensors",
    ]


def test_terminal(monkeypatch):
    out, err = Terminal(), Terminal()
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    play(Output())
    assert "│" in out.getvalue()
    bare = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert max(map(len, bare.splitlines())) <= 60
    assert "10/10" in err.getvalue() and "loss 1" in err.getvalue()
    assert err.getvalue().splitlines()[-1].endswith("ginjax inspect model.safetensors")


def test_names_and_numbers_are_whole_in_a_narrow_terminal(monkeypatch):
    out = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out)
    name, number = "a_rather_long_name.safetensors", 0.000782
    Output().table("t", ("file", "what it was trained on", "loss"), [(name, "text " * 9, number)], names=1)
    assert name in out.getvalue() and "0.000782" in out.getvalue()


def test_json(capsys):
    play(Output(json=True, quiet=True))
    out, err = capsys.readouterr()
    assert err == ""
    assert out.endswith("}\n") and out.count("\n") == 1
    assert json.loads(out) == {
        "path": "model.safetensors",
        "rows": [0, 1],
        "warnings": ["careful"],
        "worst": None,
    }
    assert list(json.loads(out)) == sorted(json.loads(out))


def test_quiet(capsys):
    play(Output(quiet=True))
    assert capsys.readouterr() == ("model.safetensors\n", "warning: careful\n")


def test_results_without_a_file(capsys):
    Output().result(None, {"a": 1})
    Output(quiet=True).result(None, {"a": 1})
    assert capsys.readouterr() == ("", "")
    Output(json=True).result(None, {"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1, "path": None, "warnings": []}


def test_a_file_cannot_steer_the_terminal(capsys):
    hostile = "\x1b[2J[bold]x[/bold]\nforged: line"
    Output().table("t", ("a",), [(hostile,)])
    Output().note(hostile)
    out, err = capsys.readouterr()
    for text in (out, err):
        assert "\x1b" not in text
        assert "\nforged" not in text
        assert "[bold]x[/bold]" in text


def test_markup_is_not_interpreted_on_a_terminal(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    Output().table("[red]t", ("[red]a",), [("[red]b",)])
    Output().fields("[red]t", {"[red]k": "[red]v"})
    for text in ("[red]t", "[red]a", "[red]b", "[red]k", "[red]v"):
        assert text in out.getvalue()


def test_a_narrow_encoding_is_no_reason_to_fail(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    Output().line("größe 名 \udcff")
    assert stream.buffer.getvalue() == b"gr\\xf6\\xdfe \\u540d $'\\xff'\n"


def test_progress_lines_are_sparse():
    now = [0.0]
    said = []
    lines = Lines(1000, "training", said.append, clock=lambda: now[0])
    with lines:
        for _ in range(1000):
            now[0] += 0.02
            lines.advance(status="loss 0.5")
    assert len(said) == 10
    assert said[0] == "training: 10% (100/1000), 50/s, 18 s left, loss 0.5"
    assert said[-1].startswith("training: 100% (1000/1000)")


def test_short_work_says_nothing():
    said = []
    lines = Lines(50, "building", said.append, clock=lambda: 0.0)
    for done in range(51):
        lines.update(done)
    assert said == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "yes"), (False, "no"), (3, "3"), (0.123456, "0.123"), (math.nan, "nan"), ((), "-"),
     ((3, 3), "3, 3"), ("a\tb", "a\\tb"), (Path("x/y"), "x/y")],
)  # fmt: skip
def test_cells(value, text):
    assert cell(value) == text


def test_clean_keeps_letters_of_all_scripts():
    assert clean("größe 名前 é") == "größe 名前 é"
    assert clean("a\x00\x7f\u202e") == "a\\x00\\x7f\\u202e"


def test_tables_without_rows():
    assert table_lines(("a", "b"), []) == ["a  b"]


def test_json_holds_plain_values_only():
    values = {
        "f32": np.float32(0.5),
        "nan": np.float32("nan"),
        "i": np.int64(3),
        "b": np.bool_(True),
        1: [math.inf],
    }
    assert json.loads(json_line(values)) == {"1": [None], "b": True, "f32": 0.5, "i": 3, "nan": None}
    with pytest.raises(TypeError):
        json_line({"a": object()})


def test_errors_as_text_and_as_json(capsys):
    show_error("a: got 1", "try 2", exit_code=1, json=False)
    assert capsys.readouterr() == ("", "error: a: got 1\nhint: try 2\n")
    show_error("a: got 1", None, exit_code=3, json=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {"error": "a: got 1", "hint": None, "exit_code": 3}


LONG = "begin" + "x" * 100_000 + "end"


def test_names_without_end_are_shortened_in_the_middle(capsys):
    out = Output()
    out.table(LONG, (LONG, "b"), [(LONG, [LONG] * 9), ([1] * 10**6, 2)])
    out.fields(LONG, {LONG: LONG})
    out.warn(LONG)
    show_error(str(FileError(LONG, got=LONG, expected=LONG, hint=LONG)), LONG, exit_code=1, json=False)
    shown = capsys.readouterr()
    lines = [*shown.out.splitlines(), *shown.err.splitlines()]
    assert max(map(len, lines)) < 6000 and len("".join(lines)) < 30_000
    assert all("begin" in line and "end" in line and "..." in line for line in lines if "x" in line)


@pytest.mark.parametrize("most", [4, 5, 50, 51])
def test_shortened(most):
    text = "abcdefghij" * 10
    short = shortened(text, most)
    assert len(short) == most and "..." in short and text.startswith(short.split("...")[0])
    assert text.endswith(short.split("...")[1]) and shortened(text, 100) == text
    assert len(clean("\x1b" * 100, most)) == most


def test_an_error_cannot_steer_a_terminal():
    error = FileError("a\x1b[2J", got="b\x1b\n", expected="\x07", hint="c\x1b")
    assert str(error).isprintable() and error.problem.isprintable()


def test_the_next_command_is_whole(capsys):
    """As long as names of files may be."""
    command = "ginjax inspect " + "n" * 4096
    Output().next_step(command)
    assert command in capsys.readouterr().err
