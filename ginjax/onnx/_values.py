"""One tensor on its way into the new graph: what its axes mean, and what is known of its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ._layout import Axes, axis_of, new_place, old_rank, old_sizes, stands_alone
from ._sizes import Size

PadMode = Literal["constant", "edge", "reflect", "wrap"]


@dataclass(frozen=True)
class PendingPadding:
    """What a graph puts around an axis by a node of its own, not yet done along the new axis.

    **Arguments:**

    - `before`, `after`: points.
    - `mode`: as the operator Pad calls it.
    - `zero`: whether what is put there is zero.
    """

    before: int
    after: int
    mode: PadMode
    zero: bool = True


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor.

    **Arguments:**

    - `name`: in the old graph.
    - `axes`: its layout in the new graph; None where not even the number of its axes is known, which only tensors without
      space may have.
    - `dtype`: as ONNX numbers types; 0 if unknown.
    - `constant`: its content, if the file states it.
    - `content`: of a small tensor that is computed of lengths: its entries, as sizes or truth values.
    - `emitted`: its name in the new graph, once it is there.
    - `unit`: whether its new axis has a single point.
    - `diluted`: whether its entries become smaller as the depth grows, as those of a softmax over all positions do.
    - `padding`: what is still to be put around its new axis.
    - `stride`: points of the input's new axis for each point of its own.
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
        """Whether it has the new axis, as one of its own or merged into another."""
        return self.axes is not None and new_place(self.axes) is not None

    @property
    def alone(self) -> bool:
        """Whether the new axis is one of its own."""
        return self.axes is not None and stands_alone(self.axes)

    @property
    def known(self) -> Axes:
        """The layout of a tensor that has one."""
        assert self.axes is not None
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
    """A small constant as entries of shape arithmetic; None for a large one, or numbers that no length is made of."""
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
