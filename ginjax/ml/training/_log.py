"""What happened during training, written down while it happens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ginjax.errors import FileError
from ginjax.ml.training._engine import Report

Row = Mapping[str, Any]
"""`{"step", "loss", "learning_rate", "rate", "seconds"}` or `{"step", "validation", "seconds"}`."""


class Logger(Protocol):
    """A logger: takes the rows of a training log, one after the other."""

    def write(self, row: Row) -> None:
        """Take a row."""
        ...

    def close(self) -> None:
        """Finish; nothing comes after."""
        ...


class JsonLines:
    """A logger that writes rows to a file, one JSON object a line, each as soon as it is there.

    **Arguments:**

    - `path`: the file.
    - `after`: keep the rows of a file that is there up to this step, for a training that goes on; None starts anew.

    **Raises:** `FileError` if the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], after: int | None = None):
        self.path = Path(path)
        kept = [] if after is None else [row for row in read_log(path) if row["step"] <= after]
        try:
            self._stream = open(path, "w", encoding="ascii")  # noqa: SIM115 (closed by `close`)
        except OSError as error:
            raise FileError(f"{path}: cannot be written: {error.strerror or error}") from error
        for row in kept:
            self.write(row)

    def write(self, row: Row) -> None:
        self._stream.write(json.dumps(row, sort_keys=True) + "\n")
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()


class KeptRows:
    """A logger that keeps its rows in memory.

    - `rows`: so far.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def write(self, row: Row) -> None:
        self.rows.append(row)

    def close(self) -> None:
        pass


def read_log(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The rows of a log; a line that a killed program left unfinished is passed over.

    **Arguments:**

    - `path`: the file that `JsonLines` wrote; none is an empty log.
    """
    try:
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


class LogBook:
    """Turns the reports of a training into rows: one for every `every` steps, one for every validation.

    **Arguments:**

    - `loggers`: where the rows go.
    - `schedule`: the learning rate by step.
    - `every`: steps that are averaged in a row.
    """

    def __init__(self, loggers: Sequence[Logger], schedule: Callable[[int], Any], every: int):
        self._loggers = loggers
        self._schedule = schedule
        self._every = every
        self._losses: list[float] = []
        self._seconds: float | None = None

    def note(self, report: Report) -> None:
        """Take a report of `ginjax.ml.run`."""
        count = len(report.losses)
        begun = self._seconds if self._seconds is not None else 0.0
        passed = report.seconds - begun
        # The first report of a run pays for compilation, which says nothing about the rate.
        rate = count / passed if self._seconds is not None and passed > 0 else None
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
        """Write the steps that are left, and finish."""
        if self._losses:
            self._write_losses(step, seconds, None)
        for logger in self._loggers:
            logger.close()

    def _write_losses(self, step: int, seconds: float, rate: float | None) -> None:
        self._write(
            {
                "step": step,
                "loss": float(np.mean(self._losses)),
                "learning_rate": float(self._schedule(step - 1)),
                "rate": None if rate is None else round(rate, 2),
                "seconds": round(seconds, 3),
            }
        )
        self._losses.clear()

    def _write(self, row: Row) -> None:
        for logger in self._loggers:
            logger.write(row)
