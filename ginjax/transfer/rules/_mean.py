"""`mean`: spreads a plain kernel evenly along the new axis.

This is the inflation of Carreira and Zisserman (https://arxiv.org/abs/1705.07750).
"""

from dataclasses import dataclass

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry

from ._named_rule import NamedRule


@dataclass(frozen=True)
class Mean:
    """The old kernel at every tap of the new axis, divided by the number of taps."""

    name = "mean"
    promises_compatibility = True
    spreads = True

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel spread evenly over all slices."""
        side = kernel.shape[-1]
        return np.repeat(kernel[..., None], side, axis=-1) / np.asarray(side, kernel.dtype)

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """The same number for each tap."""
        return np.full(axis.taps, 1 / axis.taps)


MEAN = NamedRule(Mean(), "spreads the kernel evenly along the new axis")
