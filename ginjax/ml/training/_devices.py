"""The placement of data on devices: parameters on each device, batches divided among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ginjax.errors import ArgumentError

_AXIS = "data"

CORE_POINTS = 2048
"""Grid points that each core of a processor gets of what is computed at a time. With fewer, dividing gains nothing: two cores
took 0.9 to 1.15 of the time of one device for 4096 points in all, 0.7 for 8192 and 0.55 to 0.6 for 16384."""

LEAST_STEPS = 100
"""The fewest steps of a training that is divided among cores. Compiling takes 1.3 to 1.5 times as long: with 100 steps, two
trainings (Burgers in 2D, diffusion in 3D) took as long divided as undivided, and shorter ones lose."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Placement:
    """The devices of a training, which may belong to several processes.

    **Arguments:**

    - `devices`: all devices of all processes, with those of one process side by side; empty for the default device.
    """

    devices: tuple[Any, ...] = ()

    @property
    def shares(self) -> int:
        """Number of equal parts into which a batch is divided."""
        return max(len(self.devices), 1)

    @property
    def processes(self) -> int:
        """Number of processes that train together."""
        return max(len({device.process_index for device in self.devices}), 1)

    @property
    def is_processor(self) -> bool:
        """Whether the devices are cores of this computer's processor, which share its memory."""
        return self.processes == 1 and any(device.platform == "cpu" for device in self.devices)

    @property
    def kind(self) -> str:
        """One of the devices in words: "core" or "device"."""
        return "core" if self.is_processor else "device"

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.processes == 1 or jax.process_index() == 0

    def check_batch(self, batch_size: int, accumulate: int = 1) -> None:
        """Refuse a batch that cannot be divided.

        **Raises:** `ArgumentError` unless its size is a positive multiple of devices times parts.
        """
        parts = self.shares * accumulate
        if batch_size < 1 or batch_size % parts:
            raise ArgumentError(
                "batch_size",
                got=batch_size,
                expected=f"a positive multiple of {parts}{self._why(accumulate)}",
            )

    def _why(self, accumulate: int) -> str:
        of = [f"{self.shares} {self.kind}s"] if self.shares > 1 else []
        of += [f"accumulate={accumulate}"] if accumulate > 1 else []
        return f", for {' and '.join(of)}" if of else ""

    def own_share(self, batch_size: int) -> slice:
        """The part of a batch that this process reads."""
        if self.processes == 1:
            return slice(0, batch_size)
        size = batch_size // self.processes
        return slice(jax.process_index() * size, (jax.process_index() + 1) * size)

    def replicate(self, tree: _T) -> _T:
        """Copy all arrays to every device."""
        return self._put(tree, PartitionSpec())

    def on_one_device(self, function: Callable[..., _T]) -> Callable[..., _T]:
        """Make a function compute on one device what every device could, because each has all arguments whole."""
        return lambda *arguments: function(*map(self.one_copy, arguments))

    def one_copy(self, tree: _T) -> _T:
        """Of arrays that are whole on every device of this process, those on the first one, without copying them.

        For several processes the arrays are returned as they are.
        """
        if not self.devices or self.processes > 1:
            return tree
        return jax.tree.map(
            lambda leaf: leaf.addressable_shards[0].data if isinstance(leaf, jax.Array) else leaf, tree
        )

    def divide(self, tree: _T) -> _T:
        """Combine arrays `(steps, own share of the batch, ...)` into one global array `(steps, batch, ...)`."""
        if self.processes == 1:
            return self._put(tree, PartitionSpec(None, _AXIS))
        sharding = NamedSharding(self._mesh, PartitionSpec(None, _AXIS))
        return jax.tree.map(
            lambda leaf: jax.make_array_from_process_local_data(sharding, np.asarray(leaf)), tree
        )

    def constrain(self, tree: _T) -> _T:
        """Divide the first axis of every array among the devices; for use inside a compiled function."""
        if not self.devices:
            return tree
        sharding = NamedSharding(self._mesh, PartitionSpec(_AXIS))
        return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, sharding), tree)

    def constrain_copies(self, tree: _T) -> _T:
        """Keep every array whole on every device; for use inside a compiled function."""
        if not self.devices:
            return tree
        sharding = NamedSharding(self._mesh, PartitionSpec())
        return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, sharding), tree)

    def agree(self, flag: bool) -> bool:
        """Whether `flag` is True in any process; all processes must call this at the same point."""
        if self.processes == 1:
            return flag
        from jax.experimental.multihost_utils import process_allgather

        return bool(np.any(process_allgather(np.asarray([flag]))))

    @cached_property
    def _mesh(self) -> Mesh:
        # The given order is kept: `own_share` relies on the devices of a process being side by side.
        return Mesh(np.asarray(self.devices), (_AXIS,))

    def _put(self, tree: _T, spec: PartitionSpec) -> _T:
        if not self.devices:
            return tree
        sharding = NamedSharding(self._mesh, spec)

        def put(leaf: object) -> object:
            if not isinstance(leaf, jax.Array | np.ndarray):
                return leaf
            if self.processes == 1:
                return jax.device_put(leaf, sharding)
            host = np.asarray(leaf)
            return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

        return jax.tree.map(put, tree)


def over_devices(devices: Sequence[Any] | None) -> Placement:
    """Divide training over the given devices; for a single device, no division is needed."""
    return Placement(tuple(devices) if devices and len(devices) > 1 else ())


def local_placement(count: int | None = None) -> Placement:
    """Use the devices of this process.

    **Arguments:**

    - `count`: number of devices; all if None.

    **Raises:** `ArgumentError` if there are fewer.
    """
    local = jax.local_devices()
    if count is not None and count > len(local):
        raise ArgumentError("devices", got=count, expected=f"at most {len(local)}, as many as JAX finds here")
    return over_devices(local[:count])


def fitting_placement(
    placement: Placement, batch_size: int, accumulate: int = 1, points: int | None = None
) -> Placement:
    """Use as many devices of one process as the batch can be divided over; of several processes, use all devices.

    **Arguments:**

    - `placement`: the available devices.
    - `batch_size`: samples in a step.
    - `accumulate`: parts of a batch that are computed one after the other.
    - `points`: grid points of a sample. If given, cores of a processor are used only as far as each gets `CORE_POINTS` points
      of a part.

    **Raises:** `ArgumentError` for a batch that cannot be divided at all.
    """
    if placement.processes == 1 and placement.devices:
        most = len(placement.devices)
        if placement.is_processor and points is not None:
            most = min(most, batch_size // accumulate * points // CORE_POINTS)
        shares = (n for n in range(most, 0, -1) if batch_size % (n * accumulate) == 0)
        placement = over_devices(placement.devices[: next(shares, 1)])
    placement.check_batch(batch_size, accumulate)
    return placement
