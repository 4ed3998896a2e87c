"""The files that make up a data set: one, several, or those in a folder. Each is recognised by its content."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ginjax.checkpoint import file_kind, is_other_kind, wrong_file
from ginjax.data.readers import (
    ANY_HDF5,
    OWN,
    READERS,
    DataFile,
    DataReader,
    foreign_case,
    foreign_file,
    is_zarr,
    table_hint,
)
from ginjax.errors import ArgumentError, FileError

MAX_FILES = 2**14
_FOLDERS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
_LAYOUTS = "The Well, PDEBench or PDEArena (HDF5), MATLAB, NetCDF, Zarr, or arrays (.npz, .npy)"
_SHOWN = 3

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def data_files(path: Paths) -> list[tuple[str, str | None]]:
    """The data files at a path, sorted by name, each with the split that its subfolder is named after.

    A folder that is a Zarr store counts as one file.

    **Raises:** `FileError` if there are no files, or too many. For a format that has to be converted first, the error has the
    code that does so.
    """
    many = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not many:
        raise ArgumentError("path of the data", got="none", expected="a file or a folder")
    found: list[tuple[str, str | None]] = []
    for each in [os.fspath(one) for one in many]:
        if "\0" in each or not os.path.exists(each):
            raise FileError(f"{each!r}: there is no such file", hint="Check the path.")
        if not os.path.isdir(each) or is_zarr(each):
            if not os.path.isdir(each) and not os.path.isfile(each):
                raise FileError(f"{each}: is not a regular file", hint="Copy it into a file first.")
            if not _is_data(each):
                raise _no_data(each)
            found.append((each, None))
            continue
        every = sorted(_inside(each))
        inside = [file for file in every if _is_data(file)]
        if not inside or len(inside) > MAX_FILES:
            raise _none_inside(each, every, len(inside))
        found += [(file, _split_of(Path(file).relative_to(each))) for file in inside]
    return found


def passed_over(path: Paths, found: Collection[str]) -> str | None:
    """Describe which files in folders are not data; None if all of them are. Hidden files are not counted.

    **Arguments:**

    - `path`: the data.
    - `found`: the files that are data.
    """
    many = [path] if isinstance(path, str | os.PathLike) else list(path)
    folders = [os.fspath(each) for each in many if os.path.isdir(each) and not is_zarr(os.fspath(each))]
    left = [
        os.path.relpath(file, folder)
        for folder in folders
        for file in sorted(_inside(folder))
        if not os.path.basename(file).startswith(".") and file not in found
    ]
    if not left:
        return None
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return f"in the folder, but no data: {', '.join(left[:_SHOWN])}{more}"


def reader_of(file: DataFile) -> DataReader:
    """The first reader that recognises a file.

    **Raises:** `FileError` if none does.
    """
    for _, reader in READERS.usable():
        if reader.recognises(file):
            return reader
    _refuse_foreign(file)
    if ANY_HDF5.recognises(file):
        return ANY_HDF5
    names = "" if file.hdf5 is None else ", ".join(file.hdf5.names()[:16])
    raise FileError(
        f"{file.path}: has none of the known layouts",
        got=names or "nothing",
        expected=_layouts(),
        hint="No array in it has two axes or more." if names else None,
    )


def name_of(path: Paths) -> str:
    """The name of the data in messages."""
    many = [path] if isinstance(path, str | os.PathLike) else path
    return ", ".join(str(each) for each in many)


def _layouts() -> str:
    """The known layouts, for messages."""
    return ", ".join([_LAYOUTS, *list(READERS)[len(OWN) :]])


def _inside(folder: str) -> Iterator[str]:
    """The files below a folder; a Zarr store counts as one file."""
    for here, folders, files in os.walk(folder):
        stores = [name for name in folders if is_zarr(os.path.join(here, name))]
        folders[:] = [name for name in folders if name not in stores]
        yield from (os.path.join(here, name) for name in stores)
        yield from (path for name in files if os.path.isfile(path := os.path.join(here, name)))


def _split_of(inside: Path) -> str | None:
    return next((_FOLDERS[part] for part in reversed(inside.parts[:-1]) if part in _FOLDERS), None)


def _is_data(file: str) -> bool:
    """Whether a file is HDF5 of any layout, or is recognised by a reader."""
    opened = DataFile(file)
    try:
        # Check first that the file can be read: HDF5 reports a file without read permission as no HDF5 file.
        return (opened.start != b"" or os.path.isdir(file)) and (
            opened.hdf5 is not None or any(reader.recognises(opened) for _, reader in READERS.usable())
        )
    except PermissionError as error:
        raise FileError(f"{file}: cannot be read", hint="Check its permissions.") from error
    except OSError:
        return False


def _refuse_foreign(file: DataFile) -> None:
    """Refuse a file of a foreign format, and say how to convert it.

    **Raises:** `FileError`, if it is one.
    """
    known = foreign_file(file)
    if known is not None:
        raise FileError(f"{file.path}: is {known.kind}", expected=_layouts(), hint=known.hint)


def _no_data(path: str) -> FileError:
    """The error for a file that holds no data, with how to make data of it if that is known."""
    try:
        _refuse_foreign(DataFile(path))
    except FileError as answer:
        return answer
    expected, kind = f"data: {_layouts()}", file_kind(path).name
    if kind == "empty":
        return FileError(f"{path}: is empty", expected=expected, hint="Was it written to its end?")
    if kind in ("text", "settings"):
        return FileError(f"{path}: holds text, not arrays", expected=expected, hint=table_hint(path))
    if is_other_kind(path, "data"):
        return wrong_file(path, expected)
    return FileError(f"{path}: is not a file of data", expected=_layouts(), hint="Is it complete?")


def _none_inside(folder: str, every: Sequence[str], count: int) -> FileError:
    """The error for a folder with no data, or too many files, with how to make data of its content if that is known."""
    known = foreign_case(folder)
    if known is not None:
        return FileError(f"{folder}: is {known.kind}", expected=_layouts(), hint=known.hint)
    for file in every if count == 0 else ():
        try:
            _refuse_foreign(DataFile(file))
        except FileError as answer:
            return answer
        except OSError:
            continue
    if count == 0 and is_other_kind(folder, "data folder"):
        return wrong_file(folder, "a folder of data")
    expected = f"at most {MAX_FILES}" if count else "one or more"
    return FileError(f"{folder}: data files in it", got=count, expected=expected)
