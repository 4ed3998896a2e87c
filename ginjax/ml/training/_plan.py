"""The plan of a training: how many steps or how much time, and when to validate and to save."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ginjax.errors import ArgumentError

DISPATCH_SECONDS = 0.25
"""Intended duration of a dispatch. Interruptions are noticed after this time; it is far above the cost of a dispatch."""

START_MARGIN = 0.9
"""A tuning replaces its initial weights only if the validation loss falls below this fraction of theirs: better by a tenth.

Where a tuning is worthwhile, little is held out, and a smaller gain there says nothing about other fields. When any gain was
accepted, 26 % of the measured tunings made a network worse; with this margin 19 % (second table of `docs/guides/tuning.md`).
"""

MOST_STEPS = 128
"""The most steps of a dispatch."""


@dataclass(frozen=True)
class Plan:
    """The course of a training.

    **Arguments:**

    - `steps`: total number of steps; None for no limit.
    - `seconds`: total training time, without interruptions; None for no limit.
    - `batch_size`: samples in a step.
    - `accumulate`: parts of a batch that are computed one after the other.
    - `steps_per_dispatch`: steps in one call of the device, after which the losses are read. None adapts it to their speed.
      The result does not depend on it.
    - `validate_every`: steps between two validations, which compute the validation loss and call `Hooks.on_look`.
    - `validate_seconds`: time between two validations, if no number of steps is given.
    - `validate_start`: whether to validate the model before the first step too. It is then kept unless a later one has a
      validation loss below `START_MARGIN` times its own.
    - `patience`: early stopping after more than so many validations since the one with the lowest loss; None for never.
    - `save_every`, `save_seconds`: steps or seconds between two saved states, whichever comes first; None for never.
    - `save_end`: whether to save the state at the end too, so that the training can be extended.

    **Raises:** `ArgumentError` for a number that is out of range.
    """

    steps: int | None
    batch_size: int
    seconds: float | None = None
    accumulate: int = 1
    steps_per_dispatch: int | None = None
    validate_every: int | None = None
    validate_seconds: float | None = None
    validate_start: bool = False
    patience: int | None = None
    save_every: int | None = None
    save_seconds: float | None = None
    save_end: bool = False

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "batch_size",
            "seconds",
            "accumulate",
            "steps_per_dispatch",
            "validate_every",
            "validate_seconds",
            "save_every",
            "save_seconds",
        ):
            value = getattr(self, name)
            least = 0 if isinstance(value, float) else 1
            if value is not None and not (value >= least and math.isfinite(value)):
                raise ArgumentError(name, got=value, expected=f"at least {least}")
        if self.patience is not None and self.patience < 0:
            raise ArgumentError("patience", got=self.patience, expected="0 or more")

    def next_stop(self, step: int, count: int) -> int:
        """Return the step at the end of `count` steps from `step`, but no later than a validation, a save or the end."""
        stop = step + count
        for every in (self.validate_every, self.save_every):
            if every is not None:
                stop = min(stop, (step // every + 1) * every)
        return stop if self.steps is None else min(stop, self.steps)


class Pace:
    """The number of steps per dispatch, adapted so that a dispatch takes `DISPATCH_SECONDS`.

    **Arguments:**

    - `count`: a fixed number of steps, or None to adapt it.
    - `most`: the most steps of a dispatch.
    """

    def __init__(self, count: int | None, most: int = MOST_STEPS):
        self._fixed = count is not None
        self._most = most if count is None else min(count, most)
        self.count = self._most if self._fixed else 1

    def observe(self, steps: int, seconds: float) -> None:
        """Adapt the number to the duration of a dispatch; it may grow at most eightfold."""
        if not self._fixed and seconds > 0:
            wanted = int(DISPATCH_SECONDS * steps / seconds)
            self.count = max(1, min(wanted, 8 * self.count, self._most))
