"""The order of the axes of an array, such as `trajectory,time,x,y,component`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError

TRAJECTORY, TIME, COMPONENT = "trajectory", "time", "component"
SPACE = ("x", "y", "z")
"""Names of the spatial axes; component `i` of a vector points along the `i`-th of them."""

MAX_COMPONENT_AXES = 4

Axes = str | Sequence[str] | Mapping[str, str]
"""The orders of axes that a user states: one text for all arrays, several texts (`ARRAY=...` for one), or a mapping by array."""

_RANK = {TRAJECTORY: -1, TIME: 0, **{axis: 1 + i for i, axis in enumerate(SPACE)}, COMPONENT: 1 + len(SPACE)}


@dataclass(frozen=True)
class AxisSlices:
    """Reads frames of an array, or a part of the grid in each frame: a `ReadSlice` that reads only what is requested.

    **Arguments:**

    - `read`: `(trajectory, start, stop, box) -> (stop - start, *sides, D, ..., D)`, where `box` has one slice for each
      spatial axis, or is empty for whole frames.
    """

    read: Callable[[int, int, int, tuple[slice, ...]], np.ndarray]

    def __call__(self, trajectory: int, start: int, stop: int, box: tuple[slice, ...] = ()) -> np.ndarray:
        return self.read(trajectory, start, stop, box)


@dataclass(frozen=True)
class AxisOrder:
    """The axes of an array in the order in which they are stored.

    **Arguments:**

    - `names`: each of `trajectory`, `time`, `x`, `y`, `z` at most once, and `component` once for each tensor index. Without
      `trajectory` the array is a single simulation. Without `time` it does not vary in time. Component 0 points along x,
      wherever the x axis is stored.

    **Raises:** `ArgumentError` for an unknown name, a name given twice, or spatial axes that are not x alone, x and y, or all
    three.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        space = {name for name in self.names if name in SPACE}
        single = [name for name in self.names if name != COMPONENT]
        known = all(name in _RANK for name in self.names)
        fits = space == set(SPACE[: len(space)]) and space and len(set(single)) == len(single)
        if not known or not fits or self.k > MAX_COMPONENT_AXES:
            wrong = next((name for name in self.names if name not in _RANK), None)
            raise ArgumentError(
                "`axes`",
                got=repr(",".join(self.names)) + (f", in which {wrong!r} is no axis" if wrong else ""),
                expected="trajectory, time, x, y, z and component in the order in which they are stored, separated by commas",
                hint="In 2D the axes of space are x and y, in 1D x alone; component stands once for each tensor index.",
            )

    @classmethod
    def parse(cls, text: str) -> AxisOrder:
        """Read an order from a text such as `trajectory, time, x`; blanks are ignored.

        **Raises:** `ArgumentError` for a text that is not an order of axes.
        """
        return cls(tuple(part.strip() for part in text.split(",")))

    @classmethod
    def usual(cls, D: int, k: int = 0, *, varies: bool = True) -> AxisOrder:
        """The order of ginjax's own arrays: trajectory, time, space, components."""
        return cls((TRAJECTORY, *((TIME,) if varies else ()), *SPACE[:D], *(COMPONENT,) * k))

    @property
    def D(self) -> int:
        """Number of spatial axes."""
        return sum(name in SPACE for name in self.names)

    @property
    def k(self) -> int:
        """Number of component axes."""
        return self.names.count(COMPONENT)

    @property
    def varies(self) -> bool:
        """Whether there is a time axis."""
        return TIME in self.names

    @property
    def text(self) -> str:
        """The order as text, in the form that the argument `axes` takes."""
        return ",".join(self.names)

    def without_components(self) -> AxisOrder:
        """The same order without component axes."""
        return self.without(COMPONENT)

    def with_components(self, n: int) -> AxisOrder | None:
        """The same order with further component axes at the end; None if there would be too many."""
        fits = 0 <= n <= MAX_COMPONENT_AXES - self.k
        return AxisOrder((*self.names, *(COMPONENT,) * n)) if fits else None

    def without(self, *names: str) -> AxisOrder:
        """The same order without the axes of these names."""
        return AxisOrder(tuple(name for name in self.names if name not in names))

    def size(self, name: str, shape: Sequence[int]) -> int:
        """Length of one axis of an array of this shape; 1 if the order has no such axis."""
        return shape[self.names.index(name)] if name in self.names else 1

    def spatial(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Grid points along x, y, z of an array of this shape."""
        return tuple(self.size(axis, shape) for axis in SPACE[: self.D])

    def components(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Lengths of the component axes of an array of this shape."""
        return tuple(n for name, n in zip(self.names, shape, strict=True) if name == COMPONENT)

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """A view of a whole array with its axes in the order trajectory, time, x, y, z, components.

        If the order has no trajectory axis, the view has one of length 1.
        """
        order = sorted(range(len(self.names)), key=lambda i: _RANK[self.names[i]])
        moved = values.transpose(order)
        return moved if TRAJECTORY in self.names else moved[None]

    def slices(self, read: Callable[[tuple[int | slice, ...]], np.ndarray]) -> AxisSlices:
        """Turn a function that reads selections of the stored array into one that reads frames, `(trajectory, start, stop)`.

        **Arguments:**

        - `read`: reads a selection, given as one index or slice for each axis, as in NumPy.

        **Returns:** a function whose result has the axes time, x, y, z, components. If the order has no time axis, that axis
        has length 1.
        """
        kept = [name for name in self.names if name != TRAJECTORY]
        order = sorted(range(len(kept)), key=lambda i: _RANK[kept[i]])

        def frames(trajectory: int, start: int, stop: int, box: tuple[slice, ...]) -> np.ndarray:
            chosen: dict[str, int | slice] = {TRAJECTORY: trajectory, TIME: slice(start, stop)}
            chosen |= dict(zip(SPACE, box, strict=False))
            values = read(tuple(chosen.get(name, slice(None)) for name in self.names)).transpose(order)
            return values if self.varies else values[None]

        return AxisSlices(frames)


def parse_axes(axes: Axes | None) -> dict[str, AxisOrder]:
    """The stated orders of axes by array name; the empty name holds the order for all other arrays.

    **Arguments:**

    - `axes`: see `Axes`; None if nothing is stated.

    **Raises:** `ArgumentError` for a text that is not an order of axes, or for two orders of one array.
    """
    if isinstance(axes, Mapping):
        said = [(str(name), text) for name, text in axes.items()]
    else:
        texts = [axes] if isinstance(axes, str) else list(axes or ())
        said = [(name, text) for name, _, text in (f"={t}".rpartition("=") for t in texts)]
        said = [(name.removeprefix("="), text) for name, text in said]
    said = [(name.lstrip("/"), text) for name, text in said]  # a path in HDF5 begins at its root
    found: dict[str, AxisOrder] = {}
    for name, text in said:
        if name in found:
            which = f"array '{name}'" if name else "all arrays"
            raise ArgumentError("`axes`", got=f"two orders for {which}", expected="one")
        found[name] = AxisOrder.parse(str(text))
    return found


def axes_texts(orders: Mapping[str, AxisOrder]) -> dict[str, str]:
    """The orders as texts by array name; the inverse of `parse_axes`."""
    return {name: order.text for name, order in orders.items()}
