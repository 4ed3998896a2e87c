"""Ctrl-C, SIGTERM and a terminal that goes away as a request that a command end in order."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_HANGUP = getattr(signal, "SIGHUP", None)
"""The terminal went away; Windows knows no such signal."""


class Interrupted(Exception):
    """A command that was asked to end has ended in order, and has said how to go on."""


class Interrupt:
    """While it lasts, the first Ctrl-C or SIGTERM is noted and the second one interrupts at once.

    SIGHUP is noted too, however often it comes: the kernel and the shell each send one. Where it is ignored, as `nohup`
    has it, it stays so.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._by_user = False
        self._before: dict[signal.Signals, Any] = {}

    def asked(self) -> bool:
        """Whether the user, or the machine, wants an end."""
        return self._asked.is_set()

    def __enter__(self) -> Self:
        # Only the main thread may; elsewhere (in a notebook's worker, say) signals do what they did.
        if threading.current_thread() is threading.main_thread():
            signals = [signal.SIGINT, signal.SIGTERM]
            if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
                signals.append(_HANGUP)
            self._before = {each: signal.signal(each, self._note) for each in signals}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number != _HANGUP:
            if self._by_user:
                raise KeyboardInterrupt
            self._by_user = True
        self._asked.set()
