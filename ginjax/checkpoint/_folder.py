"""Folders for files that are yet to be made."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ginjax.errors import FileError


@contextlib.contextmanager
def folder_for_work(folder: Path) -> Iterator[None]:
    """Make a folder for as long as there is work on its files; if none came of it, it goes again, with those made around it.

    **Raises:** `FileError` if it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it holds files
            for each in missing:
                each.rmdir()


def make_folder(folder: Path) -> None:
    """Make a folder, with those around it.

    **Raises:** `FileError` if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FileError(
            f"{folder}: is not a folder", expected="a folder, or nothing", hint="Choose another folder."
        ) from error
    except OSError as error:
        raise FileError(
            f"{folder}: cannot be made: {error.strerror}", hint="Choose another folder."
        ) from error
