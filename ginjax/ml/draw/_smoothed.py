"""Losses of single batches, smoothed to be looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

FEW = 20
"""Fewer points than these are drawn as they are."""

_MEANS = 20
"""About how many means lie in the length of a training."""


def smoothed(losses: Float[np.ndarray, " points"]) -> tuple[Float[np.ndarray, " points"], int]:
    """The mean over a window about every point, of the part that lies within; geometric, since the axis is logarithmic.

    **Returns:** the means, and of how many points each is but at the ends.
    """
    half = max(1, len(losses) // _MEANS // 2)
    positive = bool((losses[np.isfinite(losses)] > 0).all())
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(losses) if positive else losses
    mean = np.array([np.mean(values[max(i - half, 0) : i + half + 1]) for i in range(len(losses))])
    return (np.exp(mean) if positive else mean), 2 * half + 1
