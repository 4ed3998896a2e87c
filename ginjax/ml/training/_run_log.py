"""The logs of one training, written only by its main process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from ginjax.ml.training._devices import Placement
from ginjax.ml.training._log import JsonLines, LogBook, Logger
from ginjax.ml.training._loggers import make_logger
from ginjax.ml.training._progress import Progress, Report
from ginjax.ml.training._run_files import RunFiles
from ginjax.ml.training._settings import TrainSettings

ROWS = 200
"""The approximate number of rows in a log."""

UNKNOWN_LENGTH = 10
"""Steps per row of the log if the length of the training is not known."""


def make_book(settings: TrainSettings, loggers: Sequence[Logger]) -> LogBook:
    """Make a log book that writes about `ROWS` rows.

    **Arguments:**

    - `settings`: resolved settings of the training.
    - `loggers`: the loggers that get the rows.
    """
    every = UNKNOWN_LENGTH if settings.steps is None else max(1, settings.steps // ROWS)
    return LogBook(loggers, settings.make_schedule(), every)


class RunLog:
    """A log that writes the reports of a training to its log file and to further loggers.

    Processes that write no files write nothing here either.

    **Arguments:**

    - `files`: files of the run.
    - `settings`: resolved settings of the training.
    - `placement`: the devices.
    - `programs`: further loggers by name, see `make_logger`.
    - `about`: what these loggers are told about the run.
    """

    def __init__(
        self,
        files: RunFiles,
        settings: TrainSettings,
        placement: Placement,
        programs: Sequence[str] = (),
        about: Mapping[str, object] | None = None,
    ):
        self._files, self._settings = files, settings
        self._loggers = (
            [make_logger(name, files.stem, about or {}) for name in programs] if placement.is_main else []
        )
        self._writes = placement.is_main
        self._book: LogBook | None = None
        self._step, self._seconds = 0, 0.0

    def begin(self, progress: Progress, *, resumed: bool) -> None:
        """Open the log; if the training is resumed, keep the rows up to its step."""
        self._step = progress.step
        if not self._writes:
            return
        lines = JsonLines(self._files.log, progress.step if resumed else None, force=True)
        self._book = make_book(self._settings, [lines, *self._loggers])

    def note(self, report: Report) -> None:
        """Write a report of the training."""
        self._step, self._seconds = report.step, report.seconds
        if self._book is not None:
            self._book.note(report)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._book is not None:
            self._book.close(self._step, self._seconds)
