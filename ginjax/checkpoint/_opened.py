"""Opening of files for reading: regular files only, and no more than a given number of bytes."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from io import BufferedReader

from ginjax._text import shell_word
from ginjax.errors import FileError


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[tuple[BufferedReader, int]]:
    """Open a regular file for reading; yields the stream and the size.

    A pipe would wait for a writer, and a device may never end. Both are refused before they are read, and so are links to them.

    **Raises:** `FileError` if the file cannot be opened, or for any error of the system while it is read.
    """
    if "\0" in os.fspath(path):
        raise FileError(f"{os.fspath(path)!r}: is not the name of a file", hint="Check the path.")
    try:
        _check(path, os.stat(path).st_mode)
        # Another file may have taken the name since: do not wait for it, and check again.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as stream:
            found = os.fstat(stream.fileno())
            _check(path, found.st_mode)
            yield stream, found.st_size
    except FileNotFoundError as error:
        raise missing_file(path) from error
    except OSError as error:
        hint = "Check its permissions." if isinstance(error, PermissionError) else None
        raise FileError(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from error


def refuse_exchanged(path: str | os.PathLike[str], stream: BufferedReader) -> None:
    """Refuse a file whose name another file has taken since it was opened: what was read by name is then not what is open.

    **Raises:** `FileError`.
    """
    if not os.path.samestat(os.fstat(stream.fileno()), os.stat(path)):
        raise FileError(f"{path}: was replaced while it was read", hint="Try it again.")


def missing_file(path: str | os.PathLike[str]) -> FileError:
    """The error for a path that does not exist; the hint recognises an address on the Hub, in which `//` has become `/`."""
    name = os.fspath(path)
    found = re.fullmatch(r"hf:/+([^/].*)", name) if isinstance(name, str) else None
    hint = "Check the path." if found is None else f"Fetch it first: ginjax hub pull {shell_word(found[1])}"
    return FileError(f"{path}: there is no such file", hint=hint)


def read_text(path: str | os.PathLike[str], *, most: int) -> str:
    """Read a small text file in UTF-8.

    **Arguments:**

    - `path`: the file.
    - `most`: most bytes that it may have.

    **Raises:** `FileError` for a larger file, a file that is not text, and as `opened`.
    """
    with opened(path) as (stream, size):
        content = b"" if size > most else stream.read(most + 1)
    if max(size, len(content)) > most:
        raise FileError(
            f"{path}: has {max(size, len(content))} bytes",
            expected=f"at most {most}",
            hint="Check which file you named.",
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: is no text in UTF-8", hint="Check which file you named.") from error


def _check(path: str | os.PathLike[str], mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise FileError(f"{path}: is a folder", expected="a file", hint="Name a file inside it.")
    if not stat.S_ISREG(mode):
        raise FileError(f"{path}: is not a regular file", hint="Copy it into a file first.")
