"""A model of the time that a program takes on a GPU."""

from collections.abc import Iterable

from ._kernels import Kernel
from ._target import Device

LAUNCH = 4e-6
"""Seconds from one short kernel to the next. A guess; `--launch` sets another."""


def kernel_seconds(kernel: Kernel, device: Device) -> float:
    """`max(bytes / bandwidth, operations / peak of their kind)`: one launch at the limits of the device.

    Everything is read from memory and written to it: what a cache of 50 MiB still holds of the kernel before is
    not taken off.
    """
    busy = (count / device.peaks[kind] for kind, count in kernel.operations.items())
    return max(kernel.moved / device.bandwidth, *busy, 0.0)


def limit_seconds(kernels: Iterable[Kernel], device: Device) -> float:
    """The sum over all launches: what the program would take with perfect kernels and free launches."""
    return sum(kernel.times * kernel_seconds(kernel, device) for kernel in kernels)


def model_seconds(kernels: Iterable[Kernel], device: Device, launch: float = LAUNCH) -> float:
    """The same with `launch` seconds for each."""
    return sum(kernel.times * (kernel_seconds(kernel, device) + launch) for kernel in kernels)
