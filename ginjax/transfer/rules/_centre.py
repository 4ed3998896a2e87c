"""`centre`: puts a plain kernel into one slice of the new axis."""

from dataclasses import dataclass

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry

from ._named_rule import NamedRule
from ._profile import central_tap


@dataclass(frozen=True)
class Centre:
    """The old kernel in the middle of the new axis, with zeros beside it; for an even side, in the lower middle slice."""

    name = "centre"
    promises_compatibility = True
    spreads = False

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel in the central slice, with zeros beside it."""
        side = kernel.shape[-1]
        middle = np.zeros(side, kernel.dtype)
        middle[(side - 1) // 2] = 1
        return kernel[..., None] * middle

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """One number for each tap; see `central_tap`."""
        return central_tap(axis)


CENTRE = NamedRule(Centre(), "puts the kernel in the central slice of the new axis")
