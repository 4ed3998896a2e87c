"""What happens to one array of a network."""

from dataclasses import dataclass
from typing import Literal

from ginjax.transfer import AxisGeometry

from ._kernels import Kernel

Action = Literal["kernel", "as it is", "broadcast", "norm", "kept", "dropped", "from like", "?"]


@dataclass(frozen=True)
class TensorPlan:
    """What happens to one array.

    **Arguments:**

    - `name`: in the file that is written; `source`: in the one that is read, None for an array of the example.
    - `before`, `after`: shapes; None where the array is not in that file.
    - `action`: `kernel` by the rule; `as it is`; `broadcast` over space, with an axis of length 1 more or less; `norm`, which goes with a kernel; `kept` and
      `dropped` as asked; `from like`; `?` where something must be said first.
    - `kernel`, `axes`: of a kernel, what it is and what it does along the new axes.
    - `said_by`, `assumed`: who says so, and what nobody said.
    - `problem`: what is wrong with it, in words; empty if nothing.
    """

    name: str
    source: str | None
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None
    action: Action
    kernel: Kernel | None = None
    axes: tuple[AxisGeometry, ...] = ()
    said_by: str = ""
    assumed: tuple[str, ...] = ()
    problem: str = ""
