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

    - `name`: name in the file that is written; `source`: name in the file that is read, None for an array of the example.
    - `before`, `after`: shapes; None if the array is not in that file.
    - `action`: `kernel`, converted by the rule; `as it is`; `broadcast` over space, with axes of length 1 added or removed;
      `norm`, which belongs to a kernel; `kept` and `dropped`, as requested; `from like`; `?`, if something has to be stated
      first.
    - `kernel`, `axes`: for a kernel, its description and its geometry along the new axes.
    - `said_by`, `assumed`: where this comes from, and what was assumed.
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
