"""The results of rollouts: errors step by step, spectra, physical quantities, and one trajectory to look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import DataContract
from ginjax.ml.forecast._forecaster import Fields

SPECTRA_KEPT = 64
"""The most trajectories whose spectra are kept one by one."""

Curves = Mapping[str, Mapping[str, Float[np.ndarray, " steps"]]]
"""By field and metric, one value for each step."""

Spectra = Mapping[str, Mapping[str, Float[np.ndarray, " shells"]]]
"""By field, then "truth" or the name of the forecast: the mean energy in each shell."""

CurvesByTrajectory = Mapping[str, Mapping[str, Float[np.ndarray, "trajectories steps"]]]
"""By field and metric, one row for each trajectory."""

SpectraByTrajectory = Mapping[str, Mapping[str, Float[np.ndarray, "trajectories shells"]]]
"""By field, then "truth" or the name of the forecast: the energy in each shell of each trajectory."""

Quantities = Mapping[str, Mapping[str, Mapping[str, Float[np.ndarray, " steps"]]]]
"""By field and quantity, then "truth" or the name of the forecast: the mean over trajectories at each step."""

QuantitiesByTrajectory = Mapping[str, Mapping[str, Mapping[str, Float[np.ndarray, "trajectories steps"]]]]
"""As `Quantities`, with one row for each trajectory."""


@dataclass(frozen=True)
class RolloutStudy:
    """Errors, energy spectra and samples of rollouts, beside the truth.

    **Arguments:**

    - `errors`: the error curves by forecast.
    - `lost_at`: by forecast, the first step with NaN or infinity in any trajectory; None if there is none.
    - `shown_step`: the last step at which the first forecast is finite (1 if there is none); `spectra` belong to this step.
    - `spectra`: by field, then "truth" or forecast: the mean energy in each shell.
    - `quantities`: physical quantities of the frames, see `ginjax.ml.quantities`.
    - `samples`: fields of the first trajectory by step, then "truth" or forecast. The steps are the first one, and the last one
      before the first batch is lost.
    - `contract`: what is known about the data; None if nothing is.
    - `grid`: grid points along each axis; empty if they are not known.
    - `errors_by_trajectory`: as `errors`, with an array `(trajectories, steps)` for each metric.
    - `quantities_by_trajectory`: as `quantities`, with an array `(trajectories, steps)` for each forecast.
    - `spectra_by_trajectory`: as `spectra`, with an array `(trajectories, shells)` each, for the first `SPECTRA_KEPT`
      trajectories.
    """

    steps: int
    trajectories: int
    errors: Mapping[str, Curves]
    lost_at: Mapping[str, int | None]
    shown_step: int
    spectra: Spectra
    samples: Mapping[int, Mapping[str, Fields]]
    quantities: Quantities = dataclasses.field(default_factory=dict)
    contract: DataContract | None = None
    grid: tuple[int, ...] = ()
    errors_by_trajectory: Mapping[str, CurvesByTrajectory] = dataclasses.field(default_factory=dict)
    quantities_by_trajectory: QuantitiesByTrajectory = dataclasses.field(default_factory=dict)
    spectra_by_trajectory: SpectraByTrajectory = dataclasses.field(default_factory=dict)

    def deviation(self, forecast: str, field: str, metric: str) -> Float[np.ndarray, " steps"] | None:
        """Compute the standard deviation of a metric over the trajectories, step by step.

        **Arguments:**

        - `forecast`, `field`, `metric`: as in `errors`.

        **Returns:** `sqrt(sum_n (e_n - <e>)^2 / (N - 1))`, where `e_n` is the metric of one of the `N` trajectories. None for a
        single trajectory, or if the values by trajectory were not kept.
        """
        return _deviation(self.errors_by_trajectory.get(forecast, {}).get(field, {}).get(metric))

    def quantity_deviation(
        self, field: str, quantity: str, forecast: str
    ) -> Float[np.ndarray, " steps"] | None:
        """Compute the standard deviation of a physical quantity over the trajectories, step by step.

        **Arguments:**

        - `field`, `quantity`, `forecast`: as in `quantities`; `forecast` may be "truth".
        """
        return _deviation(self.quantities_by_trajectory.get(field, {}).get(quantity, {}).get(forecast))

    def renamed(self, names: Mapping[str, str]) -> RolloutStudy:
        """Rename some of the forecasts.

        **Arguments:**

        - `names`: the new names, by the present names.
        """

        def by_forecast(found: Mapping[str, Any]) -> dict[str, Any]:
            return {names.get(name, name): value for name, value in found.items()}

        def within(found: Mapping[Any, Mapping[str, Any]]) -> dict[Any, dict[str, Any]]:
            return {key: by_forecast(each) for key, each in found.items()}

        return dataclasses.replace(
            self,
            errors=by_forecast(self.errors),
            lost_at=by_forecast(self.lost_at),
            spectra=within(self.spectra),
            samples=within(self.samples),
            quantities={field: within(each) for field, each in self.quantities.items()},
            errors_by_trajectory=by_forecast(self.errors_by_trajectory),
            quantities_by_trajectory={
                field: within(each) for field, each in self.quantities_by_trajectory.items()
            },
            spectra_by_trajectory=within(self.spectra_by_trajectory),
        )


def _deviation(values: Float[np.ndarray, "trajectories steps"] | None) -> Float[np.ndarray, " steps"] | None:
    if values is None or len(values) < 2:
        return None
    with np.errstate(invalid="ignore", over="ignore"):  # for a rollout that blows up
        return values.std(axis=0, ddof=1)
