"""Smooth losses of single batches for display."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

FEW = 20
"""Curves with fewer points than this are drawn without smoothing."""

_MEANS = 20
"""Approximate number of windows in the length of a training."""


def smoothed(losses: Float[np.ndarray, " points"]) -> tuple[Float[np.ndarray, " points"], int]:
    """Compute running means over a window; geometric means if all losses are positive, because the axis is logarithmic.

    **Returns:** the means, and the number of points in a window, which is smaller at the ends.
    """
    half = max(1, len(losses) // _MEANS // 2)
    positive = bool((losses[np.isfinite(losses)] > 0).all())
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(losses) if positive else losses
    mean = np.array([np.mean(values[max(i - half, 0) : i + half + 1]) for i in range(len(losses))])
    return (np.exp(mean) if positive else mean), 2 * half + 1
