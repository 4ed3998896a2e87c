"""The interface of a reader of data files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ginjax.data._found import Found
from ginjax.data._request import FieldRequest
from ginjax.data.readers._data_file import DataFile
from ginjax.data.readers._hdf5 import Hdf5

Requests = tuple[FieldRequest, ...]
"""The fields that the user states; empty if none."""


def _no_parts(file: DataFile) -> tuple[str, ...]:
    return ()


@runtime_checkable
class DataReader(Protocol):
    """The interface of an object that reads the files of a layout; `Reader` describes what each part has to do."""

    @property
    def name(self) -> str:
        """Name of the reader, by which a model identifies the kind of its training files."""
        ...

    def recognises(self, file: DataFile, /) -> bool:
        """Whether the file has the layout of this reader."""
        ...

    def find(self, file: DataFile, split: str | None, requests: Requests, /) -> Found:
        """Describe the fields, axes and numbers of the file, as far as the file and the requests state them."""
        ...

    def splits(self, file: DataFile, /) -> tuple[str, ...]:
        """The splits inside the file, such as `train`; empty if there are none."""
        ...


@dataclass(frozen=True)
class Reader:
    """A `DataReader` made of functions.

    **Arguments:**

    - `name`: name of the reader.
    - `recognises`: whether a file has this layout, judged by its content. It is called for files of any kind, before
      anything else is known of them, and should read little.
    - `find`: describes a file. Its arguments are the file; the split to describe, "train", "valid" or "test" (None for the
      whole file; if the file has no splits, it can be the name of the folder); and the fields that the user states. Values are
      read later, slice by slice, by the functions in its result.
    - `splits`: the splits inside a file, among "train", "valid" and "test"; none by default.
    """

    name: str
    recognises: Callable[[DataFile], bool]
    find: Callable[[DataFile, str | None, Requests], Found]
    splits: Callable[[DataFile], tuple[str, ...]] = _no_parts


def hdf5_reader(
    name: str,
    recognises: Callable[[Hdf5], bool],
    find: Callable[[Hdf5, str | None], Found],
    splits: Callable[[Hdf5], tuple[str, ...]] = lambda file: (),
) -> Reader:
    """Make a reader of a layout of HDF5 files from functions that take their content.

    **Arguments:**

    - `name`, `recognises`, `find`, `splits`: as in `Reader`.
    """
    return Reader(
        name,
        lambda file: file.hdf5 is not None and recognises(file.hdf5),
        lambda file, split, requests: find(file.content, split),
        lambda file: splits(file.content),
    )
