"""Notice early that a training loss grows, because the learning rate is too high and the training would be useless."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ginjax.ml.training._progress import Report
from ginjax.ml.training._settings import LEARNING_RATE, TrainSettings

WINDOW = 20
"""Steps in a window. Its loss is their median, which single batches hardly change."""

GROWTH = 10.0
"""The loss grows if two windows in a row are so many times above the lowest window so far."""


class GrowingLoss:
    """A watch on the training loss, which warns once if the loss grows.

    **Arguments:**

    - `learning_rate`: peak learning rate of the training.
    """

    def __init__(self, learning_rate: float):
        self._rate = learning_rate
        self._window: list[float] = []
        self._lowest, self._lowest_step = float("inf"), 0
        self._above, self._said = 0, False

    def note(self, report: Report) -> str | None:
        """Record a report of the training.

        **Arguments:**

        - `report`: the next report; reports on a validation change nothing.

        **Returns:** a warning, the first time that two windows in a row are `GROWTH` times above the lowest; otherwise None.
        """
        first = report.step - len(report.losses)
        said = None
        for step, loss in enumerate(report.losses.tolist(), first + 1):
            self._window.append(loss)
            if len(self._window) == WINDOW:
                said = self._judge(float(np.median(self._window)), step) or said
                self._window.clear()
        return said

    def _judge(self, loss: float, step: int) -> str | None:
        if loss < self._lowest:
            self._lowest, self._lowest_step = loss, step
        self._above = self._above + 1 if loss > GROWTH * self._lowest else 0
        if self._said or self._above < 2:
            return None
        self._said = True
        lower = float(f"{self._rate / 3:.0e}")
        return (
            f"the training loss has {_change(self._lowest, loss)} since step {self._lowest_step}: "
            f"stop the training and try a lower rate, such as `learning_rate={lower:g}`"
        )


def _change(before: float, after: float) -> str:
    """The change of a loss, in words."""
    if math.isinf(after):
        return "become infinite"
    if before == 0 or math.isinf(after / before):
        return f"grown from {before:.3g} to {after:.3g}"
    times = after / before
    return f"grown {times:.0f}-fold" if times < 1e6 else f"grown {times:.0e}-fold"


def watching_growth(
    settings: TrainSettings, on_report: Callable[[Report], None] | None, on_growth: Callable[[str], None]
) -> Callable[[Report], None]:
    """Make a callback that passes on the reports of a training, and warns once if its loss grows.

    **Arguments:**

    - `settings`: resolved settings of the training.
    - `on_report`: called with every report.
    - `on_growth`: called once with the warning of `GrowingLoss`.
    """
    growing = GrowingLoss(settings.learning_rate or LEARNING_RATE)

    def watched(report: Report) -> None:
        if on_report is not None:
            on_report(report)
        said = growing.note(report)
        if said is not None:
            on_growth(said)

    return watched
