"""The layout of inputs and predictions: which channels are which frames of which fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from ginjax.checkpoint import DataContract, Field
from ginjax.data import Normalisation, fields_by_key
from ginjax.errors import ArgumentError
from ginjax.geometric import AnyArray, Key, MultiImage
from ginjax.ml.task._autoregressive import autoregressive_step


@dataclass(frozen=True)
class Frames:
    """The layout of batches, blocks `(batch, channels, *spatial, D, ..., D)`.

    **Arguments:**

    - `past_steps`: frames of each field in an input, oldest first; time varies fastest.
    - `constants`: number of constant channels at the end of the inputs, by key.
    - `increments`: for a model that predicts changes: by key and field, the scale of a change divided by the scale
      of the field. None for a model that predicts the fields themselves.
    """

    past_steps: int = 1
    constants: Mapping[Key, int] = field(default_factory=dict)
    increments: Mapping[Key, Float[np.ndarray, " _channels"]] | None = None

    def newest(self, x: MultiImage, like: MultiImage) -> MultiImage:
        """Take the last frame of every field from an input; `like` has the keys of the fields."""
        blocks = {}
        for key in like:
            moving = x[key].shape[1] - self.constants.get(key, 0)
            blocks[key] = x[key][:, self.past_steps - 1 : moving : self.past_steps]
        return MultiImage(blocks, x.D, x.is_torus)

    def as_fields(self, x: MultiImage, predicted: MultiImage) -> MultiImage:
        """Convert a prediction for an input (or its target) to the frame that follows the input."""
        if self.increments is None:
            return predicted
        blocks: dict[Key, Shaped[AnyArray, "batch channels ..."]] = {}
        for key, frame in self.newest(x, predicted).items():
            scale = jnp.asarray(self.increments[key], predicted[key].dtype)
            blocks[key] = frame + predicted[key] * scale.reshape(-1, *(1,) * (frame.ndim - 2))
        return MultiImage(blocks, x.D, x.is_torus)

    def next_input(self, x: MultiImage, predicted: MultiImage) -> MultiImage:
        """Make the input of the step that follows a prediction."""
        return autoregressive_step(x, self.as_fields(x, predicted), self.past_steps, self.constants)


def make_frames(
    fields: Sequence[Field],
    constants: Sequence[Field],
    normalisation: Normalisation,
    past_steps: int,
    residual: bool,
) -> Frames:
    """Make the layout for some fields.

    **Arguments:**

    - `fields`: the fields that vary in time.
    - `constants`: the fields that do not.
    - `normalisation`: scales of the fields; `residual` needs the scales of increments too.
    - `past_steps`: frames of each field in an input.
    - `residual`: whether the change of a field is predicted.

    **Raises:** `ArgumentError` if a scale of increments is needed but was not measured.
    """
    counts = {key: len(group) for key, group in fields_by_key(constants).items()}
    return Frames(past_steps, counts, _increments(fields, normalisation) if residual else None)


def frames_of(contract: DataContract) -> Frames:
    """Make the layout of a model's inputs and predictions.

    **Raises:** `ArgumentError` if the contract has no scales.
    """
    scales = Normalisation.of_contract(contract)
    return make_frames(contract.fields, contract.constants, scales, contract.past_steps, contract.residual)


def _increments(
    fields: Sequence[Field], normalisation: Normalisation
) -> dict[Key, Float[np.ndarray, " _channels"]]:
    """By key and field, the scale of a change divided by the scale of the field."""
    ratios = {}
    for each in fields:
        scale = normalisation.of(each.name)
        if scale.increment is None:
            raise ArgumentError(f"scale of the increments of field '{each.name}'", got="none", expected="one")
        ratios[each.name] = scale.increment / scale.scale
    return {
        key: np.array([ratios[each.name] for each in group]) for key, group in fields_by_key(fields).items()
    }
