"""The machine of a measurement, in one line."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine(core: int) -> str:
    """Processor, cores, system and versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "equinox", "optax"))
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    one = "one core" if core >= 0 else "all cores"
    return f"{today}, {one} of {os.cpu_count()} of {_processor()}, Python {platform.python_version()}, {packages}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "an unknown processor"
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, "an unknown processor")
