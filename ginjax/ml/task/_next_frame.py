"""The error of a network that predicts the next frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Int, PyTree

from ginjax.data import Crops, Windows
from ginjax.geometric import MultiImage, compiled
from ginjax.ml.score import NrmseSums, nrmse_loss
from ginjax.ml.task._crop import Crop
from ginjax.ml.task._frames import Frames
from ginjax.runs import plus_minus, spread_of


@dataclass(frozen=True)
class OneStepError:
    """The one-step error: the error of the next frame predicted from true frames, over every frame of some trajectories.

    It is the normalised root-mean-square error of `nrmse_loss`: a mean over all fields in normalised units and over all
    frames that can be predicted. The error at step 1 of a rollout is another number, because it covers only the first frames.

    **Arguments:**

    - `model`: error of the network.
    - `persistence`: error of predicting no change.
    - `frames`, `trajectories`: number of predicted frames and of their trajectories; 0 if not known.
    - `deviation`, `persistence_deviation`: standard deviation of the means of the trajectories; None for a single one.
    """

    model: float
    persistence: float
    frames: int = 0
    trajectories: int = 0
    deviation: float | None = None
    persistence_deviation: float | None = None

    @property
    def learned(self) -> bool:
        """Whether the network is better than predicting no change and than predicting the mean, whose error is 1."""
        return self.model < min(self.persistence, 1.0)

    def __str__(self) -> str:
        unchanged = plus_minus(self.persistence, self.persistence_deviation)
        return f"{plus_minus(self.model, self.deviation)}, and {unchanged} of predicting no change"

    def to_json(self) -> dict[str, float | int]:
        """A plain JSON object, without unknown values."""
        found = {
            "model": self.model,
            "persistence": self.persistence,
            "frames": self.frames,
            "trajectories": self.trajectories,
            "deviation": self.deviation,
            "persistence_deviation": self.persistence_deviation,
        }
        return {name: value for name, value in found.items() if value is not None}


@compiled
def predict(model: PyTree, x: MultiImage) -> MultiImage:
    """Predict a batch, blocks `(batch, channels, *spatial, D, ..., D)`."""
    return jax.vmap(lambda sample: model(sample)[0])(x)


def next_frame_error(
    model: PyTree,
    samples: Windows,
    indices: Int[np.ndarray, " batch"],
    frames: Frames,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
    crop: Crop | None = None,
) -> OneStepError:
    """Measure the mean nRMSE of predicted frames, in normalised units, and that of predicting no change.

    **Arguments:**

    - `model`: the network, which takes one sample.
    - `samples`: pairs whose targets are one frame or its change.
    - `indices`: numbers of the samples to use.
    - `frames`: the layout of inputs and predictions.
    - `batch_size`: samples evaluated at once.
    - `progress`: called as `progress(done, total)`, counting samples.
    - `crop`: parts of the grid that are read and predicted one after the other, to save memory; None for all at once.
    """
    tiling = None if crop is None else crop.tiling(samples.source.spatial)
    by_tiles = None if tiling is None or tiling.is_whole else Crops(samples, tiling)
    mine: list[np.ndarray] = []
    unchanged: list[np.ndarray] = []
    for start in range(0, len(indices), batch_size):
        chosen = indices[start : start + batch_size]
        found = (
            _errors(model, *samples.take(chosen), frames)
            if by_tiles is None
            else _errors_by_tiles(model, by_tiles, chosen, frames)
        )
        mine.append(found[0])
        unchanged.append(found[1])
        if progress is not None:
            progress(min(start + batch_size, len(indices)), len(indices))
    of = np.array([samples.locate(int(index))[0] for index in indices])
    (model_mean, deviation), (mean, mean_deviation) = (
        _over_trajectories(np.concatenate(each), of) for each in (mine, unchanged)
    )
    return OneStepError(model_mean, mean, len(indices), len(np.unique(of)), deviation, mean_deviation)


def _errors(
    model: PyTree, x: MultiImage, y: MultiImage, frames: Frames
) -> tuple[Float[np.ndarray, " batch"], Float[np.ndarray, " batch"]]:
    """Compute the nRMSE of each sample, of the model and of no change."""
    truth = frames.as_fields(x, y)
    mine = nrmse_loss(frames.as_fields(x, predict(model, x)), truth, None)
    unchanged = nrmse_loss(frames.newest(x, truth), truth, None)
    return np.asarray(mine, np.float64), np.asarray(unchanged, np.float64)


def _errors_by_tiles(
    model: PyTree, crops: Crops, indices: Int[np.ndarray, " batch"], frames: Frames
) -> tuple[Float[np.ndarray, " batch"], Float[np.ndarray, " batch"]]:
    """Compute the same as `_errors`, tile by tile."""
    mine, unchanged = NrmseSums(), NrmseSums()
    for number in range(crops.tiling.count):
        x, y = crops.take(indices * crops.tiling.count + number)
        shown, new = y.within(x), crops.tiling.new_within(number, 2)
        truth = _part(frames.as_fields(shown, y.image), new)
        predicted = frames.as_fields(shown, y.within(predict(model, x)))
        mine.add(_part(predicted, new), truth)
        unchanged.add(_part(frames.newest(shown, truth), new), truth)
    return mine.value(), unchanged.value()


def _part(image: MultiImage, part: tuple[slice, ...]) -> MultiImage:
    blocks = {key: np.asarray(block)[part] for key, block in image.items()}
    return MultiImage(blocks, image.D, image.is_torus)


def _over_trajectories(
    values: Float[np.ndarray, " samples"], of: Int[np.ndarray, " samples"]
) -> tuple[float, float | None]:
    """Compute the mean of all values, and the standard deviation of the means of the trajectories."""
    spread = spread_of(float(values[of == each].mean()) for each in np.unique(of))
    return float(values.mean()), None if spread is None else spread.deviation
