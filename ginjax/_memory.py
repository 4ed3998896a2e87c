"""The memory that this computer has left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ginjax._control_groups import control_groups, lines_of

_MEMINFO = Path("/proc/meminfo")
_MAPPINGS = Path("/proc/self/smaps")


def free_memory() -> int | None:
    """Bytes that this process can still get: what the system has left, or less if its control group allows less.

    Memory that the process has freed and kept counts as well, see `keep_freed_memory`. None if the system does not tell, as
    outside Linux.
    """
    known = [each for each in (_left_in_system(), *_left_in_groups()) if each is not None]
    return min(known) + _kept_by_heap() if known else None


def _kept_by_heap() -> int:
    """Bytes that the heap holds beyond those in use."""
    held = 1024 * sum(_resident_in_heap())
    return max(0, held - _in_use()) if held else 0


def _resident_in_heap() -> Iterator[int]:
    """Resident kilobytes of each mapping of the heap; these mappings are adjacent.

    Reading stops after them, because a process with many compiled programs has tens of thousands of mappings after its heap.
    """
    inside = False
    for line in lines_of(_MAPPINGS):
        first, *rest = line.split()
        if not first.endswith(":"):
            if inside and rest[-1] != "[heap]":
                return
            inside = rest[-1] == "[heap]"
        elif inside and first == "Rss:":
            yield int(rest[0])


def _in_use() -> int:
    """Bytes that the C library has given out; the largest number there is if it does not tell."""
    import ctypes

    class Account(ctypes.Structure):
        _fields_ = [(f"field_{index}", ctypes.c_size_t) for index in range(10)]

    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return sys.maxsize
    ask.restype = Account
    return ask().field_7  # `uordblks` of malloc.h


def _left_in_system() -> int | None:
    for line in lines_of(_MEMINFO):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(rest.split()[0])
    return None


def _left_in_groups() -> list[int]:
    """Bytes left in the control group of this process and in those around it."""
    found = []
    for folder in control_groups():
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and used is not None:
            # Memory that the group uses for cached files is returned on request.
            found.append(max(0, limit - used + _kept_of_files(folder)))
    return found


def _kept_of_files(folder: Path) -> int:
    for line in lines_of(folder / "memory.stat"):
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0


def _number(path: Path) -> int | None:
    """The number in a file; None if the file does not exist or says `max`."""
    text = "".join(lines_of(path)).strip()
    return int(text) if text.isdecimal() else None
