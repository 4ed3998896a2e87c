"""How far a long piece of work has come: a bar on a terminal, one line that changes in a notebook, a few lines elsewhere.

The library shows progress only where its user asks for it; this is the one of its modules that writes to the screen.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from ginjax._streams import Dropping, is_terminal, put
from ginjax._text import clean, in_time

if TYPE_CHECKING:
    from rich.console import Console

_QUIET_SECONDS = 1.0
_CELL_SECONDS = 0.25

SILENT_SECONDS = 30.0
"""Longest time without a line where progress is written in lines."""

WINDOW_SECONDS = 60.0
"""Time that the rate and the time left are measured over."""

LEAST_UPDATES = 8
"""Updates that they are measured over at least, where there are so many."""


class ProgressBar:
    """Counts steps and says nothing; the base of those that do.

    **Arguments:**

    - `total`: how many steps there are; 0 where something else ends the work, which `update` is then told the share of.
    - `description`: what is being done.
    - `unit`: what is counted, such as "steps"; nothing is said of it if empty.
    """

    def __init__(self, total: int, description: str, unit: str = ""):
        self.total = total
        self.description = description
        self.unit = unit
        self.done = 0
        self._share: float | None = None
        self._left: float | None = None
        self._recent: deque[tuple[float, int]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def begin(self, done: int) -> None:
        """Say how many steps were done before, by an earlier run; they count as done but not for the rate."""
        self.done = done

    def advance(self, steps: int = 1, status: str = "") -> None:
        """Count further steps; `status` is a short text such as the loss."""
        self.update(self.done + steps, status)

    def update(
        self, done: int, status: str = "", *, share: float | None = None, left: float | None = None
    ) -> None:
        """Set the number of steps done so far.

        **Arguments:**

        - `done`: steps.
        - `status`: a short text such as the loss.
        - `share`: how much of the work is done, 0 to 1, where that is not `done` of `total`.
        - `left`: seconds that it will still take, where that is known.
        """
        self.done, self._share, self._left = done, share, left
        self._show(status)

    def follow(self, done: int, total: int) -> None:
        """Set both numbers, for work whose size is known only when it begins."""
        self.total = total
        self.update(done)

    @property
    def part(self) -> float:
        """How much of the work is done, 0 to 1."""
        return min(1.0, self.done / max(self.total, 1) if self._share is None else self._share)

    def _measured(self, now: float) -> tuple[float | None, float | None]:
        """Steps a second and seconds left, of the last minute. The first update pays for compilation, so they count from
        there on.
        """
        recent = self._recent
        if len(recent) >= 2 and now - recent[-2][0] < WINDOW_SECONDS / 600:
            recent.pop()  # no more of them than a rate needs
        recent.append((now, self.done))
        while len(recent) > LEAST_UPDATES and now - recent[1][0] >= WINDOW_SECONDS:
            recent.popleft()
        passed, steps = now - recent[0][0], self.done - recent[0][1]
        rate = steps / passed if passed > 0 and steps > 0 else None
        left = self._left
        if left is None and rate is not None and self.total:
            left = max(self.total - self.done, 0) / rate
        return rate, left

    def _line(self, percent: int, now: float, status: str) -> str:
        """What there is to say in one line."""
        parts = [f"{self.description}: {percent}% ({self._count()})", *self._pace(now)]
        return ", ".join([*parts, status] if status else parts)

    def _count(self) -> str:
        return f"{self.done}/{self.total}" if self.total else f"{self.done} {self.unit}".rstrip()

    def _pace(self, now: float) -> list[str]:
        """Rate and time left, as far as they are known."""
        rate, left = self._measured(now)
        unit = f" {self.unit}" if self.unit else ""
        said = [] if rate is None else [f"{rate:.0f}{unit}/s" if rate >= 100 else f"{rate:.3g}{unit}/s"]
        return said if left is None else [*said, f"{in_time(left)} left"]

    def _show(self, status: str) -> None:
        pass

    def _close(self) -> None:
        pass


class Lines(ProgressBar):
    """A line at every tenth of the work, and no two in one second, but one at least every `SILENT_SECONDS`.

    In a `with` block that holds while nobody counts, too, as during a long compilation.
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
        self._status = ""
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._keep_beating, name="progress", daemon=True).start()
        return self

    def beat(self) -> None:
        """Write a line if there was none for `SILENT_SECONDS`."""
        with self._lock:
            now = self._clock()
            if now - self._last < SILENT_SECONDS or self._closed.is_set():
                return
            line = self._line(int(100 * self.part), now, self._status)
            self._last = now
            self._write(f"{line}, {in_time(now - self._begun)} so far")

    def _keep_beating(self) -> None:
        while not self._closed.wait(SILENT_SECONDS / 10):
            self.beat()

    def _show(self, status: str) -> None:
        with self._lock:
            self._status = status
            tenth = int(10 * self.part)
            now = self._clock()
            quiet = now - self._last
            # The tenth, unless the line is there for the silence alone.
            percent = 10 * tenth if tenth > self._tenth else int(100 * self.part)
            line = self._line(percent, now, status)
            if quiet < _QUIET_SECONDS or (tenth <= self._tenth and quiet < SILENT_SECONDS):
                return
            self._tenth, self._last = max(tenth, self._tenth), now
            self._write(line)

    def _close(self) -> None:
        self._closed.set()


class Handle(Protocol):
    """A place under a cell of a notebook, as `IPython.display.DisplayHandle` is one."""

    def display(self, obj: object, *, raw: bool) -> None:
        """Show an object for the first time."""
        ...

    def update(self, obj: object, *, raw: bool) -> None:
        """Show another object in its place."""
        ...


class Cell(ProgressBar):
    """One line under the cell of a notebook, rewritten while the work lasts.

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

    def _show(self, status: str) -> None:
        now = self._clock()
        text = self._line(int(100 * self.part), now, status)
        if now - self._last < _CELL_SECONDS and self.part < 1:
            return
        self._last = now
        show = self._handle.update if self._shown else self._handle.display
        show({"text/plain": text}, raw=True)
        self._shown = True


class Bar(ProgressBar):
    """A bar with rate and time left, gone when the work is done."""

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

    def _show(self, status: str) -> None:
        said = ", ".join([self._count(), *self._pace(time.monotonic()), *([clean(status)] if status else [])])
        self._bar.update(self._task, completed=self.part, said=said)

    def _close(self) -> None:
        self._bar.stop()


def show_progress(total: int, description: str, unit: str = "") -> ProgressBar:
    """Progress as it suits the place: a notebook, a terminal, or a file."""
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
    """Where a notebook shows things; None outside of notebooks, among them IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not shell.has_trait("kernel"):
        return None
    return import_module("IPython.display").DisplayHandle()
