"""A nameless file for a library that goes back and forth while it writes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ginjax.checkpoint import unwritable
from ginjax.errors import FileError


class Scratch:
    """A file without a name, in the folder of the file that is to be made of it, and by whose name its failures go.

    It has the methods of a binary stream that is read and written. A library that it is handed to may turn what they raise into an
    error of its own, or go on; so the first failure is raised again at the end, and by `check`.

    **Arguments:**

    - `path`: the file to be made, as its user called it; `folder`: where that lies.

    **Raises:** `FileError`, here and from each method, where the disk refuses.
    """

    def __init__(self, path: str | os.PathLike[str], folder: Path):
        self._path = path
        self._failure: FileError | None = None
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
            self._failure = self._failure or unwritable(self._path, error)
            raise self._failure from error

    def check(self) -> None:
        """Raise what was the first failure, if there was one."""
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._named():
                self._stream.close()
        finally:
            if kind is None or issubclass(kind, Exception):  # an interruption is told as one
                self.check()
