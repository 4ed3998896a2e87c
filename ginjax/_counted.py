"""Counts the steps of a long task: the progress, the rate, and the time left."""

from collections import deque
from types import TracebackType
from typing import Self

from ginjax._text import in_time

WINDOW_SECONDS = 60.0
"""Seconds over which the rate and the time left are measured."""

LEAST_UPDATES = 8
"""Fewest updates over which they are measured, if there are so many."""


class ProgressBar:
    """Counts steps and shows nothing; the base class of progress bars that do.

    **Arguments:**

    - `total`: number of steps; 0 if something else ends the work. Then `update` has to be given the `share`.
    - `description`: the task.
    - `unit`: the unit of the steps, such as "steps"; not shown if empty.
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
        """Set how many steps an earlier run did; they count as done, but not for the rate."""
        self.done = done

    def advance(self, steps: int = 1, status: str = "") -> None:
        """Count further steps; `status` is a short text such as the loss."""
        self.update(self.done + steps, status)

    def update(
        self, done: int, status: str = "", *, share: float | None = None, left: float | None = None
    ) -> None:
        """Set the number of steps done so far.

        **Arguments:**

        - `done`: number of steps.
        - `status`: a short text such as the loss.
        - `share`: the share of the work that is done, 0 to 1, if it is not `done / total`.
        - `left`: seconds left, if known.
        """
        self.done, self._share, self._left = done, share, left
        self._show(status)

    def say(self, status: str) -> None:
        """Show what is done before the first step, such as compiling; an empty text means that it is over."""

    def follow(self, done: int, total: int) -> None:
        """Set both numbers, for work whose size is known only when it begins."""
        self.total = total
        self.update(done)

    @property
    def part(self) -> float:
        """The share of the work that is done, 0 to 1."""
        return min(1.0, self.done / max(self.total, 1) if self._share is None else self._share)

    def _measured(self, now: float) -> tuple[float | None, float | None]:
        """Steps per second and seconds left, over the last minute.

        The time before the first update does not count, because it includes compilation.
        """
        recent = self._recent
        if len(recent) >= 2 and now - recent[-2][0] < WINDOW_SECONDS / 600:
            recent.pop()  # a rate needs no more of them
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
        """The progress in one line."""
        parts = [self._head(percent), *self._pace(now)]
        return ", ".join([*parts, status] if status else parts)

    def _head(self, percent: int) -> str:
        return f"{self.description}: {percent}% ({self._count()})"

    def _count(self) -> str:
        return f"{self.done}/{self.total}" if self.total else f"{self.done} {self.unit}".rstrip()

    def _pace(self, now: float) -> list[str]:
        """Rate and time left, if they are known."""
        rate, left = self._measured(now)
        unit = f" {self.unit}" if self.unit else ""
        said = [] if rate is None else [f"{rate:.0f}{unit}/s" if rate >= 100 else f"{rate:.3g}{unit}/s"]
        return said if left is None else [*said, f"{in_time(left)} left"]

    def _show(self, status: str) -> None:
        pass

    def _close(self) -> None:
        pass
