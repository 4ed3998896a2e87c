"""`tile`: a plain kernel spread over as many slices as its stride passes over, so that none goes unread."""

from dataclasses import dataclass

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry

from ._named_rule import NamedRule
from ._profile import central_tap, tiling_taps


@dataclass(frozen=True)
class Tile:
    """The old kernel, divided by the stride, at as many taps of the new axis; at stride 1 what `centre` does."""

    name = "tile"
    promises_compatibility = True
    spreads = False

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel in the central slice, as for a stride of one."""
        side = kernel.shape[-1]
        return kernel[..., None] * central_tap(AxisGeometry(side)).astype(kernel.dtype)

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """One number a tap; see `tiling_taps`."""
        return tiling_taps(axis)


TILE = NamedRule(
    Tile(),
    "spreads the kernel over as many slices as its stride has",
    compared_at=(),  # the library's own plain networks have stride 1, where it is centre
)
