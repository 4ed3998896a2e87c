"""`mean`: a plain kernel spread evenly along the new axis, as Carreira and Zisserman inflate (https://arxiv.org/abs/1705.07750)."""

from dataclasses import dataclass

import numpy as np

from ginjax.transfer._axis_geometry import AxisGeometry

from ._named_rule import NamedRule


@dataclass(frozen=True)
class Mean:
    """The old kernel at every tap of the new axis, divided by their number."""

    name = "mean"
    promises_compatibility = True
    spreads = True

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel spread evenly over all slices."""
        side = kernel.shape[-1]
        return np.repeat(kernel[..., None], side, axis=-1) / np.asarray(side, kernel.dtype)

    def profile(self, axis: AxisGeometry) -> np.ndarray:
        """One number a tap, all alike."""
        return np.full(axis.taps, 1 / axis.taps)


MEAN = NamedRule(Mean(), "spreads the kernel evenly along the new axis")
