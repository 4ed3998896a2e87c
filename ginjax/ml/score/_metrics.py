"""How far a forecast is from the truth, field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Num

from ginjax._registry import Registry, named
from ginjax.errors import ArgumentError


@dataclass(frozen=True)
class Deviations:
    """Mean squares over the grid, summed over the components of a field: three arrays of the same shape.

    **Arguments:**

    - `error`: mean square of the difference.
    - `size`: mean square of the truth.
    - `variance`: mean square of the truth minus its mean over the grid.

    The first axis (`batch`) runs over samples.
    """

    error: Float[np.ndarray, "batch *rest"]
    size: Float[np.ndarray, "batch *rest"]
    variance: Float[np.ndarray, "batch *rest"]

    def metrics(self) -> dict[str, Float[np.ndarray, "*rest"]]:
        """Compute all metrics, averaged over the samples.

        A quotient is 0 if the error is 0, and infinite if the error is not 0 but the denominator is.

        **Returns:** by name in `METRICS`, arrays of the shape of the deviations without the first axis.

        **Raises:** `ArgumentError` for a metric that returns another shape.
        """
        return {name: metric(self) for name, metric in METRICS.items()}


@dataclass(frozen=True)
class Metric:
    """A metric: one number for the error of a field at one step.

    **Arguments:**

    - `name`: name in the evaluation's JSON and in arguments.
    - `label`: name in tables and pictures.
    - `measure`: computes the metric, averaged over samples: an array of the shape of the deviations without the first axis.
    """

    name: str
    label: str
    measure: Callable[[Deviations], Float[np.ndarray, "*rest"]]

    def __call__(self, found: Deviations) -> Float[np.ndarray, "*rest"]:
        values = np.asarray(self.measure(found))
        if values.shape != found.error.shape[1:]:
            raise ArgumentError(
                f"metric {self.name!r}",
                got=f"values of shape {values.shape} from deviations of shape {found.error.shape}",
                expected=f"shape {found.error.shape[1:]}: samples averaged out",
            )
        return values


def _nrmse(found: Deviations) -> np.ndarray:
    """`mean_n |e_n| / |y_n|`."""
    return _ratio(found.error, found.size).mean(axis=0)


def _vrmse(found: Deviations) -> np.ndarray:
    """`mean_n sqrt(<|e_n|^2> / <|y_n - <y_n>|^2>)`."""
    return _ratio(found.error, found.variance).mean(axis=0)


def _relative_l2(found: Deviations) -> np.ndarray:
    """`sqrt(sum_n |e_n|^2 / sum_n |y_n|^2)`, over all samples together."""
    return _ratio(found.error.sum(axis=0), found.size.sum(axis=0))


METRICS = Registry(
    "metric",
    {
        metric.name: metric
        for metric in (
            Metric("nrmse", "nRMSE", _nrmse),
            Metric("vrmse", "VRMSE", _vrmse),
            Metric("relative_l2", "relative L2", _relative_l2),
        )
    },
    home="ginjax.ml.score._metrics:METRICS",
    group="ginjax.metrics",
    check=named("metric", Metric, "ginjax.ml.Metric"),
)
"""The metrics of evaluations by name: the library's own, then those of `register_metric` and of installed packages."""


def metric_label(name: str) -> str:
    """The label of a metric in tables and pictures; its name if it is not registered here."""
    return METRICS[name].label if name in METRICS else name


def register_metric(metric: Metric) -> Metric:
    """Register a metric that evaluations measure, until the program ends.

    **Arguments:**

    - `metric`: its name, label and function.

    **Returns:** `metric`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return METRICS.add(metric.name, metric)


def deviations(
    prediction: Num[np.ndarray, "batch *field"], truth: Num[np.ndarray, "batch *field"], D: int
) -> Deviations:
    """Compare samples of one field with the truth, in float64.

    **Arguments:**

    - `prediction`, `truth`: `(batch, *spatial, D, ..., D)`.
    - `D`: number of spatial axes.

    **Returns:** arrays `(batch,)`.

    **Raises:** `ArgumentError` for arrays of different shapes.
    """
    # Unequal shapes would broadcast to a meaningless number.
    if prediction.shape != truth.shape or truth.ndim < 1 + D:
        raise ArgumentError("shape of the prediction", got=prediction.shape, expected=truth.shape)
    guess, target = (
        np.asarray(each, np.float64).reshape(*each.shape[: 1 + D], -1) for each in (prediction, truth)
    )
    grid = tuple(range(1, 1 + D))
    with np.errstate(over="ignore", invalid="ignore"):  # a rollout that blows up is a result
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
