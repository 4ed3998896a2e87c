"""One tensor on its way into the new graph: the meaning of its axes, and what is known of its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ._layout import Axes, axis_of, new_place, old_rank, old_sizes, stands_alone
from ._sizes import Size

PadMode = Literal["constant", "edge", "reflect", "wrap"]


@dataclass(frozen=True)
class PendingPadding:
    """Padding by a separate node of the graph, not yet applied along the new axis.

    **Arguments:**

    - `before`, `after`: numbers of points.
    - `mode`: the mode in the operator Pad.
    - `zero`: whether the padding value is zero.
    """

    before: int
    after: int
    mode: PadMode
    zero: bool = True


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor.

    **Arguments:**

    - `name`: name in the old graph.
    - `axes`: its layout in the new graph; None if not even the number of its axes is known, which is only possible without
      spatial axes.
    - `dtype`: type number in ONNX; 0 if unknown.
    - `constant`: its content, if the file states it.
    - `content`: for a small tensor that is computed from lengths, its entries as sizes or booleans.
    - `emitted`: its name in the new graph, once it is there.
    - `unit`: whether its new axis has a single point.
    - `diluted`: whether its entries become smaller as the depth grows, such as those of a softmax over all positions.
    - `padding`: padding that is still to be applied along its new axis.
    - `stride`: points of the input's new axis for each point of its own new axis.
    """

    name: str
    axes: Axes | None
    dtype: int = 0
    constant: np.ndarray | None = field(default=None, repr=False)
    content: np.ndarray | None = None
    emitted: str | None = None
    unit: bool = False
    diluted: bool = False
    padding: PendingPadding | None = None
    stride: float = 1.0

    @property
    def spatial(self) -> bool:
        """Whether it has the new axis, as a separate one or merged into another."""
        return self.axes is not None and new_place(self.axes) is not None

    @property
    def alone(self) -> bool:
        """Whether its new axis is a separate one."""
        return self.axes is not None and stands_alone(self.axes)

    @property
    def known(self) -> Axes:
        """The layout, which must be known."""
        if self.axes is None:
            raise AssertionError("the layout of a tensor of which not even the number of axes is known")
        return self.axes

    @property
    def rank(self) -> int:
        """The number of axes in the old graph."""
        return old_rank(self.known)

    @property
    def sizes(self) -> list[Size]:
        """The shape in the old graph."""
        return old_sizes(self.known)


def as_content(array: np.ndarray) -> np.ndarray | None:
    """A small constant as entries of shape arithmetic; None for a large one, or for numbers that cannot make a length."""
    if array.size > MAX_CONTENT or array.dtype.kind not in "iufb":
        return None
    made = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        entry: Any = array[index].item()
        if isinstance(entry, bool):
            made[index] = entry
        elif isinstance(entry, float) and not np.isfinite(entry):
            return None
        else:
            made[index] = Size.of(entry)
    return made


MAX_CONTENT = 64


def constant_value(name: str, array: np.ndarray, dtype: int) -> Value:
    """A constant of the file."""
    axes = tuple(axis_of(Size.of(length)) for length in array.shape)
    return Value(name, axes, dtype=dtype, constant=array, content=as_content(array))
