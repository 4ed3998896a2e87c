"""Train in several processes, one per host or one per device."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import threading
from collections.abc import Iterator

import jax
from jax.experimental.multihost_utils import sync_global_devices

from ginjax.errors import ArgumentError, GinjaxError
from ginjax.ml.training._devices import Placement, over_devices

WAIT = 120
"""Seconds within which all processes have to arrive."""

SILENCE = 60
"""Seconds without a sign of life after which a process counts as lost, and all others end."""


def connect(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Connect to the other processes of a training; call this before anything else asks JAX for devices.

    Without arguments, the numbers come from the cluster (SLURM, Open MPI, cloud TPUs). If a process does not arrive within
    `WAIT` seconds, all others stop waiting. If a process is lost later, all others end within `SILENCE` seconds.

    **Arguments:**

    - `coordinator`: `host:port` of process 0. If the host is `localhost` or an address, process 0 listens only there. If it is
      a name, process 0 listens on all addresses of its host, because a name may have several.
    - `processes`: number of processes.
    - `process`: number of this process, from 0.

    **Raises:** `ArgumentError` if only some of them are given, or `process` is out of range; `GinjaxError` if the other
    processes cannot be reached.
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
        _meet(coordinator, processes, process)
        with _standard_output_aside():
            sync_global_devices("training")
    except (RuntimeError, ValueError) as error:
        raise GinjaxError(
            "the processes of the training did not find each other",
            got=str(error).splitlines()[0],
            hint="Give each process the coordinator (host:port), the number of processes, and its own number from 0.",
        ) from error


def _meet(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Start JAX's service in a thread, because JAX aborts the waiting process after too long.

    **Raises:** `GinjaxError` if not all processes arrive in time, and what JAX raises.
    """
    failures: list[BaseException] = []

    def meet() -> None:
        try:
            jax.distributed.initialize(
                coordinator,
                processes,
                process,
                initialization_timeout=2 * WAIT,
                heartbeat_timeout_seconds=SILENCE,
                shutdown_timeout_seconds=SILENCE,
                coordinator_bind_address=_listening(coordinator),
            )
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=meet, daemon=True)
    thread.start()
    thread.join(WAIT)
    if thread.is_alive():
        raise GinjaxError(
            f"not all processes of the training arrived within {WAIT} s",
            expected="all of them" if processes is None else f"{processes} of them, numbered from 0",
            hint="Start the same command for each of them, and look at those that have ended already.",
        )
    if failures:
        raise failures[0]


def _listening(coordinator: str | None) -> str | None:
    """The address on which process 0 listens; None for all addresses of its host."""
    host, _, port = (coordinator or "").rpartition(":")
    if host == "localhost":
        return f"127.0.0.1:{port}"
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return coordinator


@contextlib.contextmanager
def _standard_output_aside() -> Iterator[None]:
    """Redirect what native libraries write to standard output to standard error; Gloo reports its connections there."""
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def everywhere() -> Placement:
    """Place a training on all devices of all processes."""
    return over_devices(sorted(jax.devices(), key=lambda device: (device.process_index, device.id)))
