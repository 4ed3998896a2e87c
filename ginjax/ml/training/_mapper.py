"""Make a `map_and_loss` function from the names of losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree

from ginjax.errors import ArgumentError
from ginjax.geometric import Losses, MultiImage
from ginjax.ml.score import Reduce as Reduce
from ginjax.ml.score import (
    l2_per_pixel_rel_error,
    l2_rel_error,
    nrmse_loss,
    nrmse_per_pixel_loss,
    smse_loss,
)
from ginjax.ml.training._update import over_batch

_RELATIVE = {
    Losses.NRMSE: nrmse_loss,
    Losses.NRMSE_PER_PIXEL: nrmse_per_pixel_loss,
    Losses.L2_REL: l2_rel_error,
    Losses.L2_REL_PER_PIXEL: l2_per_pixel_rel_error,
}


@dataclass(frozen=True, init=False)
class Mapper:
    """A function that maps a batch through a model and compares it with the truth by one or more losses.

    **Arguments:**

    - `losses`: a list of `ginjax.geometric.Losses`.
    - `residual`: whether the model predicts the change since the last channel of each block of the input; that channel is
      then added to the prediction.
    - `reduce`: "mean" over the batch, or None for one value per sample.
    - `eps`: added to the norms by which the relative losses divide.

    **Raises:** `ArgumentError` if there are no losses, or one of them is not a loss.
    """

    losses: tuple[Losses, ...]
    residual: bool
    reduce: Reduce
    eps: float

    def __init__(
        self, losses: Sequence[Losses], residual: bool = False, reduce: Reduce = "mean", eps: float = 0
    ):
        if not losses or not all(isinstance(loss, Losses) for loss in losses):
            raise ArgumentError(
                "losses",
                got=losses,
                expected="a list of " + ", ".join(f"Losses.{loss.name}" for loss in Losses),
            )
        for name, value in (
            ("losses", tuple(losses)), ("residual", residual), ("reduce", reduce), ("eps", eps),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    def map(self, model: PyTree, x: MultiImage, aux_data: PyTree = None) -> tuple[MultiImage, PyTree]:
        """Predict a batch.

        **Arguments:**

        - `model`: `(sample, aux_data) -> (prediction, aux_data)`.
        - `x`: blocks `(batch, channels, *spatial, D, ..., D)`.
        - `aux_data`: state of the model, such as batch statistics.

        **Returns:** the prediction and the new state.
        """
        y, aux_data = over_batch(model)(x, aux_data)
        if self.residual:
            for key in y:
                if key not in x:
                    raise ArgumentError(
                        "residual", got=f"a prediction of {key}", expected="keys of the input"
                    )
            y = MultiImage({key: block + x[key][:, -1:] for key, block in y.items()}, y.D, y.is_torus)
        return y, aux_data

    def __call__(
        self, model: PyTree, x: MultiImage, y: MultiImage, aux_data: PyTree = None
    ) -> tuple[Float[Array, "..."], PyTree]:
        """Compute the losses of a batch: a single value, or several losses along the last axis.

        **Arguments:** those of `map`, and `y`, the truth.

        **Returns:** the losses and the new state.
        """
        prediction, aux_data = self.map(model, x, aux_data)
        values = [self._value(loss, prediction, y) for loss in self.losses]
        return (values[0] if len(values) == 1 else jnp.stack(values, axis=-1)), aux_data

    def _value(self, loss: Losses, prediction: MultiImage, truth: MultiImage) -> Any:
        if loss is Losses.SMSE:
            return smse_loss(prediction, truth, self.reduce)
        return _RELATIVE[loss](prediction, truth, self.reduce, self.eps)
