"""Fields beyond memory: a grid cut into tiles, and a step of a network made tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from ginjax.checkpoint import DataContract
from ginjax.data import TileSides, Tiling
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, compiled
from ginjax.ml.task._frames import Frames
from ginjax.models import ReceptiveField, receptive_field, signature_of

BatchStep = Callable[[PyTree, MultiImage], tuple[MultiImage, MultiImage]]
"""`(model, x) -> (frame, next input)` of a batch, blocks `(batch, channels, *spatial, D, ..., D)`."""


@dataclass(frozen=True)
class Crop:
    """Parts of the grid that a network is shown at a time; build it with `Crop.of`.

    **Arguments:**

    - `sides`: pixels of a part along every axis, or by the name of the axis.
    - `field`: how far the network looks.
    - `argument`: what messages call `sides`.
    """

    sides: TileSides
    field: ReceptiveField
    argument: str = "crop"

    @classmethod
    def of(cls, model: Any, contract: DataContract, sides: TileSides, argument: str = "crop") -> Crop:
        """For a network and the data that it is for.

        **Arguments:**

        - `model`: the network.
        - `contract`: of the data, with the past frames that it sees.
        - `sides`, `argument`: as above.

        **Raises:** `UnsupportedError` for a network that looks at the whole field at once, see `receptive_field`.
        """
        return cls(sides, receptive_field(model, signature_of(contract.inputs), contract.is_torus), argument)

    def tiling(self, spatial: Sequence[int], steps: int = 1) -> Tiling:
        """How a grid is cut, with a halo of what so many predictions, each made from those before it, depend on.

        **Raises:** `ArgumentError` for an axis that is not there, or a side that the down-samplings do not divide.
        """
        return Tiling.of(
            spatial,
            self.field.wraps,
            self.sides,
            halo=steps * self.field.halo,
            factor=self.field.factor,
            argument=self.argument,
        )

    def check_smaller(self, spatial: Sequence[int], steps: int = 1) -> None:
        """Refuse parts which, with what they depend on, are the whole grid.

        **Raises:** `ArgumentError` with what would do.
        """
        tiling = self.tiling(spatial, steps)
        if not tiling.is_whole:
            return
        tile, grid = ("x".join(map(str, each)) for each in (_asked(tiling, self.sides), tiling.spatial))
        looks = (
            f"of {tiling.halo} pixels, how far the network looks{f' in {steps} steps' if steps > 1 else ''}"
        )
        raise ArgumentError(
            f"`{self.argument}`",
            got=f"{tile}, which with a halo {looks}, is the whole grid of {grid}",
            expected=f"less than {max(tiling.spatial) - 2 * tiling.halo} pixels along an axis"
            if max(tiling.spatial) > 2 * tiling.halo
            else f"a network that looks less far, with fewer `blocks`, or no `{self.argument}`",
        )


def _asked(tiling: Tiling, sides: TileSides) -> tuple[int, ...]:
    named = dict.fromkeys("xyz", sides) if isinstance(sides, int) else dict(sides)
    return tuple(named.get(axis, n) for axis, n in zip("xyz", tiling.spatial, strict=False))


def make_batch_step(frames: Frames) -> BatchStep:
    """A compiled prediction of the next frame, and of the input of the step after it.

    **Arguments:**

    - `frames`: the layout of inputs and predictions.
    """

    @compiled
    def step(model: PyTree, x: MultiImage) -> tuple[MultiImage, MultiImage]:
        predicted = jax.vmap(lambda sample: model(sample)[0])(x)
        return frames.as_fields(x, predicted), frames.next_input(x, predicted)

    return step


def step_by_tiles(
    step: BatchStep, model: PyTree, x: MultiImage, tiling: Tiling
) -> tuple[MultiImage, MultiImage]:
    """A prediction made tile by tile, which differs from that of the whole field by rounding only.

    The device holds one block at a time; whole fields stay on the host.

    **Arguments:**

    - `step`: from `make_batch_step`.
    - `model`: the network.
    - `x`: normalised inputs, NumPy blocks `(batch, channels, *spatial, D, ..., D)`.
    - `tiling`: how the grid is cut, see `Crop.tiling`.

    **Returns:** the frame, and the input of the step after it, in NumPy.
    """
    whole = {key: np.asarray(block) for key, block in x.items()}
    made: tuple[dict[Any, np.ndarray], dict[Any, np.ndarray]] = ({}, {})
    for place in tiling.places():
        block = MultiImage(
            {key: tiling.cut(values, place, 2) for key, values in whole.items()}, x.D, x.is_torus
        )
        into = tuple(slice(t, t + side) for t, side in zip(place.tile, tiling.tile, strict=True))
        for found, image in zip(made, step(model, block), strict=True):
            for key, values in image.items():
                tile = np.asarray(values)[tiling.within(place, 2)]
                if key not in found:
                    rest = tile.shape[2 + x.D :]
                    found[key] = np.empty((*tile.shape[:2], *tiling.spatial, *rest), tile.dtype)
                found[key][(slice(None), slice(None), *into)] = tile
    frame, following = (MultiImage(found, x.D, x.is_torus) for found in made)
    return frame, following
