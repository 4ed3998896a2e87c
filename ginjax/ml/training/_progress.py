"""The progress of a training, and its reports."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, PyTree


@dataclass
class Progress:
    """The progress of a training. With the state and the random key, it is all that is needed to resume.

    **Arguments:**

    - `step`: steps done.
    - `seconds`: time spent on them.
    - `first_loss`, `last_loss`: training loss of the first and of the last step.
    - `best_step`, `best_loss`: step and validation loss of the model that is kept; -1 and infinity before the first validation.
    - `best_model`: that model, on the host; None if there was no validation.
    - `misses`: validations since the one with the lowest loss, which `patience` counts.
    - `lowest_loss`: the lowest validation loss. It is below `best_loss` if a tuning has become better than its start, but not
      by enough to replace it.
    - `looks`: number of validations after the first step.
    """

    step: int = 0
    seconds: float = 0.0
    first_loss: float = float("nan")
    last_loss: float = float("nan")
    best_step: int = -1
    best_loss: float = float("inf")
    best_model: PyTree = field(default=None, repr=False)
    misses: int = 0
    lowest_loss: float = float("inf")
    looks: int = 0

    def __post_init__(self) -> None:
        # These bounds always hold; a progress that an earlier version saved lacks both numbers.
        self.lowest_loss = min(self.lowest_loss, self.best_loss)
        self.looks = max(self.looks, self.misses)


@dataclass(frozen=True)
class Report:
    """A report on a training since the previous report.

    **Arguments:**

    - `step`: steps done.
    - `losses`: losses of the steps since the previous report; empty for a report on a validation.
    - `seconds`: time spent on training so far.
    - `validation`: the validation loss; None for a report on steps.
    - `step_seconds`: time that this program has spent on steps of this training, without compiling, validating and saving the
      state; None if it was not measured.
    """

    step: int
    losses: Float[np.ndarray, " steps"]
    seconds: float
    validation: float | None = None
    step_seconds: float | None = None
