"""The plan of the fused kernels for a `Mixing`: sums and differences, and each filter as a combination of them.

Along an axis a symbol is the centre, a sum `x(+j) + x(-j)` or a difference `x(+j) - x(-j)`. Products of symbols over the axes
span all filters. A row is the image of one filter for one component of the output: a combination of such products, applied
to the components of one key of the input.
"""

import functools
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from ._mixing import Feature, Mixing, Slot
from ._stencil import ROUNDING

_T = TypeVar("_T")

Image = tuple[int, ...]
"""The number of a symbol for each axis, see `symbols`."""

Row = tuple[int, int, int]
"""The positions of a group, of an output component in it, and of a filter among all rows of the group's features."""


@dataclass(frozen=True, eq=False)
class Group:
    """Consecutive components of one key of the output that are mixed from the same filters by the same weights.

    - `slots`: the components.
    - `features`: the features of the first component.
    """

    slots: tuple[Slot, ...]
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class WeightRow:
    """A filter with its own weights, which are the same for all components of a group.

    - `group`, `number`: the positions of the group, and of the filter among the rows of its features.
    - `path`, `row`: the positions of the path, and of the filter in it.
    """

    group: int
    number: int
    path: int
    row: int


@dataclass(frozen=True, eq=False)
class Source:
    """A key of the input.

    - `key`: the position of the key.
    - `channels`: the number of channels.
    - `images`: for each component that any filter reads, its images, and the coefficient of each image in each row.
    - `rows`: all rows that are made of this key.
    - `weights`: the filters to which the rows belong.
    """

    key: int
    channels: int
    images: tuple[tuple[Slot, dict[Image, dict[Row, float]]], ...]
    rows: tuple[Row, ...]
    weights: tuple[WeightRow, ...]


@functools.lru_cache(maxsize=32)
def symbols(side: int) -> tuple[tuple[int, int, int], ...]:
    """Return `(kind, upper tap, lower tap)` of each symbol: kind 0 is the centre (odd sides), 1 a sum, -1 a difference."""
    half = side // 2
    centre = ((0, half, half),) if side % 2 else ()
    pairs = [(kind, side - half + j, half - 1 - j) for j in range(half) for kind in (1, -1)]
    return (*centre, *pairs)


@functools.lru_cache(maxsize=512)
def make_groups(mixing: Mixing) -> tuple[Group, ...]:
    """Return the groups of all output components that any filter reaches, in order."""

    def kind(
        entry: tuple[int, tuple[Slot, tuple[Feature, ...]]],
    ) -> tuple[int, int, tuple[tuple[int, tuple[int, ...]], ...]]:
        place, (slot, features) = entry
        # Constant for neighbours only, because components between reached ones may not be reached.
        run = slot.component - place
        return slot.index, run, tuple((feature.path, feature.rows) for feature in features)

    found = []
    for _, entries in itertools.groupby(enumerate(mixing.features), kind):
        slots, features = zip(*(entry for _, entry in entries), strict=True)
        found.append(Group(slots, features[0]))
    return tuple(found)


@functools.lru_cache(maxsize=512)
def make_plan(mixing: Mixing) -> tuple[Source, ...]:
    """Return the images of a convolution, for each key of the input that any filter needs."""
    found = []
    for index in dict.fromkeys(slot.index for slot in mixing.inputs):
        slots = [slot for slot in mixing.inputs if slot.index == index]
        rows: list[Row] = []
        weights: list[WeightRow] = []
        images: dict[Slot, dict[Image, dict[Row, float]]] = {slot: {} for slot in slots}
        for number, group in enumerate(make_groups(mixing)):
            first = 0
            for feature in group.features:
                if mixing.paths[feature.path].source == index:
                    weights += [
                        WeightRow(number, first + i, feature.path, row) for i, row in enumerate(feature.rows)
                    ]
                    for component, target in enumerate(group.slots):
                        own = [(number, component, first + i) for i in range(len(feature.rows))]
                        rows += own
                        for slot in slots:
                            _add(images[slot], own, _in_symbols(mixing, feature, slot, target))
                first += len(feature.rows)
        if rows:
            # Components without images, such as the diagonal of an antisymmetric tensor, are read by no filter.
            read = tuple((slot, each) for slot, each in images.items() if each)
            found.append(Source(index, slots[0].channels, read, tuple(rows), tuple(weights)))
    return tuple(found)


def _add(
    images: dict[Image, dict[Row, float]], rows: Iterable[Row], parts: Float[np.ndarray, "filters *sides"]
) -> None:
    for row, part in zip(rows, parts, strict=True):
        for image in np.argwhere(part):
            images.setdefault(tuple(image.tolist()), {})[row] = float(part[tuple(image)])


def _in_symbols(
    mixing: Mixing, feature: Feature, source: Slot, target: Slot
) -> Float[np.ndarray, "filters *sides"]:
    """Express the filters of a feature from one component to another by products of symbols, divided by `Path.sizes`."""
    path, rows = mixing.paths[feature.path], list(feature.rows)
    scale = path.sizes[rows].reshape(-1, *(1,) * mixing.D)
    parts = path.filters[rows][..., source.component, target.component] / scale
    change = np.zeros((mixing.side, mixing.side))
    for row, (kind, upper, lower) in zip(change, symbols(mixing.side), strict=True):
        row[upper] = 0.5 if kind else 1.0
        row[lower] = 0.5 * kind if kind else 1.0
    for axis in range(1, mixing.D + 1):
        parts = np.moveaxis(np.tensordot(parts, change, (axis, 1)), -1, axis)
    return np.where(np.abs(parts) > ROUNDING, parts, 0.0)


def images_of(
    wanted: Iterable[Image], side: int, tap: Callable[[tuple[int, ...]], _T], use: Callable[[Image, _T], None]
) -> None:
    """Make images by sums and differences along one axis after another; common parts are made once.

    **Arguments:**

    - `wanted`: the images, at least one.
    - `side`: the side of the filters.
    - `tap`: a function that returns `x` at an offset, given by the number of the tap along each axis.
    - `use`: a function that is called with each image as soon as it is made.
    """
    every = sorted(set(wanted))
    D = len(every[0])
    known = symbols(side)

    def descend(axis: int, prefix: Image, get: Callable[[tuple[int, ...]], _T]) -> None:
        if axis == D:
            use(prefix, get(()))
            return
        for number, (kind, upper, lower) in enumerate(known):
            here = (*prefix, number)
            rests = [image[axis + 1 :] for image in every if image[: axis + 1] == here]
            taps = {taps for rest in rests for taps in itertools.product(*({*known[i][1:]} for i in rest))}
            made = {}
            for rest in sorted(taps):
                first = get((upper, *rest))
                # Differences come before any product: for fields that are constant along their axis they are exactly zero.
                made[rest] = first if kind == 0 else _combined(kind, first, get((lower, *rest)))
            if rests:
                descend(axis + 1, here, made.__getitem__)

    descend(0, (), tap)


def _combined(kind: int, upper: _T, lower: _T) -> _T:
    return upper + lower if kind > 0 else upper - lower  # pyright: ignore[reportOperatorIssue]
