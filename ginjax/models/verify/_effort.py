"""The estimated time and memory of a verification, before anything is run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..._memory import free_memory
from ..._text import in_bytes, in_time
from ...checkpoint import ModelRecord
from ...errors import MemoryLimitError
from ...transfer import Cost, cost, plain_cost

FLOPS_A_SECOND = 2e11
"""`Cost.flops` per second on one core, measured in 5D and 6D. `Cost.flops` counts dense filters; the network itself does far
fewer multiplications."""

FIELD_COPIES = 12
"""The peak memory, in units of the fields of the largest convolution, measured in 5D and 6D."""

LONG_SECONDS, MUCH_MEMORY = 30.0, 2**30
"""The time and memory above which `VerificationEffort.warning` is not None."""


@dataclass(frozen=True)
class VerificationEffort:
    """The approximate time and memory of a verification.

    **Arguments:**

    - `D`, `grid`: dimension and grid of the network in the higher dimension, which takes nearly all of the effort.
    - `seconds`: the time on one core.
    - `memory`: the memory in bytes.
    """

    D: int
    grid: tuple[int, ...]
    seconds: float
    memory: int

    @property
    def warning(self) -> str | None:
        """The warning before the start; None below 30 s and 1 GiB."""
        if self.seconds < LONG_SECONDS and self.memory < MUCH_MEMORY:
            return None
        points = math.prod(self.grid)
        return (
            f"running the {self.D}D network on {points} grid points takes about {in_time(self.seconds)} on one core and "
            f"{in_bytes(self.memory)} of memory"
        )

    def check(self) -> None:
        """Refuse a verification that needs more memory than is free.

        **Raises:** `MemoryLimitError` with the memory that is needed and the memory that is free.
        """
        free = free_memory()
        if free is not None and self.memory > free:
            raise MemoryLimitError(
                f"memory to run the {self.D}D network",
                got=f"about {in_bytes(self.memory)}",
                expected=f"at most {in_bytes(free)}, which are free",
                hint="Use fewer grid points along each axis.",
            )


def verification_effort(
    low: ModelRecord,
    high: ModelRecord,
    *,
    side: int,
    samples: int = 1,
    spatial: Sequence[int] | None = None,
) -> VerificationEffort:
    """Estimate the effort of `verify_transfer` from the layers of a network.

    **Arguments:**

    - `low`, `high`: the networks, the second in a higher dimension.
    - `side`: the number of pixels along each axis of random fields, and along added axes.
    - `samples`: the number of inputs of the lift tests.
    - `spatial`: the pixels of these inputs along each axis; None for those of random fields.
    """
    D, added = high.D, (side,) * (high.D - low.D)
    grid = (*(spatial or (side,) * low.D), *added)
    one = _cost_of(high, side)
    pixels = math.prod(grid) / side**D
    # The lift tests run the network in two precisions, the equivariance once for every generator and once more.
    flops = one.flops * (2 * samples * pixels + D + 1)
    memory = round(FIELD_COPIES * one.field_bytes * max(1.0, pixels))
    return VerificationEffort(D, grid, flops / FLOPS_A_SECOND, memory)


def _cost_of(record: ModelRecord, side: int) -> Cost:
    if record.layers:
        return cost(record.layers, record.banks, side, 8)
    return plain_cost(record.plain_layers, record.arrays, record.D, side, 8)
