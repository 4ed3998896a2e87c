"""Samples that show a part of the grid, for training on fields that are too large for memory."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import Int

from ginjax.data._tiling import Place, Tiling
from ginjax.data._windows import Windows
from ginjax.errors import ArgumentError
from ginjax.geometric import AnyArray, MultiImage


class TileTarget(eqx.Module):
    """Targets on tiles. Each tile lies in the middle of the block that the network is given.

    **Arguments:**

    - `image`: the targets, `(batch, channels, *tile, D, ..., D)`.
    - `corner`: the first pixel of each tile, relative to the first pixel of its block.
    """

    image: MultiImage
    corner: Int[AnyArray, "batch dim"]

    def within(self, blocks: MultiImage) -> MultiImage:
        """Cut fields on the blocks down to the tiles."""
        sides = self.image.get_spatial_dims()

        def cut(block: AnyArray, corner: AnyArray) -> Array:
            rest = block.ndim - 1 - len(sides)
            start = (0, *corner, *(0,) * rest)
            return jax.lax.dynamic_slice(
                block, start, (block.shape[0], *sides, *block.shape[1 + len(sides) :])
            )

        return MultiImage(
            {key: jax.vmap(cut)(block, self.corner) for key, block in blocks.items()},
            blocks.D,
            blocks.is_torus,
        )


class Crops:
    """Windows of frames, cut in space: an input is a block of the grid, and a target is the tile inside it.

    Samples `0` to `len(crops) - 1` are the tiles that cover the grid, window by window. Sample
    `i + n * len(crops)` with `n > 0` is a randomly placed tile of the same window as sample `i`; the same number always gives
    the same tile.

    Only the blocks are read.

    **Arguments:**

    - `windows`: the samples on the whole grid.
    - `tiling`: the blocks. Its halo is the distance over which all `future_steps` predictions together depend on their inputs.
    """

    def __init__(self, windows: Windows, tiling: Tiling):
        if tiling.spatial != windows.source.spatial:
            raise ArgumentError("grid of the tiling", got=tiling.spatial, expected=windows.source.spatial)
        self.windows = windows
        self.tiling = tiling

    def __len__(self) -> int:
        return len(self.windows) * self.tiling.count

    def locate(self, index: int) -> tuple[int, Place]:
        """The window number of a sample, and the place of its block."""
        draw, number = divmod(int(index), len(self))
        window, tile = divmod(number, self.tiling.count)
        if draw:
            return window, self.tiling.drawn(np.random.default_rng([draw, number]))
        return window, self.tiling.numbered(tile)

    def take(self, indices: np.ndarray | Sequence[int]) -> tuple[MultiImage, TileTarget]:
        """Read some samples; only their blocks are read from the file.

        **Arguments:**

        - `indices`: numbers of the samples, at least one.

        **Returns:** the inputs, blocks `(len(indices), channels, *block, D, ..., D)` in float32, and the targets.

        **Raises:** as `Windows.take`.
        """
        located = [self.locate(int(index)) for index in np.atleast_1d(np.asarray(indices))]
        x, y = self.windows.take_blocks(
            [window for window, _ in located], self.tiling, [place for _, place in located]
        )
        return x, TileTarget(y, np.array([place.corner for _, place in located], np.int32))
