"""Processor time: the clock of every comparison, which a machine that is shared with others does not change much."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax

_Result = TypeVar("_Result")


def stay_on_one_core(core: int | None = None) -> int:
    """Bind this process to one core, before JAX starts its threads.

    **Arguments:**

    - `core`: its number; the first that the process may use if None.

    **Returns:** the number, or -1 where the system has no such thing.
    """
    if not hasattr(os, "sched_setaffinity"):
        return -1
    chosen = min(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {chosen})
    return chosen


def timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """The result, and the seconds of processor time of all threads until its arrays are there."""
    start = time.process_time()
    result = work()
    jax.block_until_ready(eqx.filter(result, eqx.is_array))
    return result, time.process_time() - start


def after_compiling(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """The same of a second run: programs are compiled once for a shape, whoever is trained or converted."""
    work()
    return timed(work)
