"""The time of a training: in all, on steps alone, and since it was last looked at and saved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """The time of a training; it begins to run at once.

    What is done beside the steps counts in all, but not as time on steps.

    **Arguments:**

    - `before`: seconds that the training took before it was gone on with.
    """

    def __init__(self, before: float):
        now = time.monotonic()
        self.seconds = before
        """In all, up to the last `mark`."""
        self.on_steps = 0.0
        """On steps alone since the program began with this training, up to the last `mark`."""
        self._before, self._aside = before, 0.0
        self._marked = self._looked = self._saved = now

    def mark(self) -> float:
        """Take note that steps have come to an end.

        **Returns:** the time on steps alone since it was last noted.
        """
        before, self._marked = self._marked, time.monotonic()
        self.seconds += self._marked - before
        earlier, self.on_steps = self.on_steps, self.seconds - self._before - self._aside
        return self.on_steps - earlier

    def elapsed(self) -> float:
        """Seconds in all, up to now."""
        return self.seconds + time.monotonic() - self._marked

    def begin_steps(self) -> None:
        """Take note that the first step begins: whatever came before it was not spent on steps."""
        self._aside = self.elapsed() - self._before

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Around a look at the model, which is beside the steps."""
        begun = time.monotonic()
        yield
        self._looked = time.monotonic()
        self._aside += self._looked - begun

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Around the saving of a state, which is beside the steps."""
        begun = time.monotonic()
        yield
        self._saved = time.monotonic()
        self._aside += self._saved - begun

    def since_look(self) -> float:
        """Seconds since the last look at the model."""
        return time.monotonic() - self._looked

    def since_saved(self) -> float:
        """Seconds since the last saved state."""
        return time.monotonic() - self._saved
