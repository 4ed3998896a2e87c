"""HDF5 files of unknown origin: no link out of the file is followed, and nothing large is read without a request."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from ginjax.data._axis_order import AxisOrder
from ginjax.data.readers._chunks import chunk_remark, read_by_chunks
from ginjax.data.readers._filters import check_filters
from ginjax.data.readers._first_look import first_look
from ginjax.data.readers._packing import PACKING, unpacking
from ginjax.data.readers._scales import names_of_scales, scales_are_sound
from ginjax.errors import FileError, GinjaxError

MAX_CHUNK_BYTES = 2**30
MAX_EXPANSION = 1032
"""The largest expansion factor of deflate, the densest of the usual filters."""

MAX_UNWRITTEN = 2**24
"""Bytes of a dataset that may be read beyond what its stored bytes can unpack to; these are its fill value."""

MAX_NAMES = 2**17
MAX_ATTRIBUTE_VALUES = 2**14
MAX_COORDINATES = 2**20
OPEN_DATASETS = 32
"""Number of datasets kept open; each has a cache of some megabytes."""

_NUMBERS = "fiub"
_CORRUPT = "The file is corrupt, still being written, or not of this layout."


class Hdf5:
    """Read access to an HDF5 file, which is opened when it is first needed.

    Names are paths from the root. Every failure of the file is a `FileError`.

    **Arguments:**

    - `path`: the file.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = os.fspath(path)
        self._lock = (
            threading.RLock()
        )  # a thread that reads ahead may share the file with the one that trains
        self._file: h5py.File | None = None
        self._sets: OrderedDict[str, h5py.Dataset] = OrderedDict()
        self._packed: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
        self._most: dict[str, float] = {}
        self._known: tuple[object, ...] | None = None

    def close(self) -> None:
        """Close the file; the next access opens it again."""
        with self._lock:
            file, self._file = self._file, None
            self._sets.clear()
            if file is not None:
                with contextlib.suppress(OSError, RuntimeError):
                    file.close()

    def names(self, group: str = "/") -> tuple[str, ...]:
        """The names in a group, sorted; empty if there is no such group."""
        with self._guard(group):
            node = self._find(group)
            if not isinstance(node, h5py.Group):
                return ()
            if len(node) > MAX_NAMES:
                raise FileError(
                    f"{self.path}: group '{group}'", got=f"{len(node)} names", expected=f"<= {MAX_NAMES}"
                )
            return tuple(sorted(name for name in node if isinstance(name, str)))  # others are not UTF-8

    def is_group(self, name: str) -> bool:
        """Whether there is a group with this name."""
        with self._guard(name):
            return isinstance(self._find(name), h5py.Group)

    def is_array(self, name: str) -> bool:
        """Whether there is a numeric dataset with this name; datasets of other types, such as texts, do not count."""
        with self._guard(name):
            node = self._find(name)
            return isinstance(node, h5py.Dataset) and node.dtype.kind in _NUMBERS and node.shape is not None

    def other_values(self, name: str) -> tuple[tuple[int, ...], str] | None:
        """Shape and type of a dataset of anything but real numbers, such as texts or complex numbers; otherwise None."""
        with self._guard(name):
            node = self._find(name)
            if not isinstance(node, h5py.Dataset) or node.shape is None or node.dtype.kind in _NUMBERS:
                return None
            return tuple(int(n) for n in node.shape), str(node.dtype)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a numeric dataset."""
        with self._guard(name):
            return tuple(int(n) for n in self._dataset(name).shape)

    def identity(self, name: str) -> object:
        """A value that is equal for two names of the same group or dataset."""
        with self._guard(name):
            node = self._find(name)
            return None if node is None else h5py.h5o.get_info(node.id).addr  # pyright: ignore[reportAttributeAccessIssue]

    def points(self, name: str) -> int:
        """Number of points in a dataset of coordinates: the length of its last axis."""
        shape = self.shape(name)
        if not shape:
            raise FileError(
                f"{self.path}: dataset '{name}'", got="one number", expected="the points of an axis"
            )
        return shape[-1]

    def axis_labels(self, name: str) -> tuple[str, ...]:
        """The name of each axis of a dataset, from its label or its dimension scale; empty if it has neither."""
        with self._guard(name):
            dataset = self._dataset(name)
            labels = self.attribute(name, "DIMENSION_LABELS", [])
            scales = names_of_scales(dataset)
            if not isinstance(labels, list) or len(labels) != dataset.ndim:
                labels = [""] * dataset.ndim
            return tuple(
                label if isinstance(label, str) and label else scale
                for label, scale in zip(labels, scales, strict=True)
            )

    def check_scales(self, name: str) -> None:
        """Check that the scales of a dataset can be read safely: HDF5's own functions trust their number.

        **Raises:** `FileError` if the number of scales is not that of the axes, or if they have another type.
        """
        with self._guard(name):
            dataset = self._find(name)
            if isinstance(dataset, h5py.Dataset) and not scales_are_sound(dataset):
                raise FileError(
                    f"{self.path}: scales of dataset '{name}'",
                    got=f"attribute DIMENSION_LIST of shape {dataset.attrs.get_id('DIMENSION_LIST').shape}",
                    expected=f"references of shape {(dataset.ndim,)}",
                    hint=_CORRUPT,
                )

    def read(self, name: str, selection: tuple[Any, ...] = ()) -> np.ndarray:
        """Read a part of a numeric dataset; only the selection is read.

        Packing attributes are applied: `scale_factor` and `add_offset`; `_FillValue` and `missing_value`
        become NaN.
        """
        with self._guard(name):
            dataset = self._dataset(name)
            self._check_selected(name, dataset, selection)
            check_filters(f"{self.path}: dataset '{name}'", dataset)
            values = read_by_chunks(dataset, selection, (*self._identity(), name))
            return self._packing(name, dataset)(values)

    def chunk_remark(self, name: str, order: AxisOrder) -> str | None:
        """A remark on chunks that make reading slow, see `chunk_remark`; None if there is none."""
        with self._guard(name):
            return chunk_remark(self._dataset(name), order)

    def read_short(self, name: str, most: int = MAX_COORDINATES) -> np.ndarray:
        """Read a whole short dataset with at least one axis, such as coordinates, in float64."""
        shape = self.shape(name)
        if not shape or math.prod(shape) > most:
            raise FileError(
                f"{self.path}: dataset '{name}'",
                got=f"shape {shape}",
                expected=f"an axis at least, and <= {most} values",
            )
        return self.read(name).astype(np.float64)

    def read_number(self, name: str, most: int = 1) -> np.ndarray:
        """Read a dataset that holds one number, or one for each trajectory, in float64, `(numbers,)`."""
        size = math.prod(self.shape(name))
        if size > max(most, 1):
            raise FileError(
                f"{self.path}: dataset '{name}'", got=f"{size} numbers", expected=f"at most {most}"
            )
        return self.read(name).astype(np.float64).reshape(-1)

    def attribute(self, name: str, attribute: str, default: Any = None) -> Any:
        """Read an attribute as plain numbers, strings, bools or lists of them; `default` if it is missing."""
        with self._guard(name):
            node = self._find(name)
            if node is None or attribute not in node.attrs:
                return default
            identity = node.attrs.get_id(attribute)
            if math.prod(identity.shape or ()) > MAX_ATTRIBUTE_VALUES:
                raise FileError(
                    f"{self.path}: attribute '{attribute}' of '{name}'", got=f"shape {identity.shape}",
                    expected=f"at most {MAX_ATTRIBUTE_VALUES} values",
                )  # fmt: skip
            return _plain(node.attrs[attribute])

    def provenance(self) -> dict[str, Any]:
        """Provenance of the file to store with a model: its name, and the short attributes of its root."""
        with self._guard("/"):
            attributes = self._open().attrs
            names = sorted(attributes) if len(attributes) <= MAX_ATTRIBUTE_VALUES else []
        found = {}
        for name in names[:64]:
            with contextlib.suppress(FileError):
                value = self.attribute("/", name)
                if isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value)):
                    found[name] = value[:256] if isinstance(value, str) else value
        return {"file": os.path.basename(self.path), "attributes": found}

    def _open(self) -> h5py.File:
        if self._file is None:
            first_look(self.path)
            self._file = h5py.File(self.path, "r", locking="best-effort")
            self._known = None
        return self._file

    def _identity(self) -> tuple[object, ...]:
        """A value that identifies the content of this file, and differs for a file that replaces it."""
        if self._known is None:
            found = os.stat(self.path)
            self._known = (os.path.abspath(self.path), found.st_ino, found.st_size, found.st_mtime_ns)
        return self._known

    def _find(self, name: str) -> h5py.Group | h5py.Dataset | None:
        """Follow hard links only: other links could lead to another file, or in a circle."""
        node: Any = self._open()
        for part in filter(None, name.split("/")):
            if not isinstance(node, h5py.Group):
                return None
            link = node.get(part, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise FileError(
                    f"{self.path}: '{name}' is a link", expected="data in the file itself",
                    hint="Links are not followed: copy the data into one file, say with h5repack.",
                )  # fmt: skip
            node = node[part]
        return node

    def _packing(self, name: str, dataset: h5py.Dataset) -> Callable[[np.ndarray], np.ndarray]:
        """The function from stored numbers to values."""
        if name not in self._packed:
            said = {each: np.asarray(dataset.attrs[each]) for each in PACKING if each in dataset.attrs}
            self._packed[name] = unpacking(f"{self.path}: dataset '{name}'", said, dataset.dtype)
        return self._packed[name]

    def _dataset(self, name: str) -> h5py.Dataset:
        if name in self._sets:
            self._sets.move_to_end(name)
            return self._sets[name]
        node = self._find(name)
        where = f"{self.path}: dataset '{name}'"
        if not isinstance(node, h5py.Dataset):
            raise FileError(f"{where} is missing", hint=_CORRUPT)
        if node.dtype.kind not in _NUMBERS or node.shape is None:
            raise FileError(where, got=f"type {node.dtype}", expected="real numbers")
        if node.is_virtual or node.external:
            raise FileError(f"{where} keeps its values in other files", expected="data in the file itself")
        if name not in self._most:
            self._most[name] = self._most_bytes(where, node)
        self._sets[name] = node
        if len(self._sets) > OPEN_DATASETS:
            self._sets.popitem(last=False)
        return node

    def _most_bytes(self, where: str, node: h5py.Dataset) -> float:
        """Most bytes of a dataset that may be read at once: no more than the file can hold, whatever it declares.

        **Raises:** `FileError` for chunks larger than that, and for contiguous values that are missing.
        """
        declared, chunk = (
            math.prod(sides) * node.dtype.itemsize for sides in (node.shape, node.chunks or ())
        )
        if max(declared, chunk) <= MAX_UNWRITTEN:
            return math.inf
        stored = min(node.id.get_storage_size(), os.path.getsize(self.path))
        most = MAX_UNWRITTEN + stored * (1 if node.chunks is None else MAX_EXPANSION)
        if node.chunks is None and declared > most:
            raise _not_filled(where, node.shape, declared, stored)
        if chunk > min(most, MAX_CHUNK_BYTES):
            raise FileError(
                where, got=f"chunks of {node.chunks}", expected=f"<= {min(most, MAX_CHUNK_BYTES)} bytes"
            )
        return most

    def _check_selected(self, name: str, dataset: h5py.Dataset, selection: tuple[Any, ...]) -> None:
        """Refuse to read much more than is stored."""
        most = self._most[name]
        if most < math.inf:
            selected = math.prod(_selected(dataset.shape, selection)) * dataset.dtype.itemsize
            if selected > most:
                stored = min(dataset.id.get_storage_size(), os.path.getsize(self.path))
                raise _not_filled(f"{self.path}: dataset '{name}'", dataset.shape, selected, stored)

    @contextlib.contextmanager
    def _guard(self, name: str) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except GinjaxError:
            raise
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, OverflowError) as error:
            raise FileError(
                f"{self.path}: '{name}' cannot be read: {_first_line(error)}", hint=_CORRUPT
            ) from error


def _selected(shape: Sequence[int], selection: tuple[Any, ...]) -> list[int]:
    """Number of selected entries along each axis."""
    given = list(selection)
    if Ellipsis in given:
        at = given.index(Ellipsis)
        given[at : at + 1] = [slice(None)] * (len(shape) - len(given) + 1)
    given += [slice(None)] * (len(shape) - len(given))
    return [
        len(range(n)[each]) if isinstance(each, slice) else 1 for n, each in zip(shape, given, strict=False)
    ]


def _not_filled(where: str, shape: tuple[int, ...], wanted: int, stored: int) -> FileError:
    return FileError(
        f"{where}: shape {shape}",
        got=f"{stored} bytes stored for {wanted}",
        expected="values for all of it",
        hint="It was not filled, or not to the end: write it again.",
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, h5py.Empty):
        return []
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a value of type {type(value).__name__}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
