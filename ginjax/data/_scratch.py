"""A nameless file for a library that goes back and forth while it writes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from ginjax.checkpoint import unwritable


class Scratch:
    """A file without a name, in the folder of the file that is to be made of it, and by whose name its failures go.

    It has the methods of a binary stream that is read and written.

    **Arguments:**

    - `path`: the file to be made, as its user called it; `folder`: where that lies.

    **Raises:** `FileError`, here and from each method, where the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str], folder: Path):
        self._path = path
        with self._named():
            self._stream = tempfile.TemporaryFile(prefix=".ginjax-", suffix=".tmp", dir=folder)  # noqa: SIM115

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._stream, name)

        def named(*given: Any) -> Any:
            with self._named():
                return method(*given)

        return named

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._named():
            self._stream.close()
