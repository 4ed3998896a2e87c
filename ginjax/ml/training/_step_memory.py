"""The memory that a training step needs, according to its compiled program, and whether there is enough."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
from jaxtyping import PyTree

from ginjax._memory import free_memory
from ginjax._text import in_bytes
from ginjax.errors import MemoryLimitError
from ginjax.ml.training._devices import Placement


@dataclass(frozen=True)
class StepMemory:
    """Memory of a training step in bytes, on each device.

    **Arguments:**

    - `samples`: the samples on the device.
    - `state`: parameters and the state of the optimiser.
    - `working`: activations, gradients and everything else that exists only while a step is computed. It is the size that
      the compiler plans for the program; None if the compiler does not report it.
    - `free`: memory that the device, or the computer, has left for `working`; None if not known.
    """

    samples: int
    state: int
    working: int | None
    free: int | None = None

    @property
    def total(self) -> int | None:
        """The sum of all parts; None if `working` is not known."""
        return None if self.working is None else self.samples + self.state + self.working

    @property
    def fits(self) -> bool:
        """Whether there is enough memory for the step; also True if something is not known."""
        return self.working is None or self.free is None or self.working <= self.free

    def refusal(self, hint: str) -> MemoryLimitError:
        """Make the error for a step that does not fit: what it needs, what there is, and what can be done."""
        return MemoryLimitError(
            "memory of a training step",
            got=f"{in_bytes(self.working or 0)} beside the samples and the state",
            expected=f"at most {in_bytes(self.free or 0)}, which are free",
            hint=hint,
        )


def step_memory(
    program: jax.stages.Compiled | None, samples: PyTree, state: PyTree, placement: Placement
) -> StepMemory:
    """Measure the memory of a compiled step.

    **Arguments:**

    - `program`: the step, compiled for these arguments; None if it is not available.
    - `samples`, `state`: its arguments, which are on the devices already.
    - `placement`: the devices.
    """
    found = None if program is None else program.memory_analysis()
    working = None
    if found is not None:
        # The result reuses the memory of the state; it needs memory only for new parts.
        working = found.temp_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
    return StepMemory(_bytes(samples), _bytes(state), working, _free(placement))


def _bytes(tree: PyTree) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree) if eqx.is_array(leaf))


def _free(placement: Placement) -> int | None:
    """Bytes that a device has left."""
    own = [d for d in placement.devices if d.process_index == jax.process_index()] or jax.local_devices()[:1]
    stats = own[0].memory_stats() or {}
    if "bytes_limit" in stats:
        return max(0, stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    left = free_memory()
    return None if left is None else left // len(own)  # devices of the processor share its memory
