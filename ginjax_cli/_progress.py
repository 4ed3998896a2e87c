"""How far a long piece of work has come: a bar on a terminal, a few lines elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console

_QUIET_SECONDS = 1.0


class Progress:
    """Counts steps and says nothing; the base of the two that do.

    **Arguments:**

    - `total`: how many steps there are.
    - `description`: what is being done.
    """

    def __init__(self, total: int, description: str):
        self.total = total
        self.description = description
        self.done = 0
        self.found = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def begin(self, done: int) -> None:
        """Say how many steps were done before, by an earlier run; they count as done but not for the rate."""
        self.done = self.found = done

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
        self._start = self._last = clock()
        self._tenth = 0

    def _show(self, status: str) -> None:
        tenth = 10 * self.done // max(self.total, 1)
        now = self._clock()
        if tenth <= self._tenth or now - self._last < _QUIET_SECONDS:
            return
        self._tenth, self._last = tenth, now
        rate = (self.done - self.found) / (now - self._start)
        left = (self.total - self.done) / rate if rate > 0 else float("inf")
        text = (
            f"{self.description}: {10 * tenth}% ({self.done}/{self.total}), {rate:.3g}/s, {left:.0f} s left"
        )
        self._write(f"{text}, {status}" if status else text)


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
        self._task = self._bar.add_task(description, total=total, status="", rate="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def _show(self, status: str) -> None:
        speed = self._bar.tasks[0].speed
        rate = "" if speed is None else f"{speed:.3g}/s"
        self._bar.update(self._task, completed=self.done, total=self.total, status=status, rate=rate)

    def _close(self) -> None:
        self._bar.stop()
