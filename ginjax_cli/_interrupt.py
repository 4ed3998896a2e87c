"""Ctrl-C and SIGTERM as a request that a command end in order."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A command that was asked to end has ended in order, and has said how to go on."""


class Interrupt:
    """While it lasts, the first Ctrl-C or SIGTERM is noted and the second one interrupts at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._before: dict[signal.Signals, Any] = {}

    def asked(self) -> bool:
        """Whether the user, or the machine, wants an end."""
        return self._asked.is_set()

    def __enter__(self) -> Self:
        # Only the main thread may; elsewhere (in a notebook's worker, say) signals do what they did.
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._note) for each in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()
