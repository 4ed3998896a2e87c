"""How a process manages the memory of programs that run on CPUs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

_STRICT = Path("/proc/sys/vm/overcommit_memory")
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # names of malloc.h
_HUGE_PAGES = 14  # of mman.h
_PAGE = 4096


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for later use, and hold it in large pages if possible.

    A program compiled for CPUs requests all its temporary memory at once and frees it at its end. By default, the C library
    returns this memory to the system. In the next step, the system then fills every page with zeros and maps it again, on one
    core; this takes up to a third of a training step, as `benchmarks/` shows. After this call, the process keeps the largest
    amount of memory that it ever needed until it ends. The results of programs are the same.

    The command line calls this function where it computes on fields. A script has to call it itself, before JAX first looks for
    devices.

    **Returns:** whether the C library accepted the settings. glibc does; other libraries do not have them, and nothing is
    changed.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    # One heap, nothing outside it, and no memory returned. Further heaps could not hold large blocks.
    settings = (_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)
    taken = all(libc.mallopt(name, value) for name, value in settings)
    if taken and (size := _room()):
        _grow_in_large_pages(libc, size)
    return taken


def _room() -> int:
    """Bytes of address space for the heap: at most half of the memory, and a quarter of each limit on address space."""
    import resource

    try:
        strict = _STRICT.read_text("ascii").strip() == "2"
    except OSError:
        strict = False
    if strict:  # then address space counts as memory
        return 0
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        allowed, _ = resource.getrlimit(limit)
        if allowed != resource.RLIM_INFINITY:
            size = min(size, allowed // 4)
    return size


def _grow_in_large_pages(libc: ctypes.CDLL, size: int) -> None:
    """Let the heap grow to at least this size in large pages; it takes memory only when it is used."""
    import ctypes

    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes, libc.free.restype = [ctypes.c_void_p], None
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    start = libc.malloc(size)
    if start is None:
        return
    first = -(-start // _PAGE) * _PAGE
    libc.madvise(first, (start + size - first) // _PAGE * _PAGE, _HUGE_PAGES)
    libc.free(start)
