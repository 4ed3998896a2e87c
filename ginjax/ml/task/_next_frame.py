"""How well a network predicts the next frame."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Int, PyTree

from ginjax.geometric import MultiImage, compiled
from ginjax.ml.score import nrmse_loss
from ginjax.ml.task._frames import Frames
from ginjax.ml.task._samples import Samples


@dataclass(frozen=True)
class OneStepError:
    """Normalised root-mean-square errors of a one-step prediction, see `nrmse_loss`.

    **Arguments:**

    - `model`: of the network; `persistence`: of predicting no change.
    """

    model: float
    persistence: float

    @property
    def learned(self) -> bool:
        """Whether the network does better than predicting no change, and better than predicting the mean, whose error is 1."""
        return self.model < min(self.persistence, 1.0)

    def __str__(self) -> str:
        return f"{self.model:.4g}, and {self.persistence:.4g} of predicting no change"


@compiled
def predict(model: PyTree, x: MultiImage) -> MultiImage:
    """The prediction of a model for a batch, blocks `(batch, channels, *spatial, D, ..., D)`."""
    return jax.vmap(lambda sample: model(sample)[0])(x)


def next_frame_error(
    model: PyTree, samples: Samples, indices: Int[np.ndarray, " batch"], frames: Frames, batch_size: int
) -> OneStepError:
    """The mean nRMSE of predicted frames, in normalised units, beside that of the frames before them.

    **Arguments:**

    - `model`: the network, for one sample.
    - `samples`, `indices`: pairs whose targets are one frame or its change, and which of them to use.
    - `frames`: the layout of inputs and predictions.
    - `batch_size`: samples evaluated at once.
    """
    total, unchanged = 0.0, 0.0
    for start in range(0, len(indices), batch_size):
        x, y = samples.take(indices[start : start + batch_size])
        truth = frames.as_fields(x, y)
        count = truth.get_L()
        total += float(nrmse_loss(frames.as_fields(x, predict(model, x)), truth)) * count
        unchanged += float(nrmse_loss(frames.newest(x, truth), truth)) * count
    return OneStepError(total / len(indices), unchanged / len(indices))
