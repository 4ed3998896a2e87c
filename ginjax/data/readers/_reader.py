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
"""What the user said of the fields; empty if nothing."""


def _no_parts(file: DataFile) -> tuple[str, ...]:
    return ()


@runtime_checkable
class DataReader(Protocol):
    """What reads the files of a layout: anything with these, such as a `Reader`, which says what each has to do."""

    @property
    def name(self) -> str:
        """What it is called, and by what a model knows the files that it was trained on."""
        ...

    def recognises(self, file: DataFile, /) -> bool:
        """Whether the file is laid out as this reader reads files."""
        ...

    def find(self, file: DataFile, split: str | None, requests: Requests, /) -> Found:
        """The fields, axes and numbers of the file, as far as it and the requests tell them."""
        ...

    def splits(self, file: DataFile, /) -> tuple[str, ...]:
        """The parts that the file has of itself, such as `train`; empty without any."""
        ...


@dataclass(frozen=True)
class Reader:
    """A `DataReader` made of functions.

    **Arguments:**

    - `name`: of the reader.
    - `recognises`: whether a file is of this layout, told from what is in it. It is asked of files of any kind, before
      anything else is known of them, and reads little.
    - `find`: describes a file. It is given the part to describe, "train", "valid" or "test" (None for all of it, or the
      folder's name where the file has no parts), and what the user said of the fields. Values are read later, slice by
      slice, by the functions in what it returns.
    - `splits`: the parts inside of a file, of "train", "valid" and "test"; none by default.
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
    """The reader of a layout of HDF5 files, from functions of their content.

    **Arguments:**

    - `name`, `recognises`, `find`, `splits`: as in `Reader`.
    """
    return Reader(
        name,
        lambda file: file.hdf5 is not None and recognises(file.hdf5),
        lambda file, split, requests: find(file.content, split),
        lambda file: splits(file.content),
    )
