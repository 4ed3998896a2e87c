"""Cut grids that are too large for memory into tiles, and run a network tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from ginjax.checkpoint import DataContract
from ginjax.data import TileSides, Tiling
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import MultiImage, compiled
from ginjax.ml.task._frames import Frames
from ginjax.models import ReceptiveField, receptive_field, signature_of

BatchStep = Callable[[PyTree, MultiImage], tuple[MultiImage, MultiImage]]
"""`(model, x) -> (frame, next input)` for a batch, blocks `(batch, channels, *spatial, D, ..., D)`."""


@dataclass(frozen=True)
class Crop:
    """Parts of the grid that a network sees one at a time; build it with `Crop.of`.

    **Arguments:**

    - `sides`: pixels of a part along every axis, or by axis name.
    - `field`: the receptive field of the network.
    - `argument`: name of `sides` in error messages.
    """

    sides: TileSides
    field: ReceptiveField
    argument: str = "crop"

    @classmethod
    def of(cls, model: Any, contract: DataContract, sides: TileSides, argument: str = "crop") -> Crop:
        """Make the crop for a network and its data.

        **Arguments:**

        - `model`: the network.
        - `contract`: contract of the data, with the number of past frames in an input.
        - `sides`, `argument`: as for the class.

        **Raises:** `ArgumentError` for a network that looks at the whole field at once, see `receptive_field`.
        """
        try:
            field = receptive_field(model, signature_of(contract.inputs), contract.is_torus)
        except UnsupportedError as error:
            subject = f"`{argument}`: {error.subject}"
            raise ArgumentError(subject, got=error.got, expected=error.expected, hint=error.hint) from error
        return cls(sides, field, argument)

    def tiling(self, spatial: Sequence[int], steps: int = 1) -> Tiling:
        """Cut a grid into tiles, with a halo on which `steps` successive predictions depend.

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
        """Refuse parts that, together with their halo, are the whole grid.

        **Raises:** `ArgumentError` that says what would fit.
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
    """Make a compiled function that predicts the next frame and the input of the next step.

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
    """Predict tile by tile; the result differs from that on the whole field only by rounding.

    The device holds one tile at a time; whole fields stay on the host.

    **Arguments:**

    - `step`: from `make_batch_step`.
    - `model`: the network.
    - `x`: normalised inputs, NumPy blocks `(batch, channels, *spatial, D, ..., D)`.
    - `tiling`: the tiles, see `Crop.tiling`.

    **Returns:** the frame and the input of the next step, in NumPy.
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
