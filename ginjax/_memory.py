"""How much memory this computer has left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_GROUPS = Path("/proc/self/cgroup")
_GROUP_ROOT = Path("/sys/fs/cgroup")
_MAPPINGS = Path("/proc/self/smaps")


def free_memory() -> int | None:
    """Bytes that this process can still be given: what the system has left, or less where its control group allows less.

    What it has freed itself and kept for later counts as well, see `keep_freed_memory`. None where the system does not say, as outside of Linux.
    """
    known = [each for each in (_left_in_system(), *_left_in_groups()) if each is not None]
    return min(known) + _kept_by_heap() if known else None


def _kept_by_heap() -> int:
    """Bytes of memory that the heap holds beyond what is in use."""
    held = 1024 * sum(_resident_in_heap())
    return max(0, held - _in_use()) if held else 0


def _resident_in_heap() -> Iterator[int]:
    """Kilobytes of each mapping of the heap, which lie next to each other.

    No more is read than that: a process with many compiled programs has tens of thousands of mappings behind its heap.
    """
    inside = False
    for line in _lines(_MAPPINGS):
        first, *rest = line.split()
        if not first.endswith(":"):
            if inside and rest[-1] != "[heap]":
                return
            inside = rest[-1] == "[heap]"
        elif inside and first == "Rss:":
            yield int(rest[0])


def _in_use() -> int:
    """Bytes that the C library has given out; the largest number there is where it does not say."""
    import ctypes

    class Account(ctypes.Structure):
        _fields_ = [(f"field_{index}", ctypes.c_size_t) for index in range(10)]

    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return sys.maxsize
    ask.restype = Account
    return ask().field_7  # `uordblks` of malloc.h


def _left_in_system() -> int | None:
    for line in _lines(_MEMINFO):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(rest.split()[0])
    return None


def _left_in_groups() -> list[int]:
    """What the control group of this process and those around it leave (version 2 of the interface)."""
    found = []
    for line in _lines(_GROUPS):
        number, _, path = line.partition("::")
        if number != "0":
            continue
        group = _GROUP_ROOT / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(_GROUP_ROOT):
                break
            limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
            if limit is not None and used is not None:
                # What the group keeps of files it gives back when it is asked for memory.
                found.append(max(0, limit - used + _kept_of_files(folder)))
    return found


def _kept_of_files(folder: Path) -> int:
    for line in _lines(folder / "memory.stat"):
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0


def _number(path: Path) -> int | None:
    """The number in a file; None for a file that is not there or says `max`."""
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> Iterator[str]:
    """Lines of a file, each read when it is asked for; none of a file that cannot be read."""
    with contextlib.suppress(OSError), path.open(encoding="ascii", errors="replace") as file:
        yield from file
