"""Opening data by looking inside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ginjax.checkpoint import DataContract, Reading, is_other_kind, wrong_file
from ginjax.data._axis_order import Axes, AxisOrder, parse_axes
from ginjax.data._found import Found
from ginjax.data._request import FieldRequest, parse_parity, parse_requests
from ginjax.data.readers import OWN, READERS, DataFile, DataReader
from ginjax.data.sources import Source, assemble, join
from ginjax.errors import ArgumentError, FileError, GinjaxError
from ginjax.geometric import parse_torus

SPLITS = ("train", "valid", "test")
MAX_FILES = 2**14
_FOLDERS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
_LAYOUTS = "The Well, PDEBench or PDEArena (HDF5), or arrays (.npz, .npy)"

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def open_data(
    path: Paths,
    *,
    fields: Sequence[str] = (),
    axes: Axes | None = None,
    parity: Mapping[str, object] | None = None,
    split: str | None = None,
    is_torus: bool | Iterable[bool] | None = None,
    like: DataContract | None = None,
    ask: bool = True,
) -> Source:
    """Open time series for reading, whatever their layout; what is in a file counts, not what it is called.

    **Arguments:**

    - `path`: a file, several, or a folder of files of the same layout.
    - `fields`: exactly the fields to use, such as `density:0+` or `velocity:1+=Vx,Vy`; the layout's own if empty.
    - `axes`: which axis of the arrays is which, where the file does not state it: `"trajectory,time,x,y,component"` in the
      order in which they are stored. An array without an axis `trajectory` is one simulation. What differs by array is
      said by array, `{"u": "trajectory,time,x,y,component", "p": "trajectory,time,x,y"}`.
    - `parity`: "even" or "odd" by field name, over what the layout suggests.
    - `split`: "train", "valid" or "test", if the data are parted so (see `data_splits`); everything by default.
    - `is_torus`: whether the axes are periodic, over what the layout says.
    - `like`: the contract of a model. What was said of the files it was trained on holds for files of the same kind too, unless
      something else is said here.
    - `ask`: whether what cannot be inferred is an error; otherwise it becomes a note of the source.

    **Returns:** a source; several files are one, in the order of their names.

    **Raises:** `ArgumentError` for what the user has to say, or said wrongly; `FileError` for data that cannot be used.
    """
    if split is not None and split not in SPLITS:
        raise ArgumentError("split", got=repr(split), expected="one of " + ", ".join(SPLITS))
    torus = tuple(is_torus) if isinstance(is_torus, Iterable) else is_torus
    said = _Said(tuple(fields), parse_parity(parity or {}), parse_axes(axes), torus)
    if like is not None and like.reading is not None and _kind(path) == like.reading.kind:
        try:
            return _open(path, said.or_else(like.reading, like.layout or {}), split, ask)
        except GinjaxError as error:
            # Files of the same kind may still hold other arrays: they are then read by themselves, if that can be done.
            try:
                return _open(path, said, split, ask)
            except GinjaxError:
                kept = ", ".join(
                    [*like.reading.fields, *(f"{n}={t}" if n else t for n, t in (like.layout or {}).items())]
                )
                if not kept:
                    raise error from None
                what = error.subject.removeprefix(f"{_name(path)}: ")
                raise type(error)(
                    f"{_name(path)}: read as the data of the model ({kept}): {what}",
                    got=error.got,
                    expected=error.expected,
                    hint="Say how to read these data with `fields` and `axes`: that goes before what the model keeps."
                    + (f" {error.hint}" if error.hint else ""),
                ) from None
    return _open(path, said, split, ask)


@dataclass(frozen=True)
class _Said:
    """What a user says of files, see `open_data`."""

    fields: tuple[str, ...]
    parity: Mapping[str, int]
    axes: Mapping[str, AxisOrder]
    torus: bool | tuple[bool, ...] | None

    def or_else(self, kept: Reading, axes: Mapping[str, str]) -> _Said:
        """The same, and for what is not said what was said before."""
        parity = parse_parity({} if self.fields else kept.parity)
        return _Said(
            self.fields or kept.fields,
            {**parity, **self.parity},
            self.axes or parse_axes(axes),
            kept.periodic if self.torus is None else self.torus,
        )

    def to_be_kept(self, found: Found) -> Reading | None:
        """What a model that is trained on a file is to remember; None if nothing was said and nothing had to be."""
        if not (self.fields or self.parity or found.read_as) and self.torus is None:
            return None
        periodic = None if self.torus is None else parse_torus(self.torus, found.D)
        words = {name: "odd" if p else "even" for name, p in self.parity.items()}
        return Reading(found.reader, self.fields, words, periodic)


def _open(path: Paths, said: _Said, split: str | None, ask: bool) -> Source:
    requests = parse_requests(said.fields)
    founds = [
        found for file, folder in _files(path) for found in _find(file, folder, split, requests, said.axes)
    ]
    if not founds:
        raise FileError(
            f"{_name(path)}: has no part '{split}'",
            hint=f"It has {', '.join(data_splits(path)) or 'no parts'}.",
        )
    sources = [
        assemble(found, requests, said.parity, said.torus, reading=said.to_be_kept(found), ask=ask)
        for found in founds
    ]
    return join(sources, [found.where for found in founds], split)


def _kind(path: Paths) -> str | None:
    """The reader of the first file; None if there is none."""
    try:
        with _recognised(_files(path)[0][0]) as (reader, _):
            return reader.name
    except GinjaxError:
        return None


def data_splits(path: Paths) -> tuple[str, ...]:
    """Which of "train", "valid" and "test" the data are parted into, by folders or inside of the files.

    **Arguments:**

    - `path`: as in `open_data`.

    **Returns:** the parts, in that order; empty if the data are one.
    """
    present: set[str] = set()
    for file, folder in _files(path):
        with _recognised(file) as (reader, opened):
            present.update(reader.splits(opened) or ([folder] if folder else []))
    return tuple(split for split in SPLITS if split in present)


def _find(
    file: str,
    folder: str | None,
    split: str | None,
    requests: tuple[FieldRequest, ...],
    axes: Mapping[str, AxisOrder],
) -> list[Found]:
    """The parts of a file that belong to a split."""
    with _recognised(file, axes) as (reader, opened):
        inside = reader.splits(opened)
        if split is not None and split not in (inside or (folder,)):
            return []
        wanted = ([split] if split else list(inside)) if inside else [folder]
        founds = [reader.find(opened, each, requests) for each in wanted]
        for found in founds:
            if axes and not found.read_as:
                raise ArgumentError(
                    "`axes`",
                    got=f"{file}, whose layout {found.layout} says itself which axis is which",
                    expected="none for such files",
                )
        return [replace(found, reader=reader.name) for found in founds]


@contextmanager
def _recognised(
    file: str, axes: Mapping[str, AxisOrder] | None = None
) -> Iterator[tuple[DataReader, DataFile]]:
    """A file and who reads it. It is closed in the end: there may be thousands, and each is opened when it is read."""
    opened = DataFile(file, axes)
    try:
        yield _reader(opened), opened
    finally:
        opened.close()


def _reader(file: DataFile) -> DataReader:
    for _, reader in READERS.usable():
        if reader.recognises(file):
            return reader
    names = "" if file.hdf5 is None else ", ".join(file.hdf5.names()[:16])
    raise FileError(
        f"{file.path}: has none of the known layouts",
        got=names or "nothing",
        expected=_layouts(),
        hint=None
        if not names
        else "Call the array 'tensor', or save it with numpy.savez, and name its axes with `axes`.",
    )


def _layouts() -> str:
    """The layouts that are known, for messages."""
    return ", ".join([_LAYOUTS, *list(READERS)[len(OWN) :]])


def _files(path: Paths) -> list[tuple[str, str | None]]:
    """The data files of a path in the order of their names, each with the split its subfolder is named after."""
    many = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not many:
        raise ArgumentError("path of the data", got="none", expected="a file or a folder")
    found: list[tuple[str, str | None]] = []
    for each in [os.fspath(one) for one in many]:
        if "\0" in each or not os.path.exists(each):
            raise FileError(f"{each!r}: there is no such file", hint="Check the path.")
        if not os.path.isdir(each):
            if not os.path.isfile(each):
                raise FileError(f"{each}: is not a regular file", hint="Copy it into a file first.")
            if not _is_data(each):
                if is_other_kind(each, "data", "text", "settings"):
                    raise wrong_file(each, f"data: {_layouts()}")
                raise FileError(f"{each}: is not a file of data", expected=_layouts(), hint="Is it complete?")
            found.append((each, None))
            continue
        inside = sorted(str(p) for p in Path(each).rglob("*") if p.is_file() and _is_data(str(p)))
        if not inside and is_other_kind(each, "data folder"):
            raise wrong_file(each, "a folder of data")
        if not inside or len(inside) > MAX_FILES:
            raise FileError(f"{each}: data files in it", got=len(inside), expected=f"1 to {MAX_FILES}")
        found += [(file, _split_of(Path(file).relative_to(each))) for file in inside]
    return found


def _split_of(inside: Path) -> str | None:
    return next((_FOLDERS[part] for part in reversed(inside.parts[:-1]) if part in _FOLDERS), None)


def _is_data(file: str) -> bool:
    """Whether a file is HDF5, of whatever layout, or recognised by a reader."""
    opened = DataFile(file)
    try:
        # That it can be read is asked first: HDF5 says of a file it may not read that it is none.
        return opened.start != b"" and (
            opened.hdf5 is not None or any(reader.recognises(opened) for _, reader in READERS.usable())
        )
    except PermissionError as error:
        raise FileError(f"{file}: cannot be read", hint="Check its permissions.") from error
    except OSError:
        return False


def _name(path: Paths) -> str:
    many = [path] if isinstance(path, str | os.PathLike) else path
    return ", ".join(str(each) for each in many)
