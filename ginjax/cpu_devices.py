"""How many devices JAX makes of the processor."""

from __future__ import annotations

import os
from pathlib import Path

from ginjax._control_groups import control_groups, lines_of
from ginjax.xla_flags import let_devices_wait

_ASKED = "xla_force_host_platform_device_count"


def one_device_per_core() -> bool:
    """Let JAX take every core of the processor for a device of its own, so that a training divides its batches among the cores.

    By default the whole processor is one device. Its cores then share each operation of a step, most of which are too short
    for that; `benchmarks/` has the figures. The command `ginjax train` calls this function. A script has to call it itself,
    before JAX first looks for devices. The cores are those that this process may use, see `usable_cores`; the environment
    variable `JAX_NUM_CPU_DEVICES` says another number. Computations that are not divided run on the first of the devices, with
    all cores as before. The function adds to `XLA_FLAGS`, see `ginjax.xla_flags.let_devices_wait`.

    **Returns:** whether JAX took the setting. It does not if there is one core only, if JAX has looked for devices already, or
    if `XLA_FLAGS` or JAX's own setting says how many devices to make of the processor.
    """
    import jax

    cores = usable_cores()
    asked = _ASKED in os.environ.get("XLA_FLAGS", "") or getattr(jax.config, "jax_num_cpu_devices", 0) > 0
    if cores == 1 or asked:
        return False
    try:
        jax.config.update("jax_num_cpu_devices", cores)
    except RuntimeError:
        return False
    let_devices_wait()
    return True


def usable_cores() -> int:
    """Number of processor cores that this process may use: those it is bound to, or fewer if its control group allows less.

    Limits of control groups are read in version 2 of their interface; those of version 1 are not seen.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([bound, *(quota for group in control_groups() for quota in _quota(group))]))


def _quota(group: Path) -> list[int]:
    """The whole cores that a control group may use at a time; nothing if it sets no limit."""
    for line in lines_of(group / "cpu.max"):
        time, _, period = line.strip().partition(" ")
        if time.isdecimal() and period.isdecimal() and int(period):
            return [int(time) // int(period)]
    return []
