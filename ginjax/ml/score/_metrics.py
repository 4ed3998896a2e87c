"""How far a forecast is from the truth, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError

METRICS: Mapping[str, str] = {"nrmse": "nRMSE", "vrmse": "VRMSE", "relative_l2": "relative L2"}
"""The names of the metrics and how they are written."""


@dataclass(frozen=True)
class Deviations:
    """Mean squares over the grid, summed over the components of a field; arrays of one shape.

    - `error`: of the difference.
    - `size`: of the truth.
    - `variance`: of the truth without its mean over the grid.

    The first axis runs over samples.
    """

    error: np.ndarray
    size: np.ndarray
    variance: np.ndarray

    def metrics(self) -> dict[str, np.ndarray]:
        r"""The metrics, with samples averaged out.

        - `nrmse`: `mean_n |e_n| / |y_n|`.
        - `vrmse`: `mean_n sqrt(<|e_n|^2> / <|y_n - <y_n>|^2>)`.
        - `relative_l2`: `sqrt(sum_n |e_n|^2 / sum_n |y_n|^2)`, all samples as one.

        A quotient is 0 where there is no error and infinite where there is one but nothing to compare it with.

        **Returns:** by name in `METRICS`, arrays of the shape of the deviations without the first axis.
        """
        return {
            "nrmse": _ratio(self.error, self.size).mean(axis=0),
            "vrmse": _ratio(self.error, self.variance).mean(axis=0),
            "relative_l2": _ratio(self.error.sum(axis=0), self.size.sum(axis=0)),
        }


def deviations(prediction: np.ndarray, truth: np.ndarray, D: int) -> Deviations:
    """Compare samples of one field with the truth, in float64.

    **Arguments:**

    - `prediction`, `truth`: `(samples, *spatial, D, ..., D)`.
    - `D`: number of spatial axes.

    **Returns:** arrays `(samples,)`.

    **Raises:** `ArgumentError` for arrays of different shapes.
    """
    # Unequal shapes would broadcast to a number that means nothing.
    if prediction.shape != truth.shape or truth.ndim < 1 + D:
        raise ArgumentError("shape of the prediction", got=prediction.shape, expected=truth.shape)
    guess, target = (
        np.asarray(each, np.float64).reshape(*each.shape[: 1 + D], -1) for each in (prediction, truth)
    )
    grid = tuple(range(1, 1 + D))
    with np.errstate(over="ignore", invalid="ignore"):  # a roll-out that blows up is a result
        return Deviations(
            _mean_square(guess - target, grid),
            _mean_square(target, grid),
            _mean_square(target - target.mean(axis=grid, keepdims=True), grid),
        )


def _mean_square(values: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    return np.square(values).mean(axis=grid).sum(axis=-1)


def _ratio(error: np.ndarray, size: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, np.sqrt(error / size))
