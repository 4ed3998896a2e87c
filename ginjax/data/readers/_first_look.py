"""A first look at HDF5 files of unknown origin, in a process that may crash or stall instead of this one.

The HDF5 library trusts the metadata of a file. About one damaged file in a thousand makes it crash or run forever, without an
exception. So another process reads the metadata first (`_look_inside.py`), and a file on which that process crashes
or stalls is refused. A file is identified by path, place on the disk, size and times, and examined once.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

from ginjax.data.readers import _look_inside as inside
from ginjax.errors import FileError

PATIENCE = 30.0
"""Seconds that the other process may take for one object of a file."""

STARTING = 60.0
"""Seconds that it may take to start; after that, files are read without it."""

_known: set[tuple[object, ...]] = set()
_lock = threading.Lock()
_DAMAGED = "The file is damaged, or made to do harm: fetch or write it again."


def first_look(path: str) -> None:
    """Refuse a file whose metadata make the HDF5 library crash or stall.

    If no process can be started, nothing is examined.

    **Raises:** `FileError` for such a file, and for anything but a regular file.
    """
    try:
        found = os.stat(path)
    except OSError:
        return  # reported when it is opened
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path}: is not a regular file", hint="Copy it into a file first.")
    mark = path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    with _lock:
        if mark in _known:
            return
        problem = _Looker.ask(os.path.abspath(path))
        if problem is not None:
            raise FileError(f"{path}: {problem}", hint=_DAMAGED)
        _known.add(mark)


class _Looker:
    """The other process. It ends by itself when it has nothing to do, or when this process ends."""

    _running: _Looker | None = None

    def __init__(self) -> None:
        script = Path(inside.__file__)
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the asking process
        )
        self.ready = self._next(STARTING) == inside.READY

    @classmethod
    def ask(cls, path: str) -> str | None:
        """What is wrong with a file; None if nothing is, or if it could not be examined."""
        for _ in range(2):  # it may have just ended because it had no work
            if cls._running is not None and cls._running._owner != os.getpid():
                cls._running = None  # it answers the process from which this one was forked
            looker = cls._running or cls._started()
            if looker is None:
                return None
            if looker._give(path) and looker._next(PATIENCE) == inside.TAKEN:
                return looker._answer()
            looker._end()
        return None

    @classmethod
    def _started(cls) -> _Looker | None:
        if os.name == "nt" or not sys.executable or getattr(sys, "frozen", False):
            return None  # no pipes that can be waited for; no Python that could be started
        with contextlib.suppress(OSError):
            looker = cls()
            if looker.ready:
                cls._running = looker
                atexit.register(looker._end)
                return looker
            looker._end()
        return None

    def _answer(self) -> str | None:
        while True:
            said = self._next(PATIENCE)
            if said == inside.DONE:
                return None
            if said == inside.BEAT:
                continue
            problem = {
                None: f"its metadata keep the HDF5 library busy for more than {PATIENCE:g} s",
                inside.TOO_LARGE: f"its metadata take more than {inside.MOST_MEMORY >> 30} GiB of memory",
            }.get(said, "its metadata crash the HDF5 library")
            self._end()
            return problem

    def _give(self, path: str) -> bool:
        to = self._process.stdin
        if to is None:
            return False
        try:
            to.write(os.fsencode(path) + b"\0")
        except OSError:
            return False
        return True

    def _next(self, seconds: float) -> bytes | None:
        """Its next byte; empty if the process has ended, None if it is silent for too long."""
        said = self._process.stdout
        if said is None:
            return None
        until, number = time.monotonic() + seconds, said.fileno()
        while (left := until - time.monotonic()) > 0:
            if _readable(number, left):
                return os.read(number, 1)
        return None

    def _end(self) -> None:
        atexit.unregister(self._end)
        if self._owner != os.getpid():
            return
        type(self)._running = None
        self._process.kill()
        with self._process:  # closes the pipes, and waits
            pass


def _readable(number: int, seconds: float) -> bool:
    """Whether something can be read within some seconds; file numbers may be too large for `select`."""
    waiting = select.poll()
    waiting.register(number, select.POLLIN)
    return bool(waiting.poll(1000 * seconds))
