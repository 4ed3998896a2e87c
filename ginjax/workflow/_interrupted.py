"""A training that Ctrl-C ended, with what it had come to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any


class TrainingInterrupted(KeyboardInterrupt):
    """A training was ended by Ctrl-C; nothing of it is lost.

    In a notebook the newest one is `sys.last_value`.

    - `step`, `steps`: steps done, and how many there were to be (None where time was to end the training).
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
        """The model so far, a `ginjax.Model`: the best one if there was validation, else the last."""
        return self._make()

    def resume(self, *, progress: bool = True) -> Any:
        """Go on as if nothing had happened.

        **Arguments:**

        - `progress`: whether to show how far it is.

        **Returns:** what the call that was interrupted would have returned, bit for bit.

        **Raises:** as that call; `TrainingInterrupted` again.
        """
        return self._go_on(progress)
