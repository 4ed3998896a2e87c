"""Progress in a notebook and where it goes."""

import sys
import types

from ginjax import _progress
from ginjax._progress import Cell, Lines, show_progress


class Place:
    def __init__(self):
        self.seen = []

    def display(self, obj, *, raw):
        self.seen.append(("display", obj["text/plain"]))

    def update(self, obj, *, raw):
        self.seen.append(("update", obj["text/plain"]))


def test_a_cell_has_one_line_that_changes():
    now, place = [0.0], Place()
    with Cell(100, "training", place, clock=lambda: now[0]) as bar:
        for _ in range(100):
            now[0] += 0.1
            bar.advance(status="loss 1")
    assert [how for how, _ in place.seen] == ["display", *["update"] * (len(place.seen) - 1)]
    assert 30 <= len(place.seen) <= 40  # every quarter of a second
    assert place.seen[0][1] == "training: 1% (1/100), loss 1"
    assert place.seen[-1][1] == "training: 100% (100/100), 10/s, 0 s left, loss 1"


def test_compilation_before_the_first_step_is_not_in_the_rate():
    now, said = [0.0], []
    lines = Lines(100, "training", said.append, clock=lambda: now[0])
    now[0] = 60.0
    lines.update(1)
    now[0] = 69.0
    lines.update(10)
    assert said == ["training: 10% (10/100), 1/s, 90 s left"]


def test_the_place_decides(monkeypatch):
    assert isinstance(show_progress(1, "x"), Lines)
    shell = types.SimpleNamespace(has_trait=lambda name: name == "kernel")
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    display = types.SimpleNamespace(DisplayHandle=Place)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert isinstance(show_progress(1, "x"), Cell)
    ipython.get_ipython = lambda: None  # IPython was imported, but does not run this program
    assert isinstance(show_progress(1, "x"), Lines)


def test_lines_go_to_standard_error(capsys):
    _progress._write_line("half way")
    assert capsys.readouterr() == ("", "half way\n")
