"""The nRMSE of fields that are processed part by part."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ginjax.geometric import Key, MultiImage


class NrmseSums:
    """Sums for `nrmse_loss`, collected part of the grid by part: squared norms of difference and target.

    A part has blocks `(batch, channels, *spatial, D, ..., D)`; each pixel of the grid is in exactly one part.
    """

    def __init__(self) -> None:
        self._error: dict[Key, Float[np.ndarray, "batch channels"]] = {}
        self._norm: dict[Key, Float[np.ndarray, "batch channels"]] = {}

    def add(self, prediction: MultiImage, target: MultiImage) -> None:
        """Add the squared norms of a part."""
        for key, block in target.items():
            true = np.asarray(block, np.float64)
            for sums, values in (
                (self._error, np.asarray(prediction[key], np.float64) - true),
                (self._norm, true),
            ):
                sums[key] = sums.get(key, 0) + np.square(values).reshape(*true.shape[:2], -1).sum(axis=2)

    def value(self) -> Float[np.ndarray, " batch"]:
        """Compute the nRMSE of each sample, as `nrmse_loss` with `reduce=None` does."""
        ratios = []
        for key, error in self._error.items():
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.sqrt(error) / np.sqrt(self._norm[key])
            ratios.append(np.where(error == 0, 0.0, ratio))
        return np.concatenate(ratios, axis=1).mean(axis=1)
