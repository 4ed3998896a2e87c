"""Errors of rollouts, in normalised units, where the mean of the field has an error of 1."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import PyTree

from ginjax.geometric import MultiImage, compiled
from ginjax.ml import nrmse_loss


@compiled
def _errors(model: PyTree, start: MultiImage, truth: MultiImage) -> jax.Array:
    def step(x: MultiImage, y: MultiImage) -> tuple[MultiImage, jax.Array]:
        x = jax.vmap(lambda sample: model(sample)[0])(x)
        return x, nrmse_loss(x, y, reduce=None)

    return jax.lax.scan(step, start, truth)[1]


@compiled
def _unchanged(start: MultiImage, truth: MultiImage) -> jax.Array:
    return jax.lax.map(lambda y: nrmse_loss(start, y, reduce=None), truth)


def rollout_errors(model: PyTree, rollouts: tuple[MultiImage, MultiImage]) -> np.ndarray:
    """nRMSE of a network, `(steps, trajectories)`; infinite where it is no number.

    **Arguments:**

    - `model`: for one sample.
    - `rollouts`: the first frames `(trajectories, channels, ...)` and the true ones after them, time in front.
    """
    errors = np.asarray(_errors(model, *rollouts), np.float64)
    return np.where(np.isfinite(errors), errors, np.inf)


def unchanged_errors(rollouts: tuple[MultiImage, MultiImage]) -> np.ndarray:
    """The same for the forecast that nothing changes."""
    return np.asarray(_unchanged(*rollouts), np.float64)


def diverged(errors: np.ndarray) -> float:
    """The share of trajectories on which a forecast is at any step no number or further off than the mean."""
    return float(np.mean(np.any(~(errors <= 1), axis=0)))
