"""The control groups of Linux that a process belongs to, and the limits that they set (version 2 of the interface)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")


def control_groups() -> Iterator[Path]:
    """The folders of the group of this process and of those around it, the innermost first; none outside Linux."""
    for line in lines_of(_GROUPS):
        number, _, path = line.rstrip("\n").partition("::")
        if number != "0":
            continue
        group = _ROOT / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(_ROOT):
                break
            yield folder


def lines_of(path: Path) -> Iterator[str]:
    """Lines of a file, read one by one; none if the file cannot be read."""
    with contextlib.suppress(OSError), path.open(encoding="ascii", errors="replace") as file:
        yield from file
