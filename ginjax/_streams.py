"""Writing of text to streams that may be closed, or that nobody reads any more.

A terminal was closed, `head` has read enough, a script was started with `2>&-`: none of these is a reason to lose work.
"""

import contextlib
import errno
import os
import stat
from typing import TextIO

_NOBODY_THERE = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO, errno.ENODEV, errno.ECONNRESET}
_OUT_AND_ERR = (1, 2)


def put(stream: TextIO | None, text: str, *, needed: bool = False) -> None:
    """Write text at once; text that cannot go anywhere is dropped.

    **Arguments:**

    - `stream`: the stream; None is Python's value for a stream that was closed at the start.
    - `text`: the text; characters that the encoding lacks are written as escapes.
    - `needed`: whether somebody relies on the text, so that a failure to store it must be reported.

    **Raises:** `OSError` if a stream exists but cannot take text that is `needed`, such as a file on a full disk.
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
    """Whether the stream is a terminal, which a person reads."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # closed
        return False


def lead_nowhere(stream: TextIO | None) -> None:
    """Redirect a broken standard output or error to the null device.

    Otherwise Python would write what is still buffered when it ends, and fail with a message.
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
    """Whether a stream is a file on a disk, whose errors are those of the disk."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class Dropping:
    """A stream for libraries that write by themselves, such as Rich: text that cannot go anywhere is dropped.

    **Arguments:**

    - `stream`: the stream.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = stream

    @property
    def encoding(self) -> str:
        """The encoding of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write text at once, as `put` does."""
        put(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: everything is written at once."""

    def isatty(self) -> bool:
        """Whether the stream is a terminal, which a person reads."""
        return is_terminal(self._stream)

    def fileno(self) -> int:
        """The file descriptor of the stream, for libraries that ask for the width of the terminal."""
        if self._stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._stream.fileno()
