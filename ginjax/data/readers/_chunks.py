"""Chunks of compressed HDF5 data sets, unpacked once and kept, because a chunk usually holds several frames."""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import h5py
import numpy as np
from h5py import h5z  # pyright: ignore[reportAttributeAccessIssue]

from ginjax.data._axis_order import TIME, TRAJECTORY, AxisOrder

MOST_KEPT = 2**30
"""Bytes of unpacked chunks that are kept, for all files together."""

BAD = 4
"""If unpacking takes this many times what is needed, a remark is made, if the chunks do not fit into `MOST_KEPT`."""


class ChunkCache:
    """Unpacked chunks; those not used for longest are dropped. Several threads may share it.

    **Arguments:**

    - `most`: bytes to keep.
    """

    def __init__(self, most: int = MOST_KEPT):
        self.most = most
        self.size = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], np.ndarray] = OrderedDict()

    def chunk(self, key: tuple[object, ...], read: Callable[[], np.ndarray]) -> np.ndarray:
        """A chunk, which is read if it is not in the cache."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        found = read()
        with self._lock:
            if key not in self._kept and found.nbytes <= self.most:
                self._kept[key] = found
                self.size += found.nbytes
                while self.size > self.most:
                    self.size -= self._kept.popitem(last=False)[1].nbytes
        return found


KEPT = ChunkCache()
"""The cache of this process."""


def read_by_chunks(
    dataset: h5py.Dataset, selection: tuple[Any, ...], key: tuple[object, ...], cache: ChunkCache = KEPT
) -> np.ndarray:
    """Read `dataset[selection]`; a compressed data set is read by chunks, and each is unpacked once while it is kept.

    **Arguments:**

    - `dataset`: the data set.
    - `selection`: indices, slices and at most one ellipsis, as in NumPy.
    - `key`: identifies the data set among all others.
    - `cache`: the cache for its chunks.
    """
    sides = _ranges(selection, dataset.shape) if _is_packed(dataset) else None
    if sides is None:
        return np.asarray(dataset[selection])
    chunks, shape = tuple(dataset.chunks or ()), dataset.shape
    whole = tuple(stop - start for start, stop, _ in sides)
    numbers = [range(start // c, -(-stop // c)) for (start, stop, _), c in zip(sides, chunks, strict=True)]
    touched = math.prod(map(len, numbers)) * math.prod(chunks) * dataset.dtype.itemsize
    if 0 in whole or touched > cache.most:
        for index in itertools.product(*numbers):
            _check_stored(dataset, tuple(i * c for i, c in zip(index, chunks, strict=True)))
        return np.asarray(dataset[selection])
    found = np.empty(whole, dataset.dtype)
    for index in itertools.product(*numbers):
        low = tuple(i * c for i, c in zip(index, chunks, strict=True))
        high = tuple(min(a + c, n) for a, c, n in zip(low, chunks, shape, strict=True))
        box = tuple(map(slice, low, high))
        chunk = cache.chunk((*key, index), lambda low=low, box=box: _unpack(dataset, low, box))
        common = [
            (max(a, start), min(b, stop)) for a, b, (start, stop, _) in zip(low, high, sides, strict=True)
        ]
        into = tuple(slice(a - start, b - start) for (a, b), (start, _, _) in zip(common, sides, strict=True))
        out_of = tuple(slice(a - first, b - first) for (a, b), first in zip(common, low, strict=True))
        found[into] = chunk[out_of]
    return found.reshape(tuple(n for n, (_, _, single) in zip(whole, sides, strict=True) if not single))


def _unpack(dataset: h5py.Dataset, low: tuple[int, ...], box: tuple[slice, ...]) -> np.ndarray:
    _check_stored(dataset, low)
    return np.asarray(dataset[box])


def _check_stored(dataset: h5py.Dataset, low: tuple[int, ...]) -> None:
    """Refuse a chunk that gives a wrong number of bytes, in the cases that HDF5 does not detect.

    HDF5 fills the rest with whatever is in memory. Data packed by gzip have a checksum of their own; data packed by LZF or stored
    without compression have none.

    **Raises:** `ValueError` for such a chunk.
    """
    stored = dataset.id.get_chunk_info_by_coord(low)
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    applied = [each for i, each in enumerate(filters) if not stored.filter_mask >> i & 1]
    packed = [each for each in applied if each not in (h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)]
    if not stored.size or packed not in ([], [h5z.FILTER_LZF]):
        return
    size = stored.size - _CHECKSUM * applied.count(h5z.FILTER_FLETCHER32)
    if packed:
        size = lzf_length(dataset.id.read_direct_chunk(low)[1][:size])
    wanted = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if size != wanted:
        raise ValueError(f"the chunk at {low} makes {size} bytes, expected {wanted}")


_CHECKSUM = 4


def lzf_length(content: bytes) -> int:
    """Number of bytes that an LZF stream gives, from the lengths of its literals and references."""
    at = made = 0
    end = len(content)
    while at < end:
        first = content[at]
        if first < 32:  # this many literals plus one follow
            at += first + 2
            made += first + 1
        elif first < 224:
            at += 2
            made += (first >> 5) + 2
        else:  # a long reference, the rest of whose length follows
            made += 9 + (content[at + 1] if at + 1 < end else 0)
            at += 3
    return made


def chunk_remark(dataset: h5py.Dataset, order: AxisOrder) -> str | None:
    """A remark on a data set whose chunks make a frame cost many times its size; None for any other.

    **Arguments:**

    - `dataset`: the data set.
    - `order`: the order of its axes.
    """
    size = math.prod(dataset.shape) * dataset.dtype.itemsize
    if not _is_packed(dataset) or size <= MOST_KEPT or len(order.names) != dataset.ndim:
        return None
    excess, chunks = 1.0, tuple(dataset.chunks or ())
    for name, side, chunk in zip(order.names, dataset.shape, chunks, strict=True):
        excess *= chunk if name in (TRAJECTORY, TIME) else -(-side // chunk) * chunk / side
    if excess < BAD:
        return None
    return (
        f"'{str(dataset.name).strip('/')}' is compressed in chunks of {'x'.join(map(str, chunks))}: to read a frame, "
        f"{excess:.0f} times as much is unpacked, and the whole does not fit into the {MOST_KEPT / 2**30:g} GiB that are kept. "
        "'ginjax data convert' writes it so that a frame costs no more than itself"
    )


def _is_packed(dataset: h5py.Dataset) -> bool:
    return dataset.chunks is not None and dataset.id.get_create_plist().get_nfilters() > 0


def _ranges(selection: tuple[Any, ...], shape: Sequence[int]) -> list[tuple[int, int, bool]] | None:
    """Start and stop along every axis, and whether it is an index; None for anything but indices and slices of step 1."""
    if any(part is Ellipsis for part in selection):
        at = next(i for i, part in enumerate(selection) if part is Ellipsis)
        rest = len(shape) - len(selection) + 1
        selection = (*selection[:at], *(slice(None),) * rest, *selection[at + 1 :])
    selection = (*selection, *(slice(None),) * (len(shape) - len(selection)))
    if len(selection) != len(shape):
        return None
    found = []
    for part, side in zip(selection, shape, strict=True):
        if isinstance(part, slice):
            start, stop, step = part.indices(side)
            if step != 1:
                return None
            found.append((start, max(start, stop), False))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool) and 0 <= part < side:
            found.append((int(part), int(part) + 1, True))
        else:
            return None
    return found
