"""Folders for files that will be written."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ginjax.errors import FileError


@contextlib.contextmanager
def folder_for_work(folder: Path) -> Iterator[None]:
    """Make a folder for the time of work on its files. If no file came of it, it is removed again, with the parents made for it.

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
    """Make a folder and its parents.

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
