"""A file without a name, for a library that moves back and forth in a file while it writes."""

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
    """A file without a name, in the folder of the file that will be made of it.

    It has the methods of a binary stream for reading and writing. A library that uses it may turn the exceptions of these methods
    into its own, or go on. Therefore the first failure is raised again at the end, and by `check`.

    **Arguments:**

    - `path`: the file to make, as its user called it, for messages; `folder`: the folder of that file.

    **Raises:** `FileError`, here and from each method, if the disk refuses.
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
        """Raise the first failure again, if there was one."""
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
            if kind is None or issubclass(kind, Exception):  # an interruption is raised as such
                self.check()
