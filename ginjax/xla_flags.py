"""Settings of the XLA compiler that apply to a whole process."""

import mmap
import os
from importlib.util import find_spec
from pathlib import Path

_NO_UNROLLING = "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling"

_WAITING = "xla_cpu_collective_call_terminate_timeout_seconds"
_PATIENCE = 600


def set_xla_flags() -> None:
    """Tell XLA not to unroll loops on CPUs, for everything that this process compiles.

    The programs of this library then compile about a seventh faster and run equally fast; `benchmarks/` has the figures. The
    command line calls this function. A script has to call it itself, before JAX first looks for devices, because XLA reads its
    flags only once. The function adds to the environment variable `XLA_FLAGS`, and does not change it if it already sets
    `xla_backend_extra_options`.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_NO_UNROLLING}".strip()


def let_devices_wait() -> None:
    """Let devices of the processor wait about ten minutes for one another, instead of one minute.

    XLA ends the process if one device is that much later than another, for example because other programs use its core. Like
    `set_xla_flags`, this adds to the environment variable `XLA_FLAGS`, which processes started later inherit, and must come
    before JAX first looks for devices. If the flag is set already, or this release of XLA does not have it, nothing changes.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if _WAITING not in flags and is_xla_flag(_WAITING):
        os.environ["XLA_FLAGS"] = f"{flags} --{_WAITING}={_PATIENCE}".strip()


def is_xla_flag(name: str) -> bool:
    """Whether this release of XLA has a flag of that name; a process whose `XLA_FLAGS` has another one dies.

    The name must stand by itself in the library. One that is only a field of XLA's records is no flag any more.
    """
    spec = find_spec("jaxlib")
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent
    for library in () if folder is None else folder.glob("*jax_common.*"):
        with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(b"\0" + name.encode() + b"\0") >= 0
    return False
