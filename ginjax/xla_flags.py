"""Settings of the XLA compiler that can only be made for a whole process."""

import os

_NO_UNROLLING = "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling"


def set_xla_flags() -> None:
    """Ask XLA not to unroll loops on processors, for everything that this process compiles.

    The programs of this library then compile about a seventh faster and run as fast; `benchmarks/` has the figures. The
    command line does this, a script has to ask: call it before JAX first looks for devices, since XLA reads its flags only
    once. It adds to the environment variable `XLA_FLAGS`, and leaves it alone if it sets `xla_backend_extra_options`
    already.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_NO_UNROLLING}".strip()
