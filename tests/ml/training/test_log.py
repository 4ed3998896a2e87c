import errno
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ginjax.errors import FileError, UnsupportedError
from ginjax.ml import JsonLines, LogBook, Report, draw_curve, make_logger, read_log


def rows_of(path, reports, after=None, force=False):
    book = LogBook([JsonLines(path, after, force=force)], lambda step: 0.1 * step, every=2)
    for report in reports:
        book.note(report)
    book.close(reports[-1].step, reports[-1].seconds)
    return read_log(path)


def test_rows_are_means_and_know_step_rate_and_time(tmp_path):
    reports = [
        Report(3, np.array([1.0, 3.0, 5.0]), 10.0),
        Report(5, np.array([7.0, 9.0]), 11.0),
        Report(5, np.empty(0), 11.5, validation=0.25),
    ]
    rows = rows_of(tmp_path / "log", reports)
    assert [(row["step"], row.get("loss"), row.get("validation")) for row in rows] == [
        (2, 2.0, None), (4, 6.0, None), (5, None, 0.25), (5, 9.0, None),
    ]  # fmt: skip
    assert rows[0]["rate"] is None and rows[1]["rate"] == 2.0 and rows[1]["seconds"] == 10.5
    assert rows[1]["learning_rate"] == pytest.approx(0.3)


def test_the_schedule_is_compiled_before_the_first_step():
    asked = []
    book = LogBook([], lambda step: asked.append(step) or 0.1, every=1)
    assert asked  # what compiling takes would be counted as time of the first steps
    book.note(Report(1, np.array([1.0]), 1.0))


def test_a_log_goes_on_where_the_state_was_saved(tmp_path):
    path = tmp_path / "log"
    path.write_text(
        "".join(json.dumps({"step": s, "loss": 1.0}) + "\n" for s in (2, 4, 6)) + '{"step": 8, "lo'
    )
    assert [row["step"] for row in read_log(path)] == [2, 4, 6]
    rows = rows_of(path, [Report(6, np.array([1.0, 1.0]), 1.0)], after=4)
    assert [row["step"] for row in rows] == [2, 4, 6]
    again = [Report(2, np.array([1.0, 1.0]), 1.0)]
    with pytest.raises(FileError, match="exists already"):
        rows_of(path, again)
    assert [row["step"] for row in rows_of(path, again, force=True)] == [2]


@pytest.mark.parametrize("after", [None, 4])
def test_a_log_is_written_through_no_link_and_to_no_pipe(tmp_path, after):
    other = tmp_path / "other"
    other.write_text("mine")
    for name, make in (("link", lambda p: p.symlink_to(other)), ("pipe", os.mkfifo), ("folder", Path.mkdir)):
        make(tmp_path / name)
        with pytest.raises(FileError):
            JsonLines(tmp_path / name, after, force=True)
    hard = tmp_path / "hard"
    os.link(other, hard)
    JsonLines(hard, after, force=True).close()
    assert other.read_text() == "mine" and hard.read_text() == ""


GOOD = {"step": 2, "loss": 0.5, "learning_rate": 1e-3, "rate": None, "seconds": 1.0}


@pytest.mark.parametrize(
    "line",
    [
        *(json.dumps({**GOOD, name: value}) for name in GOOD for value in ("1", [], {}, True)),
        *(json.dumps({**GOOD, "step": value}) for value in (None, -1, 0.5, 2**60)),
        '{"step": 2, "step": 3}',
        '{"step": 2, "loss": NaN}',
        '{"step": 2, "loss": 1e999}',
        "[" * 100_000,
        '{"step": ' + "9" * 10_000 + "}",
        "2",
        "\0",
        "",
    ],
)
def test_a_line_that_is_no_row_is_passed_over(tmp_path, line):
    path = tmp_path / "log"
    path.write_text(f"{json.dumps(GOOD)}\n{line}\n{json.dumps({**GOOD, 'step': 4})}\n")
    assert [row["step"] for row in read_log(path)] == [2, 4]


def test_what_is_no_log_is_not_waited_for(tmp_path):
    assert read_log(tmp_path / "none") == []
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(FileError):
            read_log(path)


def test_a_full_disk_is_told_with_the_name(tmp_path, monkeypatch):
    lines = JsonLines(tmp_path / "log")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match="log: cannot be written: No space left on device"):
        lines.write(GOOD)


@pytest.mark.pictures
def test_the_curve_is_a_picture(tmp_path):
    rows = [{"step": s, "loss": 1 / s, "learning_rate": 0.1} for s in range(1, 5)] + [
        {"step": 4, "validation": 0.3}
    ]
    for _ in range(2):
        draw_curve(tmp_path / "c.png", "t", rows, best_step=4)
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_missing_library_is_one_line_and_what_to_install(tmp_path, monkeypatch):
    for kind, module in (("tensorboard", "tensorboardX"), ("wandb", "wandb"), ("mlflow", "mlflow")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(
            UnsupportedError, match=rf"logger '{kind}': got no library.*pip install '{module}>=\d+\.\d+'$"
        ):
            make_logger(kind, tmp_path / "model", {})


def test_each_program_gets_the_numbers(tmp_path, monkeypatch):
    seen = []

    def record(name):
        return lambda *args, **kwargs: seen.append((name, args, kwargs))

    scalar = SimpleNamespace(add_scalar=record("scalar"), add_text=record("text"), close=record("close"))
    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=lambda folder: scalar))
    own = SimpleNamespace(log=record("log"), finish=record("finish"))
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=lambda **kwargs: own))
    flow = {name: record(name) for name in ("start_run", "log_params", "log_metrics", "end_run")}
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(**flow))
    for kind in ("tensorboard", "wandb", "mlflow"):
        logger = make_logger(kind, tmp_path / "model", {"steps": 3})
        logger.write({"step": 2, "loss": 0.5, "rate": None, "seconds": 1.0})
        logger.close()
    assert ("scalar", ("loss", 0.5, 2), {}) in seen
    assert ("log", ({"loss": 0.5},), {"step": 2}) in seen and ("finish", (), {}) in seen
    assert ("log_metrics", ({"loss": 0.5},), {"step": 2}) in seen and ("end_run", (), {}) in seen
