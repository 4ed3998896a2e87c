"""The losses of training by name."""

from __future__ import annotations

from collections.abc import Callable

from jax import Array
from jaxtyping import Float

from ginjax._registry import Registry
from ginjax.errors import ArgumentError
from ginjax.geometric import TINY, MultiImage
from ginjax.ml.score._losses import normalized_smse_loss, nrmse_loss, smse_loss

Loss = Callable[[MultiImage, MultiImage], Float[Array, ""]]
"""`(prediction, target) -> scalar`, both with blocks `(batch, channels, *spatial, D, ..., D)`; differentiable in JAX."""

DEFAULT_LOSS = "smse"

PIXEL_FLOOR = 0.1
"""Added to the squared norm at a pixel, where fields have unit scale. Without it, the few pixels at which a field passes
through zero dominate the training: with 1e-5 networks end up worse than predicting no change.
"""


def _nrmse(prediction: MultiImage, target: MultiImage) -> Float[Array, ""]:
    """`nrmse_loss`, finite where the target vanishes."""
    return nrmse_loss(prediction, target, eps=TINY)


def _normalized_smse(prediction: MultiImage, target: MultiImage) -> Float[Array, ""]:
    return normalized_smse_loss(prediction, target, eps=PIXEL_FLOOR)


def _check(name: str, loss: Loss) -> None:
    if not callable(loss):
        raise ArgumentError(
            f"loss {name!r}", got=type(loss).__name__, expected="a function (prediction, target) -> scalar"
        )


LOSSES: Registry[Loss] = Registry(
    "loss",
    {DEFAULT_LOSS: smse_loss, "nrmse": _nrmse, "normalized-smse": _normalized_smse},
    home="ginjax.ml.score._loss_registry:LOSSES",
    group="ginjax.losses",
    check=_check,
)
"""The losses of training by name: the library's own, then those of `register_loss` and of installed packages.

- `smse`: `smse_loss`, the squared error. Large fields and samples have more weight.
- `nrmse`: `nrmse_loss` with an `eps` of 1e-5, the error of every sample and channel relative to its size.
- `normalized-smse`: `normalized_smse_loss` with an `eps` of 0.1, the squared error relative to the field at each pixel.
"""


def register_loss(name: str, loss: Loss) -> Loss:
    """Register a loss that training can minimise, until the program ends.

    **Arguments:**

    - `name`: name of the loss, as in `TrainSettings(loss=name)`.
    - `loss`: `(prediction, target) -> scalar`, written in JAX; both have blocks `(batch, channels, *spatial, D, ..., D)`
      with the same keys.

    **Returns:** `loss`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return LOSSES.add(name, loss)
