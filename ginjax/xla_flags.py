"""Settings of the XLA compiler that apply to a whole process."""

import os

_NO_UNROLLING = "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling"


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
