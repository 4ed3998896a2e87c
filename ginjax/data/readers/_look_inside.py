"""Reads the metadata of HDF5 files in a separate process, which may crash or stall without harm to another.

It runs as a script and imports nothing of this project, so that it starts fast. It gets paths on standard input, each
ended by a zero byte. On standard output it writes `READY` once; then, for each path, `TAKEN`, a `BEAT` for everything that it
examined, and `DONE`, or `TOO_LARGE` if memory was not sufficient. It ends when it gets no input for a while.
"""

import contextlib
import math
import os
import select
from typing import Any

import h5py

_LOW: Any = h5py
"""h5py without type checks, for its wrappers of C functions."""

READY, TAKEN, BEAT, DONE, TOO_LARGE = b"!", b"+", b".", b"\n", b"M"
MOST_MEMORY = 4 * 2**30
MOST_VALUES = 2**14
"""Most values of an attribute that any reader reads."""

MOST_NAMES = 2**17
LARGEST_CHUNK = 2**24
PATIENCE = 3.0
"""Seconds to wait for input."""


def _main() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    os.write(1, READY)
    asked = b""
    while select.select([0], [], [], PATIENCE)[0]:
        block = os.read(0, 2**16)
        if not block:
            return
        asked += block
        *paths, asked = asked.split(b"\0")
        for path in paths:
            os.write(1, TAKEN)
            answer = DONE
            try:
                _look(os.fsdecode(path))
            except MemoryError:
                answer = TOO_LARGE
            except Exception:  # the reader of the file meets the same error, and reports it
                pass
            os.write(1, answer)


def _look(path: str) -> None:
    """Read everything that readers may read: names, links, shapes, types, storage and attributes."""
    with h5py.File(path, "r", locking="best-effort") as file:
        waiting, seen = [file["/"].id], set()
        while waiting:
            node = waiting.pop()
            os.write(1, BEAT)
            with _each():
                place = _LOW.h5o.get_info(node).addr
                if place in seen:
                    continue
                seen.add(place)
            with _each():
                if _LOW.h5a.get_num_attrs(node):
                    _look_at_attributes(
                        h5py.Dataset(node) if isinstance(node, h5py.h5d.DatasetID) else h5py.Group(node)
                    )
            with _each():
                if isinstance(node, h5py.h5d.DatasetID):
                    _look_at_dataset(node)
                elif isinstance(node, h5py.h5g.GroupID) and len(node) <= MOST_NAMES:
                    for name in list(node):
                        with _each():
                            if node.links.get_info(name).type == _LOW.h5l.TYPE_HARD:
                                waiting.append(_LOW.h5o.open(node, name))


def _each() -> contextlib.AbstractContextManager[None]:
    """Suppress the errors of an object that cannot be read, except a lack of memory."""
    return contextlib.suppress(
        OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError
    )


def _look_at_attributes(node: Any) -> None:
    for name in node.attrs:
        os.write(1, BEAT)
        with _each():
            if math.prod(node.attrs.get_id(name).shape or ()) <= MOST_VALUES:
                value = node.attrs[name]
                if name == "DIMENSION_LIST":
                    for each in value:
                        if len(each):
                            node.file[each[0]].name  # noqa: B018


def _look_at_dataset(node: Any) -> None:
    shape, item = node.shape, node.dtype.itemsize
    layout = node.get_create_plist().get_layout()
    chunk = math.prod(node.get_create_plist().get_chunk()) * item if layout == h5py.h5d.CHUNKED else 0
    if layout == h5py.h5d.VIRTUAL or chunk > LARGEST_CHUNK or not (shape and math.prod(shape) and item):
        return
    if chunk or math.prod(shape) * item > LARGEST_CHUNK:
        node.get_storage_size()
    if chunk:
        # The index of the chunks is metadata, too: read it from both ends.
        data = h5py.Dataset(node)
        for corner in (0, -1):
            with _each():
                data[(corner,) * len(shape)]


if __name__ == "__main__":
    _main()
