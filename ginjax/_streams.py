"""Writing text to streams that may be closed, or that nobody reads any more.

A terminal goes away, a `head` has seen enough, a script was started with `2>&-`: none of it is a reason to lose work.
"""

import contextlib
import errno
import os
import stat
from typing import TextIO

_NOBODY_THERE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO, errno.ENODEV, errno.ECONNRESET}
_OUT_AND_ERR = (1, 2)


def put(stream: TextIO | None, text: str, *, needed: bool = False) -> None:
    """Write text at once; what has nowhere to go is dropped.

    **Arguments:**

    - `stream`: where to; None is what Python calls a stream that was closed when it started.
    - `text`: what its encoding lacks is written as an escape.
    - `needed`: whether a reader waits for it, who must hear if it cannot be stored.

    **Raises:** `OSError` of a stream that is there but does not take text that is `needed`, such as a file on a full disk.
    """
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except ValueError:  # closed meanwhile
        return
    except OSError as error:
        if error.errno in _NOBODY_THERE and not _is_file(stream):
            lead_nowhere(stream)
        elif needed:
            raise


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sees what is written there."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # closed
        return False


def lead_nowhere(stream: TextIO | None) -> None:
    """Let standard output or error, which cannot be written to, take everything and keep nothing.

    Else what is buffered is tried again when Python ends, which then says so and fails.
    """
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):
        number = stream.fileno()
        if number in _OUT_AND_ERR:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)


def _is_file(stream: TextIO) -> bool:
    """Whether a stream leads to a file on a disk, whose errors are those of the disk."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class Dropping:
    """A stream for those who write by themselves, such as Rich: what has nowhere to go is dropped.

    **Arguments:**

    - `stream`: where to.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = stream

    @property
    def encoding(self) -> str:
        """Of the stream itself."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write text at once, as `put` does."""
        put(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def isatty(self) -> bool:
        """Whether a person sees what is written."""
        return is_terminal(self._stream)

    def fileno(self) -> int:
        """The number of the stream, for those who ask how wide the terminal is."""
        if self._stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._stream.fileno()
