"""Ctrl-C, SIGTERM and a terminal that goes away as a request that a command end in order."""

import signal

from ginjax._interrupt import Interrupt as _Interrupt


class Interrupted(Exception):
    """A command that was asked to end has ended in order, and has said how to go on."""


class Interrupt(_Interrupt):
    """While it lasts, Ctrl-C, SIGTERM and SIGHUP are noted, and the second one that somebody sent interrupts at once."""

    def __init__(self) -> None:
        names = ("SIGINT", "SIGTERM", "SIGHUP")
        super().__init__([getattr(signal, name) for name in names if hasattr(signal, name)])
