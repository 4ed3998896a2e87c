"""The criterion by which a tuning chooses its weights: rollouts, which can get worse while single steps get better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import PyTree

from ginjax.ml.task import Crop, Frames, Judged, rollout_errors


def judge(judged: Judged, frames: Frames, crop: Crop | None = None) -> Callable[[PyTree, PyTree], float]:
    """Make the error of a model as a function `(model, aux_data) -> error`, compiled once.

    The error is `sqrt(e_1 e_k)` with the nRMSE `e_1` of one step and `e_k` of the last step of the rollouts. So a
    factor gained in one of them counts as much as in the other, and is cancelled by the same factor lost in the other.

    **Arguments:**

    - `judged`: the held-out frames.
    - `frames`: the layout of inputs and predictions.
    - `crop`: as in `rollout_errors`.
    """
    one = rollout_errors(judged.ones, judged.one_indices, frames, crop=crop)
    roll = rollout_errors(judged.rolls, judged.roll_indices, frames, crop=crop)

    def error(model: PyTree, aux_data: PyTree) -> float:
        del aux_data
        return float(np.sqrt(one(model)[-1] * roll(model)[-1]))

    return error
