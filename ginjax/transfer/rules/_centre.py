"""`centre`: a plain kernel in the central slice of the new axis, as in ACSConv and timm_3d."""

from dataclasses import dataclass

import numpy as np

from ._named_rule import NamedRule


@dataclass(frozen=True)
class Centre:
    """The old kernel in the middle of the new axis, zeros beside it; of an even side the lower middle."""

    name = "centre"
    promises_compatibility = True
    spreads = False

    def along_new_axis(self, kernel: np.ndarray) -> np.ndarray:
        side = kernel.shape[-1]
        middle = np.zeros(side, kernel.dtype)
        middle[(side - 1) // 2] = 1
        return kernel[..., None] * middle


CENTRE = NamedRule(Centre(), "puts the kernel in the central slice of the new axis")
