"""Which axis of an array is which, such as `trajectory,time,x,y,component`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError

TRAJECTORY, TIME, COMPONENT = "trajectory", "time", "component"
SPACE = ("x", "y", "z")
"""The names of the axes of space; component `i` points along the `i`-th of them."""

MAX_COMPONENT_AXES = 4

Axes = str | Sequence[str] | Mapping[str, str]
"""What a user says of axes: one text for all arrays, texts of which some are `ARRAY=...`, or one text for each array."""

_RANK = {TRAJECTORY: -1, TIME: 0, **{axis: 1 + i for i, axis in enumerate(SPACE)}, COMPONENT: 1 + len(SPACE)}


@dataclass(frozen=True)
class AxisSlices:
    """Reads frames of an array, or a part of the grid of each: a `ReadSlice` that never reads more than it is asked for.

    **Arguments:**

    - `read`: `(trajectory, start, stop, box) -> (stop - start, *sides, D, ..., D)`, where `box` has a slice for each axis of
      space, or none for whole frames.
    """

    read: Callable[[int, int, int, tuple[slice, ...]], np.ndarray]

    def __call__(self, trajectory: int, start: int, stop: int, box: tuple[slice, ...] = ()) -> np.ndarray:
        return self.read(trajectory, start, stop, box)


@dataclass(frozen=True)
class AxisOrder:
    """The axes of an array in the order in which they are stored.

    **Arguments:**

    - `names`: each of `trajectory`, `time`, `x`, `y`, `z` at most once, and `component` once for each tensor index. Without
      `trajectory` the array is one simulation, without `time` it does not vary in time. Component 0 points along x,
      wherever the axis of x is.

    **Raises:** `ArgumentError` for other names, one given twice, or axes of space that are not x, or x and y, or x, y and z.
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
        """The order that a text such as `trajectory, time, x` states; blanks do not count.

        **Raises:** `ArgumentError` for a text that states none.
        """
        return cls(tuple(part.strip() for part in text.split(",")))

    @classmethod
    def usual(cls, D: int, k: int = 0, *, varies: bool = True) -> AxisOrder:
        """The order of our own arrays: trajectory, time, space, components."""
        return cls((TRAJECTORY, *((TIME,) if varies else ()), *SPACE[:D], *(COMPONENT,) * k))

    @property
    def D(self) -> int:
        """Number of axes of space."""
        return sum(name in SPACE for name in self.names)

    @property
    def k(self) -> int:
        """Number of axes of components."""
        return self.names.count(COMPONENT)

    @property
    def varies(self) -> bool:
        """Whether there is an axis of time."""
        return TIME in self.names

    @property
    def text(self) -> str:
        """As it is written in `axes`."""
        return ",".join(self.names)

    def without_components(self) -> AxisOrder:
        """The same without axes of components."""
        return self.without(COMPONENT)

    def with_components(self, n: int) -> AxisOrder | None:
        """The same with so many more axes of components behind; None where there would be too many."""
        fits = 0 <= n <= MAX_COMPONENT_AXES - self.k
        return AxisOrder((*self.names, *(COMPONENT,) * n)) if fits else None

    def without(self, *names: str) -> AxisOrder:
        """The same without axes of these names."""
        return AxisOrder(tuple(name for name in self.names if name not in names))

    def size(self, name: str, shape: Sequence[int]) -> int:
        """The length of an axis of an array of this shape; 1 where it has none of this name."""
        return shape[self.names.index(name)] if name in self.names else 1

    def spatial(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The grid points along x, y, z of an array of this shape."""
        return tuple(self.size(axis, shape) for axis in SPACE[: self.D])

    def components(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The lengths of the axes of components of an array of this shape."""
        return tuple(n for name, n in zip(self.names, shape, strict=True) if name == COMPONENT)

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """A view of a whole array with its axes in the order trajectory, time, x, y, z, components.

        Without an axis of trajectories it gets one of length 1.
        """
        order = sorted(range(len(self.names)), key=lambda i: _RANK[self.names[i]])
        moved = values.transpose(order)
        return moved if TRAJECTORY in self.names else moved[None]

    def slices(self, read: Callable[[tuple[int | slice, ...]], np.ndarray]) -> AxisSlices:
        """From a function of selections of the stored array to one of frames, `(trajectory, start, stop)`.

        **Arguments:**

        - `read`: reads a selection of one index or slice for each axis, as NumPy does.

        **Returns:** a function whose result has the axes time, x, y, z, components; without an axis of time, one of length 1.
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
    """What a user says of axes, by the name of the array; under an empty name what holds for all others.

    **Arguments:**

    - `axes`: see `Axes`; None for nothing.

    **Raises:** `ArgumentError` for what is no order of axes, or two of them for one array.
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
    """What `parse_axes` reads back, by the name of the array."""
    return {name: order.text for name, order in orders.items()}
