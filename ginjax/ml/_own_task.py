"""Samples of the task that a model was trained for, cut out of data of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ginjax.data import Source, Windows, select_fields
from ginjax.geometric import MultiImage
from ginjax.ml._frames import Frames
from ginjax.ml._losses import nrmse_loss
from ginjax.ml._one_step import OneStepError, predict
from ginjax.ml._rollout import Forecaster
from ginjax.ml._samples import Samples


@dataclass(frozen=True)
class OwnTask:
    """What a model is asked for, on some data: past frames and constants in, one frame or its change out.

    Everything is in the scales that the model was trained with, so the same samples serve the model itself and, in
    their dimension, whatever it is converted to. Build it with `OwnTask.of`.

    - `windows`: all samples there are; `indices`: those to be used.
    - `frames`: the layout of inputs and predictions.
    """

    windows: Windows
    indices: np.ndarray
    frames: Frames

    @classmethod
    def of(
        cls,
        forecaster: Forecaster,
        source: Source,
        trajectories: Sequence[int] | None = None,
        samples: int | None = None,
    ) -> OwnTask:
        """Cut data into samples for a model.

        **Arguments:**

        - `forecaster`: the model, or the same without a network (see `Forecaster.in_dimension`).
        - `source`: data in its dimension; fields that the model does not know are left out.
        - `trajectories`: which of them to use; all by default.
        - `samples`: at most so many, spread evenly over all there are.

        **Raises:** `ArgumentError` for data that do not fit the model.
        """
        past = forecaster.frames.past_steps
        forecaster.check(source, past + 1)
        windows = Windows(
            select_fields(source, forecaster.schema, forecaster.constants),
            forecaster.normalisation,
            past_steps=past,
            residual=forecaster.frames.increments is not None,
            trajectories=trajectories,
        )
        count = len(windows) if samples is None else min(samples, len(windows))
        indices = np.linspace(0, len(windows) - 1, count).round().astype(int)
        return cls(windows, indices, forecaster.frames)

    def pairs(self) -> tuple[MultiImage, MultiImage]:
        """Inputs and targets of the chosen samples, blocks `(samples, channels, *spatial, D, ..., D)`."""
        return self.windows.take(self.indices)

    def error(self, model: Any, batch_size: int = 8) -> OneStepError:
        """The error of a model on the next frame, beside predicting no change."""
        return next_frame_error(model, self.windows, self.indices, self.frames, batch_size)


def next_frame_error(
    model: Any, samples: Samples, indices: np.ndarray, frames: Frames, batch_size: int
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
