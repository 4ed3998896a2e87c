"""The progress of a long task: a bar on a terminal, a changing line in a notebook, and a few lines elsewhere.

The library shows progress only if its user asks for it. This is its only module that writes to the screen.
"""

import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self

from ginjax._counted import ProgressBar as ProgressBar
from ginjax._streams import Dropping, is_terminal, put
from ginjax._text import clean, in_time

if TYPE_CHECKING:
    from rich.console import Console

_QUIET_SECONDS = 1.0
_CELL_SECONDS = 0.25

SILENT_SECONDS = 30.0
"""Longest time without a line if progress is written in lines."""

PREPARING_SECONDS = 2.5
"""Time after which a line says what is done before the first step."""


class Lines(ProgressBar):
    """Writes a line at every tenth of the work: at most one per second, and at least one every `SILENT_SECONDS`.

    In a `with` block, lines are also written while nothing is counted, such as during a long compilation.
    """

    def __init__(
        self,
        total: int,
        description: str,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        unit: str = "",
    ):
        super().__init__(total, description, unit)
        self._write = write
        self._clock = clock
        self._begun = self._last = clock()
        self._tenth = 0
        self._status, self._preparing = "", False
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._keep_beating, name="progress", daemon=True).start()
        return self

    def beat(self) -> None:
        """Write a line if there was none for `SILENT_SECONDS`, or for a shorter time if its content is new."""
        with self._lock:
            now = self._clock()
            patience = PREPARING_SECONDS if self._preparing else SILENT_SECONDS
            if now - self._last < patience or self._closed.is_set():
                return
            percent = int(100 * self.part)
            # Before the first step there is no rate: it would be that of the preparations.
            parts = [self._line(percent, now, self._status)] if self._recent else [self._head(percent)]
            parts += [self._status] if self._status and not self._recent else []
            self._last, self._preparing = now, False
            self._write(", ".join([*parts, f"{in_time(now - self._begun)} so far"]))

    def say(self, status: str) -> None:
        with self._lock:
            self._status, self._preparing = status, bool(status)

    def _keep_beating(self) -> None:
        while not self._closed.wait(SILENT_SECONDS / 10):
            self.beat()

    def _show(self, status: str) -> None:
        with self._lock:
            self._status = status
            tenth = int(10 * self.part)
            now = self._clock()
            quiet = now - self._last
            # A tenth of the work, except in a line that only breaks the silence.
            percent = 10 * tenth if tenth > self._tenth else int(100 * self.part)
            line = self._line(percent, now, status)
            if quiet < _QUIET_SECONDS or (tenth <= self._tenth and quiet < SILENT_SECONDS):
                return
            self._tenth, self._last = max(tenth, self._tenth), now
            self._write(line)

    def _close(self) -> None:
        self._closed.set()


class Handle(Protocol):
    """A place under a notebook cell, such as `IPython.display.DisplayHandle`."""

    def display(self, obj: object, *, raw: bool) -> None:
        """Show an object for the first time."""
        ...

    def update(self, obj: object, *, raw: bool) -> None:
        """Show another object in its place."""
        ...


class Cell(ProgressBar):
    """A line under a notebook cell that is rewritten during the work.

    **Arguments:**

    - `handle`: the place whose content is replaced.
    """

    def __init__(
        self,
        total: int,
        description: str,
        handle: Handle,
        clock: Callable[[], float] = time.monotonic,
        unit: str = "",
    ):
        super().__init__(total, description, unit)
        self._handle = handle
        self._clock = clock
        self._last = float("-inf")
        self._shown = False

    def say(self, status: str) -> None:
        self._put(", ".join([self._head(int(100 * self.part)), *([status] if status else [])]))

    def _show(self, status: str) -> None:
        now = self._clock()
        text = self._line(int(100 * self.part), now, status)
        if now - self._last < _CELL_SECONDS and self.part < 1:
            return
        self._last = now
        self._put(text)

    def _put(self, text: str) -> None:
        show = self._handle.update if self._shown else self._handle.display
        show({"text/plain": text}, raw=True)
        self._shown = True


class Bar(ProgressBar):
    """A bar with rate and time left, which disappears when the work is done."""

    def __init__(self, total: int, description: str, console: "Console", unit: str = ""):
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        super().__init__(total, description, unit)
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(clean(description), total=1.0, said="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def say(self, status: str) -> None:
        self._bar.update(self._task, said=", ".join([self._count(), *([clean(status)] if status else [])]))

    def _show(self, status: str) -> None:
        said = ", ".join([self._count(), *self._pace(time.monotonic()), *([clean(status)] if status else [])])
        self._bar.update(self._task, completed=self.part, said=said)

    def _close(self) -> None:
        self._bar.stop()


def show_progress(total: int, description: str, unit: str = "") -> ProgressBar:
    """Show progress in a way that suits a notebook, a terminal or a file."""
    handle = _notebook_handle()
    if handle is not None:
        return Cell(total, description, handle, unit=unit)
    if is_terminal(sys.stderr):
        from rich.console import Console

        stream: Any = Dropping(sys.stderr)
        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        return Bar(total, description, console, unit)
    return Lines(total, description, _write_line, unit=unit)


def _write_line(text: str) -> None:
    put(sys.stderr, clean(text) + "\n")


def _notebook_handle() -> "Handle | None":
    """The place where a notebook shows output; None outside notebooks, including IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not shell.has_trait("kernel"):
        return None
    return import_module("IPython.display").DisplayHandle()
