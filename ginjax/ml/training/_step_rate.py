"""How fast a training goes now."""

from __future__ import annotations

from collections import deque

LEAST_SECONDS = 5.0
"""Time that a rate is measured over at least, once so much has passed."""

LEAST_REPORTS = 8
"""Reports that a rate is measured over at least: one may come as late as the one after it."""


class StepRate:
    """Steps a second over the last few reports of a training.

    A report comes when somebody looks, which may be after further steps are done. So two reports by themselves say
    little, and many say what is true.
    """

    def __init__(self) -> None:
        self._reports: deque[tuple[int, float]] = deque()

    def note(self, step: int, seconds: float) -> None:
        """Take a report.

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
        """Steps that the rate was measured on."""
        return self._reports[-1][0] - self._reports[0][0] if self._reports else 0

    @property
    def value(self) -> float | None:
        """Steps a second; None before there are two reports."""
        if len(self._reports) < 2:
            return None
        passed = self._reports[-1][1] - self._reports[0][1]
        return self.steps / passed if passed > 0 and self.steps else None
