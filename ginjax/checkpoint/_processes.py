"""The identity of processes that write files, and whether they still run."""

import contextlib
import hashlib
import os
import platform
from functools import cache

_LONGEST_HOST = 64


@cache
def host_name() -> str:
    """The name of this machine, for people."""
    return platform.node()[:_LONGEST_HOST] or "unknown"


@cache
def host_tag() -> str:
    """Eight characters that are the same for all processes that can see each other's process numbers.

    Two containers may have the same host name and count their processes independently.
    """
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()}|{space}".encode()).hexdigest()[:8]


def is_running(number: int) -> bool:
    """Whether a process of this machine runs; true if that cannot be determined."""
    if os.name == "nt":  # there, to ask is to interrupt it
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
