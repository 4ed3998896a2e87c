"""The time of a training: in total, on steps alone, and since the last look at the model and the last save."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """A clock for a training; it starts at once.

    Time for work other than steps counts in the total, but not as time on steps.

    **Arguments:**

    - `before`: seconds that the training took before it was resumed.
    """

    def __init__(self, before: float):
        now = time.monotonic()
        self.seconds = before
        """Total seconds up to the last `mark`."""
        self.on_steps = 0.0
        """Seconds on steps alone since this program began with the training, up to the last `mark`."""
        self._before, self._aside = before, 0.0
        self._marked = self._looked = self._saved = now

    def mark(self) -> float:
        """Record that steps have ended.

        **Returns:** seconds on steps alone since the previous `mark`.
        """
        before, self._marked = self._marked, time.monotonic()
        self.seconds += self._marked - before
        earlier, self.on_steps = self.on_steps, self.seconds - self._before - self._aside
        return self.on_steps - earlier

    def elapsed(self) -> float:
        """Total seconds up to now."""
        return self.seconds + time.monotonic() - self._marked

    def begin_steps(self) -> None:
        """Record that the first step begins; time before it was not spent on steps."""
        self._aside = self.elapsed() - self._before

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Surround a look at the model, whose time does not count as time on steps."""
        begun = time.monotonic()
        yield
        self._looked = time.monotonic()
        self._aside += self._looked - begun

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Surround the saving of a state, whose time does not count as time on steps."""
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
