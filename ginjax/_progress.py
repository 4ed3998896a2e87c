"""How far a long piece of work has come: a bar on a terminal, one line that changes in a notebook, a few lines elsewhere.

The library shows progress only where its user asks for it; this is the one of its modules that writes to the screen.
"""

import sys
import time
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from ginjax._streams import Dropping, is_terminal, put
from ginjax._text import clean

if TYPE_CHECKING:
    from rich.console import Console

_QUIET_SECONDS = 1.0
_CELL_SECONDS = 0.25


class Progress:
    """Counts steps and says nothing; the base of those that do.

    **Arguments:**

    - `total`: how many steps there are.
    - `description`: what is being done.
    """

    def __init__(self, total: int, description: str):
        self.total = total
        self.description = description
        self.done = 0
        self._first: tuple[int, float] | None = None

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

    def update(self, done: int, status: str = "") -> None:
        """Set the number of steps done so far."""
        self.done = done
        self._show(status)

    def follow(self, done: int, total: int) -> None:
        """Set both numbers, for work whose size is known only when it begins."""
        self.total = total
        self.update(done)

    def _line(self, percent: int, now: float, status: str) -> str:
        """What there is to say in one line. The first update pays for compilation, so rates count from there on."""
        done, begun = self._first or (self.done, now)
        self._first = done, begun
        parts = [f"{self.description}: {percent}% ({self.done}/{self.total})"]
        if self.done > done and now > begun:
            rate = (self.done - done) / (now - begun)
            parts += [f"{rate:.3g}/s", f"{max(self.total - self.done, 0) / rate:.0f} s left"]
        return ", ".join([*parts, status] if status else parts)

    def _show(self, status: str) -> None:
        pass

    def _close(self) -> None:
        pass


class Lines(Progress):
    """A line at every tenth of the work, but none in the first second and no two in one."""

    def __init__(
        self,
        total: int,
        description: str,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__(total, description)
        self._write = write
        self._clock = clock
        self._last = clock()
        self._tenth = 0

    def _show(self, status: str) -> None:
        tenth = 10 * self.done // max(self.total, 1)
        now = self._clock()
        line = self._line(10 * tenth, now, status)
        if tenth <= self._tenth or now - self._last < _QUIET_SECONDS:
            return
        self._tenth, self._last = tenth, now
        self._write(line)


class Handle(Protocol):
    """A place under a cell of a notebook, as `IPython.display.DisplayHandle` is one."""

    def display(self, obj: object, *, raw: bool) -> None: ...

    def update(self, obj: object, *, raw: bool) -> None: ...


class Cell(Progress):
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
    ):
        super().__init__(total, description)
        self._handle = handle
        self._clock = clock
        self._last = float("-inf")
        self._shown = False

    def _show(self, status: str) -> None:
        now = self._clock()
        percent = 100 * self.done // max(self.total, 1)
        text = self._line(percent, now, status)
        if now - self._last < _CELL_SECONDS and self.done < self.total:
            return
        self._last = now
        show = self._handle.update if self._shown else self._handle.display
        show({"text/plain": text}, raw=True)
        self._shown = True


class Bar(Progress):
    """A bar with rate and time left, gone when the work is done."""

    def __init__(self, total: int, description: str, console: "Console"):
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        super().__init__(total, description)
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(clean(description), total=total, status="", rate="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def _show(self, status: str) -> None:
        speed = self._bar.tasks[0].speed
        rate = "" if speed is None else f"{speed:.3g}/s"
        self._bar.update(self._task, completed=self.done, total=self.total, status=status, rate=rate)

    def _close(self) -> None:
        self._bar.stop()


def show_progress(total: int, description: str) -> Progress:
    """Progress as it suits the place: a notebook, a terminal, or a file."""
    handle = _notebook_handle()
    if handle is not None:
        return Cell(total, description, handle)
    if is_terminal(sys.stderr):
        from rich.console import Console

        stream: Any = Dropping(sys.stderr)
        return Bar(total, description, Console(file=stream, highlight=False, markup=False, emoji=False))
    return Lines(total, description, _write_line)


def _write_line(text: str) -> None:
    put(sys.stderr, clean(text) + "\n")


def _notebook_handle() -> "Handle | None":
    """Where a notebook shows things; None outside of notebooks, among them IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not shell.has_trait("kernel"):
        return None
    return import_module("IPython.display").DisplayHandle()
