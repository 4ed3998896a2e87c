"""Blocks of a grid: a tile and the halo around it, so that results in the tile do not depend on anything outside the block."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.data._axis_order import SPACE
from ginjax.data.sources import Box
from ginjax.errors import ArgumentError

TileSides = int | Mapping[str, int] | Sequence[tuple[str, int]]
"""Pixels of a tile along every axis, or by axis name; axes that are not named are not cut."""


@dataclass(frozen=True)
class Place:
    """The place of a block.

    **Arguments:**

    - `origin`: first pixel of the block along each axis. On a periodic axis it may be below 0, and the block may extend past
      the end.
    - `tile`: first pixel of the tile.
    """

    origin: tuple[int, ...]
    tile: tuple[int, ...]

    @property
    def corner(self) -> tuple[int, ...]:
        """The first pixel of the tile, relative to the first pixel of the block."""
        return tuple(t - o for t, o in zip(self.tile, self.origin, strict=True))


@dataclass(frozen=True)
class Tiling:
    """A grid cut into tiles, each inside a block; build it with `Tiling.of`.

    All blocks have the same shape. Along a periodic axis a block is cut out of the periodic continuation. Along any other axis a
    block ends where the grid ends, and its tile then reaches to that end. So no block has an end of its own within `halo` pixels
    of its tile.

    **Arguments:**

    - `spatial`: pixels of the grid.
    - `wraps`: which axes are periodic.
    - `tile`, `block`: pixels of a tile, and of a block.
    - `halo`: pixels around a tile that its result depends on.
    - `factor`: blocks begin at multiples of it.
    """

    spatial: tuple[int, ...]
    wraps: tuple[bool, ...]
    tile: tuple[int, ...]
    block: tuple[int, ...]
    halo: int
    factor: int

    @classmethod
    def of(
        cls,
        spatial: Sequence[int],
        wraps: Sequence[bool],
        tile: TileSides,
        *,
        halo: int,
        factor: int = 1,
        argument: str = "tile",
    ) -> Tiling:
        """Cut a grid.

        **Arguments:**

        - `spatial`, `wraps`, `halo`, `factor`: as above; the halo is a multiple of the factor.
        - `tile`: pixels of a tile; an axis that is no longer than the block would be is not cut.
        - `argument`: name of `tile` in messages.

        **Raises:** `ArgumentError` for an axis that does not exist, or a tile that is not a multiple of `factor`.
        """
        sides = sides_along(SPACE[: len(spatial)], tile, argument)
        for name, side in zip(SPACE, sides, strict=False):
            if side is not None and side % factor:
                near = factor * -(-side // factor)
                raise ArgumentError(
                    f"`{argument}` along {name}",
                    got=side,
                    expected=f"a multiple of {factor}, the product of the down-samplings, such as {near}",
                )
        tiles, blocks = [], []
        for n, side in zip(spatial, sides, strict=True):
            whole = side is None or side + 2 * halo >= n
            # A block as wide as the grid needs no halo: it has no ends inside the grid.
            tiles.append(n if whole or side is None else side)
            blocks.append(n if whole or side is None else side + 2 * halo)
        return cls(tuple(spatial), tuple(wraps), tuple(tiles), tuple(blocks), halo, factor)

    @property
    def is_whole(self) -> bool:
        """Whether one block is the whole grid."""
        return self.block == self.spatial

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of tiles along each axis that cover it; the last one ends with the axis and may overlap the one before."""
        return tuple(-(-n // side) for n, side in zip(self.spatial, self.tile, strict=True))

    @property
    def count(self) -> int:
        """Number of tiles that cover the grid."""
        return math.prod(self.counts)

    def place(self, tile: Sequence[int]) -> Place:
        """The place of a block whose tile begins at a pixel, a multiple of `factor` along each axis."""
        origin = []
        for start, n, block, wraps in zip(tile, self.spatial, self.block, self.wraps, strict=True):
            first = start - self.halo
            origin.append(0 if block == n else first if wraps else min(max(first, 0), n - block))
        return Place(tuple(origin), tuple(int(each) for each in tile))

    def places(self) -> Iterator[Place]:
        """Places of blocks whose tiles cover the grid."""
        starts = (
            [min(i * side, n - side) for i in range(count)]
            for n, side, count in zip(self.spatial, self.tile, self.counts, strict=True)
        )
        yield from map(self.place, itertools.product(*starts))

    def numbered(self, number: int) -> Place:
        """One of `places`, by its number."""
        index = np.unravel_index(number, self.counts)
        return self.place(
            [min(int(i) * side, n - side) for i, side, n in zip(index, self.tile, self.spatial, strict=True)]
        )

    def new_within(self, number: int, first: int) -> tuple[slice, ...]:
        """The part of a tile that no earlier tile covers, as slices of an array with the tile on its axes from `first` on."""
        index = np.unravel_index(number, self.counts)
        seen = (
            max(int(i) * side - (n - side), 0)
            for i, side, n in zip(index, self.tile, self.spatial, strict=True)
        )
        return (*(slice(None),) * first, *(slice(each, None) for each in seen))

    def drawn(self, rng: np.random.Generator) -> Place:
        """Draw a block with its tile anywhere on the grid; all places that `factor` allows are equally likely."""
        most = (
            n // self.factor if wraps else (n - side) // self.factor + 1
            for n, side, wraps in zip(self.spatial, self.tile, self.wraps, strict=True)
        )
        return self.place([self.factor * int(rng.integers(each)) for each in most])

    def boxes(self, place: Place) -> Iterator[tuple[Box, tuple[slice, ...]]]:
        """The boxes of the grid that make up a block, and where each of them lies in the block."""
        yield from _boxes(place.origin, self.block, self.spatial)

    def tile_boxes(self, place: Place) -> Iterator[tuple[Box, tuple[slice, ...]]]:
        """The boxes of the grid that make up a tile, and where each of them lies in the tile."""
        yield from _boxes(place.tile, self.tile, self.spatial)

    def cut(self, values: np.ndarray, place: Place, first: int) -> np.ndarray:
        """Cut the block out of an array whose axes `first, first + 1, ...` are the grid."""
        return _gathered(values, place.origin, self.block, first)

    def cut_tile(self, values: np.ndarray, place: Place, first: int) -> np.ndarray:
        """Cut the tile out of an array whose axes `first, first + 1, ...` are the grid."""
        return _gathered(values, place.tile, self.tile, first)

    def within(self, place: Place, first: int) -> tuple[slice, ...]:
        """Slices of the tile in an array whose axes `first, first + 1, ...` are the block."""
        inner = (slice(c, c + side) for c, side in zip(place.corner, self.tile, strict=True))
        return (*(slice(None),) * first, *inner)

    def in_words(self) -> str:
        """Tile, grid and block, such as "32x32 of 256x256 points, each with what it depends on: 48x48"."""
        tile, grid, block = ("x".join(map(str, sides)) for sides in (self.tile, self.spatial, self.block))
        return f"{tile} of {grid} points, each with what it depends on: {block}"


def put_together(
    sides: Sequence[int], parts: Iterable[tuple[Mapping[str, np.ndarray], tuple[slice, ...]]], first: int
) -> dict[str, np.ndarray]:
    """Put fields on a block together from those on the boxes that make it up.

    **Arguments:**

    - `sides`: sides of the block.
    - `parts`: pairs of arrays by name, whose axes `first, first + 1, ...` are those of a box, and the slices of that box in the
      block.
    - `first`: number of axes before those of the grid.

    **Returns:** arrays by name, with the dtype of the parts; empty without parts.
    """
    found: dict[str, np.ndarray] = {}
    for arrays, into in parts:
        for name, values in arrays.items():
            if name not in found:
                rest = values.shape[first + len(sides) :]
                if values.shape == (*values.shape[:first], *sides, *rest):
                    found[name] = values
                    continue
                found[name] = np.empty((*values.shape[:first], *sides, *rest), values.dtype)
            found[name][(*(slice(None),) * first, *into)] = values
    return found


def sides_along(axes: Sequence[str], tile: TileSides, argument: str) -> tuple[int | None, ...]:
    """Pixels along each axis, None for an axis that is not named.

    **Raises:** `ArgumentError` for an axis that does not exist, or a number below 1.
    """
    try:
        named = dict.fromkeys(axes, tile) if isinstance(tile, int) else dict(tile)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"`{argument}`",
            got=repr(tile)[:60],
            expected="a number of pixels, or one by the name of the axis",
        ) from error
    for name, side in named.items():
        if name not in axes:
            raise ArgumentError(
                f"`{argument}` of axis {name!r}", got="no such axis", expected=" or ".join(axes)
            )
        if type(side) is not int or side < 1:
            raise ArgumentError(f"`{argument}` along {name}", got=repr(side), expected="a number of pixels")
    return tuple(named.get(name) for name in axes)


def _boxes(
    origin: Sequence[int], sides: Sequence[int], grid: Sequence[int]
) -> Iterator[tuple[Box, tuple[slice, ...]]]:
    parts = [list(_segments(start, side, n)) for start, side, n in zip(origin, sides, grid, strict=True)]
    for chosen in itertools.product(*parts):
        box = tuple((low, low + length) for low, length, _ in chosen)
        yield box, tuple(slice(at, at + length) for _, length, at in chosen)


def _segments(start: int, side: int, n: int) -> Iterator[tuple[int, int, int]]:
    """Consecutive pieces of a periodic axis: first pixel, length, and position in the result."""
    at = 0
    while at < side:
        low = (start + at) % n
        length = min(n - low, side - at)
        yield low, length, at
        at += length


def _gathered(values: np.ndarray, origin: Sequence[int], sides: Sequence[int], first: int) -> np.ndarray:
    grid = values.shape[first : first + len(sides)]
    found = np.empty((*values.shape[:first], *sides, *values.shape[first + len(sides) :]), values.dtype)
    lead = (slice(None),) * first
    for box, into in _boxes(origin, sides, grid):
        found[(*lead, *into)] = values[(*lead, *(slice(low, high) for low, high in box))]
    return found
