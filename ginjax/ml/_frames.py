"""How the channels of inputs and predictions are frames of fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from ginjax.geometric import Key, MultiImage
from ginjax.ml._autoregressive import autoregressive_step


@dataclass(frozen=True)
class Frames:
    """The layout of batches, blocks `(batch, channels, *spatial, D, ..., D)`.

    **Arguments:**

    - `past_steps`: frames of each field in an input, oldest first, time fastest.
    - `constants`: number of constant channels at the end of the inputs, by key.
    - `increments`: for a model that predicts changes, by key and field the scale of a change divided by the scale
      of the field; None for a model that predicts the fields themselves.
    """

    past_steps: int = 1
    constants: Mapping[Key, int] = field(default_factory=dict)
    increments: Mapping[Key, np.ndarray] | None = None

    def newest(self, x: MultiImage, like: MultiImage) -> MultiImage:
        """The last frame of every field in an input; `like` has the keys of the fields."""
        blocks = {}
        for key in like:
            moving = x[key].shape[1] - self.constants.get(key, 0)
            blocks[key] = x[key][:, self.past_steps - 1 : moving : self.past_steps]
        return MultiImage(blocks, x.D, x.is_torus)

    def as_fields(self, x: MultiImage, predicted: MultiImage) -> MultiImage:
        """What was predicted for an input (or its target), as the frame that follows."""
        if self.increments is None:
            return predicted
        blocks: dict[Any, Any] = {}
        for key, frame in self.newest(x, predicted).items():
            scale = jnp.asarray(self.increments[key], predicted[key].dtype)
            blocks[key] = frame + predicted[key] * scale.reshape(-1, *(1,) * (frame.ndim - 2))
        return MultiImage(blocks, x.D, x.is_torus)

    def next_input(self, x: MultiImage, predicted: MultiImage) -> MultiImage:
        """The input of the step after a prediction."""
        return autoregressive_step(x, self.as_fields(x, predicted), self.past_steps, self.constants)
