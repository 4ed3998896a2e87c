"""The current speed of a training."""

from __future__ import annotations

from collections import deque

LEAST_SECONDS = 5.0
"""The least time over which a rate is measured, once so much time has passed."""

LEAST_REPORTS = 8
"""The least number of reports over which a rate is measured: one report may come as late as the next."""


class StepRate:
    """Steps per second over the last few reports of a training.

    A report comes when a dispatch is looked at, and further steps may be done by then. So two reports alone are unreliable, and
    many are reliable.
    """

    def __init__(self) -> None:
        self._reports: deque[tuple[int, float]] = deque()

    def note(self, step: int, seconds: float) -> None:
        """Record a report.

        **Arguments:**

        - `step`: steps done.
        - `seconds`: time spent on steps, counted from any moment.
        """
        reports = self._reports
        reports.append((step, seconds))
        while len(reports) > LEAST_REPORTS and seconds - reports[1][1] >= LEAST_SECONDS:
            reports.popleft()

    @property
    def steps(self) -> int:
        """Number of steps over which the rate was measured."""
        return self._reports[-1][0] - self._reports[0][0] if self._reports else 0

    @property
    def value(self) -> float | None:
        """Steps per second; None before there are two reports."""
        if len(self._reports) < 2:
            return None
        passed = self._reports[-1][1] - self._reports[0][1]
        return self.steps / passed if passed > 0 and self.steps else None
