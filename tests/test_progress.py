"""Progress in a notebook and where it goes."""

import io
import sys
import threading
import types

from rich.console import Console

from ginjax import _progress
from ginjax._progress import Bar, Cell, Lines, show_progress


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
    assert said == ["training: 1% (1/100)", "training: 10% (10/100), 1/s, 1.5 min left"]


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


def test_there_is_a_line_every_half_minute_whatever_happens():
    now, said = [0.0], []
    lines = Lines(1000, "training", said.append, clock=lambda: now[0], unit="steps")
    now[0] = 29.0
    lines.beat()
    assert said == []
    now[0] = 31.0  # compiling
    lines.beat()
    assert said == ["training: 0% (0/1000), 31 s so far"]
    for second in range(32, 132):  # a step a second: never a tenth, but for the last
        now[0] = float(second)
        lines.update(second - 31)
        lines.beat()
    assert [line.split(", ")[0] for line in said[1:]] == [
        "training: 3% (30/1000)",
        "training: 6% (60/1000)",
        "training: 9% (90/1000)",
        "training: 10% (100/1000)",
    ]
    assert all("1 steps/s" in line for line in said[1:])


def test_time_may_end_the_work_and_steps_are_counted_still():
    now, said = [0.0], []
    lines = Lines(0, "training", said.append, clock=lambda: now[0], unit="steps")
    for second in range(1, 11):
        now[0] = float(second)
        lines.update(60 * second, "loss 1", share=second / 10, left=10.0 - second)
    assert said[1] == "training: 20% (120 steps), 60 steps/s, 8 s left, loss 1"
    assert said[-1] == "training: 100% (600 steps), 60 steps/s, 0 s left, loss 1"
    assert lines.part == 1.0 and len(said) == 10


def test_the_time_left_is_that_of_the_last_minute():
    """Ten times slower than before, which the mean since the beginning would not show for long."""
    now, said = [0.0], []
    lines = Lines(10_000, "training", said.append, clock=lambda: now[0])
    for second in range(1, 101):
        now[0] = float(second)
        lines.update(50 * second)
    for second in range(101, 201):
        now[0] = float(second)
        lines.update(5000 + 5 * (second - 100))
    assert said[-1].startswith("training: 5") and ", 5/s, 15 min left" in said[-1]


def test_the_thread_of_the_lines_ends_with_them():
    before = threading.active_count()
    with Lines(1, "training", lambda text: None):
        assert threading.active_count() == before + 1
    for thread in threading.enumerate():
        if thread.name == "progress":
            thread.join(5)
    assert threading.active_count() == before


def test_what_happens_before_the_first_step_is_said_soon_and_once():
    now, said = [0.0], []
    lines = Lines(600, "training", said.append, clock=lambda: now[0], unit="steps")
    lines.say("compiling the first step")
    now[0] = 2.0
    lines.beat()
    assert said == []  # most networks are compiled by then
    for seconds in (3.0, 6.0, 32.0, 34.0):
        now[0] = seconds
        lines.beat()
    assert said == [
        "training: 0% (0/600), compiling the first step, 3 s so far",
        "training: 0% (0/600), compiling the first step, 34 s so far",
    ]
    lines.say("")
    now[0] = 65.0
    lines.beat()
    assert said[2] == "training: 0% (0/600), 65 s so far"
    now[0] = 70.0
    lines.update(10, "loss 1")
    now[0] = 80.0
    lines.update(60, "loss 1")
    assert said[3].startswith("training: 10% (60/600), 5 steps/s, ")  # not of the time before the first step


def test_a_notebook_and_a_terminal_say_it_at_once():
    place = Place()
    cell = Cell(600, "training", place)
    cell.say("compiling the first step")
    cell.say("")
    assert place.seen == [
        ("display", "training: 0% (0/600), compiling the first step"),
        ("update", "training: 0% (0/600)"),
    ]
    stream = io.StringIO()
    with Bar(600, "training", Console(file=stream, force_terminal=True, width=120), "steps") as bar:
        bar.say("compiling the first step")
        bar._bar.refresh()
    assert "0/600, compiling the first step" in stream.getvalue()
