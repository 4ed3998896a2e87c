"""Samples that show a part of the grid: what fields beyond memory are trained on."""

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
    """Targets on tiles, in the middle of the blocks that a network is shown.

    **Arguments:**

    - `image`: blocks `(batch, channels, *tile, D, ..., D)`.
    - `corner`: the first pixel of each tile, counted from that of its block.
    """

    image: MultiImage
    corner: Int[AnyArray, "batch dim"]

    def within(self, blocks: MultiImage) -> MultiImage:
        """What fields on the blocks are on the tiles."""
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
    """Windows of frames, of which an input shows a block and a target its tile.

    The samples `0` to `len(crops) - 1` are the tiles that cover the grid, of one window after another. A number
    `i + n * len(crops)` with `n > 0` is a tile of the same window drawn at random, the same for the same number.

    Nothing beyond the blocks is read.

    **Arguments:**

    - `windows`: the samples of the whole grid.
    - `tiling`: the blocks. Its halo is what all `future_steps` predictions together depend on.
    """

    def __init__(self, windows: Windows, tiling: Tiling):
        if tiling.spatial != windows.source.spatial:
            raise ArgumentError("grid of the tiling", got=tiling.spatial, expected=windows.source.spatial)
        self.windows = windows
        self.tiling = tiling

    def __len__(self) -> int:
        return len(self.windows) * self.tiling.count

    def locate(self, index: int) -> tuple[int, Place]:
        """The number of the window of a sample, and where its block lies."""
        draw, number = divmod(int(index), len(self))
        window, tile = divmod(number, self.tiling.count)
        if draw:
            return window, self.tiling.drawn(np.random.default_rng([draw, number]))
        return window, self.tiling.numbered(tile)

    def take(self, indices: np.ndarray | Sequence[int]) -> tuple[MultiImage, TileTarget]:
        """Read some samples; nothing of the file beyond their blocks is touched.

        **Arguments:**

        - `indices`: their numbers, at least one.

        **Returns:** inputs, blocks `(len(indices), channels, *block, D, ..., D)` in float32, and targets.

        **Raises:** as `Windows.take`.
        """
        located = [self.locate(int(index)) for index in np.atleast_1d(np.asarray(indices))]
        x, y = self.windows.take_blocks(
            [window for window, _ in located], self.tiling, [place for _, place in located]
        )
        return x, TileTarget(y, np.array([place.corner for _, place in located], np.int32))
