"""Signals as a request to end a task in an orderly way."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Self

_HANGUP = getattr(signal, "SIGHUP", None)
"""The signal of a closed terminal; Windows does not have it."""


class Interrupt:
    """A context in which the first signal is noted, and the second one interrupts at once.

    SIGHUP is only noted, however often it comes, because the kernel and the shell each send one. If it is ignored, as under
    `nohup`, it stays ignored.

    **Arguments:**

    - `signals`: which signals; only Ctrl-C (SIGINT) if None.
    - `own_handlers`: whether signals for which the program has its own handler are noted, too, instead of calling that handler.
    """

    def __init__(self, signals: Sequence[int] | None = None, *, own_handlers: bool = True) -> None:
        self._signals = (signal.SIGINT,) if signals is None else tuple(signals)
        self._own_handlers = own_handlers
        self._asked = threading.Event()
        self._by_user = False
        self._before: dict[int, Any] = {}

    def asked(self) -> bool:
        """Whether the user or the system has asked for an end."""
        return self._asked.is_set()

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere, such as in a notebook's worker, signals keep theirs.
        if threading.current_thread() is threading.main_thread():
            self._before = {
                each: signal.signal(each, self._note) for each in self._signals if self._is_to_be_noted(each)
            }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _is_to_be_noted(self, number: int) -> bool:
        handler = signal.getsignal(number)
        if number == _HANGUP and handler is signal.SIG_IGN:
            return False
        usual = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)
        return self._own_handlers or handler in usual

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number != _HANGUP:
            if self._by_user:
                raise KeyboardInterrupt
            self._by_user = True
        self._asked.set()
