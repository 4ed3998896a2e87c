"""The log of a training, written while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ginjax.checkpoint import atomic_write, unwritable
from ginjax.ml.training._progress import Report
from ginjax.ml.training._step_rate import StepRate
from ginjax.runs import Row, log_line, read_log


class Logger(Protocol):
    """A logger: an object that receives the rows of a training log, one after the other."""

    def write(self, row: Row) -> None:
        """Write a row."""
        ...

    def close(self) -> None:
        """Finish the log; no row follows."""
        ...


class JsonLines:
    """A logger that writes rows to a file at once, one JSON object per line.

    **Arguments:**

    - `path`: the file.
    - `after`: for a resumed training, keep the rows of an existing file up to this step; None starts anew.
    - `force`: start anew although a file exists.

    **Raises:** `FileError` if the file cannot be written, is a link, or exists and neither `after` nor `force` is given.
    """

    def __init__(self, path: str | os.PathLike[str], after: int | None = None, *, force: bool = False):
        self.path = Path(path)
        kept = [] if after is None else [row for row in read_log(path) if row["step"] <= after]
        text = "".join(map(log_line, kept))
        atomic_write(path, text.encode(), force=force or after is not None, links=False)
        try:
            # Open only the file just written: another file that has taken its name must not be written to.
            flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, row: Row) -> None:
        """Append a row to the file.

        **Raises:** `FileError` if it cannot be written.
        """
        line = log_line(row).encode()
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class KeptRows:
    """A logger that keeps its rows in memory.

    - `rows`: the rows so far.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def write(self, row: Row) -> None:
        """Store a row."""
        self.rows.append(row)

    def close(self) -> None:
        """Do nothing; there is nothing to close."""


class LogBook:
    """A log book that turns the reports of a training into rows: one for every `every` steps, and one for every validation.

    The rate in a row is that of `StepRate`: steps per second over the last few reports, without compilation and validation.

    **Arguments:**

    - `loggers`: the loggers that get the rows.
    - `schedule`: the learning rate by step.
    - `every`: number of steps that are averaged in a row.
    """

    def __init__(self, loggers: Sequence[Logger], schedule: Callable[[int], Any], every: int):
        self._loggers = loggers
        self._schedule = schedule
        schedule(0)  # compiled now, so that no row waits for it: the steps after one would seem slow
        self._every = every
        self._losses: list[float] = []
        self._seconds: float | None = None
        self._rate = StepRate()

    def note(self, report: Report) -> None:
        """Record a report of `ginjax.ml.run`."""
        count = len(report.losses)
        begun = self._seconds if self._seconds is not None else 0.0
        passed = report.seconds - begun
        if count:
            self._rate.note(
                report.step, report.seconds if report.step_seconds is None else report.step_seconds
            )
        rate = self._rate.value
        for i, loss in enumerate(report.losses.tolist(), start=1):
            self._losses.append(loss)
            step = report.step - count + i
            if step % self._every == 0:
                self._write_losses(step, begun + passed * i / count, rate)
        if report.validation is not None:
            seconds = round(report.seconds, 3)
            self._write({"step": report.step, "validation": report.validation, "seconds": seconds})
        if report.step:  # a look before the first step does not pay for compiling it
            self._seconds = report.seconds

    def close(self, step: int, seconds: float) -> None:
        """Write the remaining steps, and close the loggers."""
        if self._losses:
            self._write_losses(step, seconds, self._rate.value)
        for logger in self._loggers:
            logger.close()

    def _write_losses(self, step: int, seconds: float, rate: float | None) -> None:
        self._write(
            {
                "step": step,
                "loss": float(np.mean(self._losses)),
                "learning_rate": float(self._schedule(step - 1)),
                "rate": None if rate is None else float(f"{rate:.4g}"),
                "seconds": round(seconds, 3),
            }
        )
        self._losses.clear()

    def _write(self, row: Row) -> None:
        for logger in self._loggers:
            logger.write(row)
