"""Training in several processes, one a host or one a device."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import jax
from jax.experimental.multihost_utils import sync_global_devices

from ginjax.errors import ArgumentError, GinjaxError
from ginjax.ml.training._devices import Placement, over_devices


def connect(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Meet the other processes of a training; to be called before anything else asks JAX for devices.

    Without arguments the cluster says who is who (SLURM, Open MPI, cloud TPUs).

    **Arguments:**

    - `coordinator`: `host:port` of process 0.
    - `processes`: their number.
    - `process`: the number of this one, from 0.

    **Raises:** `ArgumentError` if only some are given, or `process` is out of range; `GinjaxError` if the others
    cannot be found.
    """
    given = (coordinator, processes, process)
    if any(each is not None for each in given) and None in given:
        raise ArgumentError(
            "coordinator, processes, process",
            got=f"{coordinator}, {processes}, {process}",
            expected="all three, or none of them on a cluster that JAX knows",
        )
    if processes is not None and process is not None and not 0 <= process < processes:
        raise ArgumentError("process", got=process, expected=f"0 to {processes - 1}")
    try:
        jax.distributed.initialize(coordinator, processes, process)
        with _standard_output_aside():
            sync_global_devices("training")
    except (RuntimeError, ValueError) as error:
        raise GinjaxError(
            "the processes of the training did not find each other",
            got=str(error).splitlines()[0],
            hint="Give each process the coordinator (host:port), the number of processes, and its own number from 0.",
        ) from error


@contextlib.contextmanager
def _standard_output_aside() -> Iterator[None]:
    """What libraries below Python write to standard output goes to standard error: Gloo greets its peers there."""
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def everywhere() -> Placement:
    """Training divided over all devices of all processes."""
    return over_devices(sorted(jax.devices(), key=lambda device: (device.process_index, device.id)))
