"""`tile`: spreads a plain kernel over as many slices as its stride, so that every slice is read."""

from dataclasses import dataclass

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry

from ._named_rule import NamedRule
from ._profile import central_tap, tiling_taps


@dataclass(frozen=True)
class Tile:
    """The old kernel divided by the stride, at as many taps of the new axis; at stride 1 the same as `centre`."""

    name = "tile"
    promises_compatibility = True
    spreads = False

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel in the central slice, as for stride 1."""
        side = kernel.shape[-1]
        return kernel[..., None] * central_tap(AxisGeometry(side)).astype(kernel.dtype)

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """One number for each tap; see `tiling_taps`."""
        return tiling_taps(axis)


TILE = NamedRule(
    Tile(),
    "spreads the kernel over as many slices as its stride has",
    compared_at=(),  # the library's own plain networks have stride 1, where it is centre
)
