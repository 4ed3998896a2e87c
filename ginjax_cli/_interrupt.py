"""Ctrl-C, SIGTERM and a closed terminal as requests to end a command in order."""

import signal

from ginjax._interrupt import Interrupt as _Interrupt


class Interrupted(Exception):
    """A command has ended in order because it was asked to, and has said how to continue."""


class Interrupt(_Interrupt):
    """Notes Ctrl-C, SIGTERM and SIGHUP while it is active. A second Ctrl-C or SIGTERM interrupts at once."""

    def __init__(self) -> None:
        names = ("SIGINT", "SIGTERM", "SIGHUP")
        super().__init__([getattr(signal, name) for name in names if hasattr(signal, name)])
