"""The exception of a training that Ctrl-C ended, with the model so far."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a training; nothing of the training is lost.

    In a notebook, `sys.last_value` is the newest exception.

    - `step`: number of steps done.
    - `steps`: number of steps planned; None if only the time was limited.
    """

    def __init__(self, step: int, steps: int | None, make: Callable[[], Any], go_on: Callable[[bool], Any]):
        of = "" if steps is None else f" of {steps}"
        super().__init__(
            f"training interrupted after step {step}{of}; this exception has the model so far (.model) "
            "and goes on from there (.resume())"
        )
        self.step = step
        self.steps = steps
        self._make = make
        self._go_on = go_on

    @cached_property
    def model(self) -> Any:
        """The model so far, a `ginjax.Model`: the best one if there was validation, otherwise the last one."""
        return self._make()

    def resume(self, *, progress: bool = True) -> Any:
        """Resume the training as if it had not been interrupted.

        **Arguments:**

        - `progress`: whether to show progress.

        **Returns:** what the interrupted call would have returned, bit for bit.

        **Raises:** as that call; `TrainingInterrupted` after another Ctrl-C.
        """
        return self._go_on(progress)
