"""A model read from a file as something that forecasts physical fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ginjax.checkpoint import ModelRecord
from ginjax.data import Field, FieldScale, Normalisation, Source, fields_by_key
from ginjax.errors import ArgumentError, FileError
from ginjax.geometric import Key, MultiImage, compiled
from ginjax.ml._frames import Frames
from ginjax.ml._rollout_fit import check_fit

_SILENT = "the model does not say how its fields are normalised"
_TOLD = "a model written by 'ginjax train', or converted from one"

Fields = dict[str, np.ndarray]
"""By field name, float32 arrays `(batch, *spatial, D, ..., D)` in physical units."""


@dataclass(frozen=True)
class Forecaster:
    """A model with everything its file says about the data it is for; build it with `Forecaster.of`.

    **Arguments:**

    - `model`: the network, for one sample.
    - `schema`, `constants`: the fields it predicts, and those it only reads, in channel order.
    - `normalisation`: of all of them.
    - `frames`: the layout of its inputs and predictions.
    - `D`, `is_torus`, `spacing`, `time_step`: the space and time it was trained in; None where that is not known.
    """

    model: Any
    schema: tuple[Field, ...]
    constants: tuple[Field, ...]
    normalisation: Normalisation
    frames: Frames
    D: int
    is_torus: tuple[bool, ...]
    spacing: float | None
    time_step: float | None

    @classmethod
    def of(cls, model: Any, record: ModelRecord) -> Forecaster:
        """Read the settings of a model file.

        **Arguments:**

        - `model`: the network of the record, or another one for the same data.
        - `record`: what the file holds.

        **Raises:** `FileError` if the file does not say what the model was trained on.
        """
        data = record.data or {}
        try:
            normalisation = Normalisation.from_json(data["normalisation"])
            schema = tuple(scale.field for scale in normalisation.scales)
            constants = tuple(normalisation.of(name).field for name in data.get("constants", ()))
            frames = Frames(
                int(data.get("past_steps", 1)),
                {key: len(group) for key, group in fields_by_key(constants).items()},
                _increments(schema, normalisation) if data.get("residual") else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(_SILENT, expected=_TOLD) from error
        return cls(
            eqx.nn.inference_mode(model),
            schema,
            constants,
            normalisation,
            frames,
            record.D,
            tuple(record.is_torus),
            data.get("spacing"),
            data.get("time_step"),
        )

    @classmethod
    def unscaled(cls, model: Any, record: ModelRecord) -> Forecaster:
        """A model whose file says nothing about its data: one past frame, fields known by their place, taken as they are.

        **Arguments:**

        - `model`, `record`: as in `of`; what the inputs have more of than the outputs are constants.

        **Raises:** `FileError` if the inputs lack a field of the outputs.
        """
        scales: dict[bool, list[FieldScale]] = {False: [], True: []}
        outputs = {(k, p): channels for k, p, channels in record.spec["outputs"]}
        inputs = {(k, p): channels for k, p, channels in record.spec["inputs"]}
        for (k, p), channels in inputs.items():
            for i in range(channels):
                steady = i >= outputs.get((k, p), 0)
                scales[steady].append(FieldScale(Field(f"k{k}p{p}.{i}", k, p), 1.0))
        if any(channels > inputs.get(key, 0) for key, channels in outputs.items()):
            raise FileError(_SILENT, expected=_TOLD)
        moving, steady = (tuple(scales[which]) for which in (False, True))
        constants = tuple(scale.field for scale in steady)
        counts = {key: len(group) for key, group in fields_by_key(constants).items()}
        return cls(
            eqx.nn.inference_mode(model),
            tuple(scale.field for scale in moving),
            constants,
            Normalisation(moving, steady),
            Frames(1, counts),
            record.D,
            tuple(record.is_torus),
            None,
            None,
        )

    def in_dimension(self, D: int) -> Forecaster:
        """The same task in another dimension, without a network: what samples for a conversion have to be like."""
        torus = (*self.is_torus[:D], *(True,) * (D - self.D))
        return replace(self, model=None, D=D, is_torus=torus)

    def check(self, source: Source, frames: int) -> None:
        """Refuse data that the model is not for.

        **Arguments:**

        - `source`: the data.
        - `frames`: how many frames of each trajectory are needed.

        **Raises:** `ArgumentError` naming what does not fit and what was expected.
        """
        check_fit(self, source, frames)

    def start(self, source: Source, trajectories: Sequence[int], first: int = 0) -> MultiImage:
        """The normalised input that begins with frame `first` of some trajectories.

        **Arguments:**

        - `source`: data that `check` accepts.
        - `trajectories`: their numbers, at least one.
        - `first`: the oldest of the `past_steps` frames.

        **Returns:** blocks `(len(trajectories), channels, *spatial, D, ..., D)`.

        **Raises:** as `Source.read`.
        """
        samples = [self._sample(source, each, first) for each in trajectories]
        blocks = {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}
        return MultiImage(blocks, self.D, self.is_torus)

    def roll_out(self, x: MultiImage, steps: int) -> Iterator[Fields]:
        """Predict step after step, each from the predictions before it.

        One compiled step serves all of them; values that leave the range of numbers are handed out as they are.

        **Arguments:**

        - `x`: normalised inputs from `start`.
        - `steps`: how many.

        **Returns:** an iterator over the predicted frames.
        """
        for _ in range(steps):
            frame, x = self._step(self.model, x)
            yield self.physical(frame)

    def physical(self, frame: MultiImage) -> Fields:
        """A normalised frame, one channel a field, in physical units and by name."""
        fields: Fields = {}
        for key, group in fields_by_key(self.schema).items():
            block = np.asarray(frame[key])
            for channel, each in enumerate(group):
                scale = self.normalisation.of(each.name)
                values = block[:, channel] * np.float32(scale.scale) + np.float32(scale.offset)
                fields[each.name] = np.asarray(values, np.float32)
        return fields

    @cached_property
    def _step(self) -> Any:
        frames = self.frames

        @compiled
        def step(model: Any, x: MultiImage) -> tuple[MultiImage, MultiImage]:
            predicted = jax.vmap(lambda sample: model(sample)[0])(x)
            return frames.as_fields(x, predicted), frames.next_input(x, predicted)

        return step

    def _sample(self, source: Source, trajectory: int, first: int) -> dict[Key, np.ndarray]:
        read = source.read(trajectory, first, first + self.frames.past_steps)
        steady = source.read_constants(trajectory) if self.constants else {}
        arrays = {each.name: read[each.name] for each in self.schema}
        arrays |= {each.name: steady[each.name][None] for each in self.constants}
        for name, values in arrays.items():
            if not np.isfinite(values).all():
                raise FileError(f"field '{name}' of trajectory {trajectory}", got="NaN or infinity")
        scaled = {name: self.normalisation.of(name).normalise(values) for name, values in arrays.items()}
        return {
            key: np.concatenate([scaled[each.name] for each in group])
            for key, group in fields_by_key((*self.schema, *self.constants)).items()
        }


def _increments(schema: Sequence[Field], normalisation: Normalisation) -> dict[Key, np.ndarray]:
    """By key and field, the scale of a change divided by the scale of the field."""
    ratios = {}
    for each in schema:
        scale = normalisation.of(each.name)
        if scale.increment is None:
            raise ArgumentError(f"scale of the increments of field '{each.name}'", got="none", expected="one")
        ratios[each.name] = scale.increment / scale.scale
    return {
        key: np.array([ratios[each.name] for each in group]) for key, group in fields_by_key(schema).items()
    }
