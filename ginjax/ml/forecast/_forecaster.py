"""Forecast physical fields with a model that was read from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import numpy as np
from jaxtyping import Float, PyTree

from ginjax.checkpoint import DataContract, Field, FieldScale, ModelRecord, check_contract
from ginjax.data import Normalisation, Source, TileSides, Tiling, fields_by_key
from ginjax.errors import FileError, NumericsError
from ginjax.geometric import Key, MultiImage
from ginjax.ml.task import (
    BatchStep,
    Crop,
    Frames,
    frames_of,
    make_batch_step,
    scaled_contract,
    step_by_tiles,
)

Fields = dict[str, Float[np.ndarray, "*_leading_field"]]
"""By field name, arrays `(*spatial, D, ..., D)` in physical units, preceded by the batch axis unless stated otherwise."""


@dataclass(frozen=True)
class Forecaster:
    """A network with the contract of its data, which forecasts physical fields; build it with `Forecaster.of`.

    **Arguments:**

    - `model`: the network, which takes one sample.
    - `contract`: what its data have to be like, with scales.
    - `tile`: pixels of a tile along every axis, or by axis name. Tiles of the grid are predicted one after the other, which saves
      memory; the result differs only by rounding. None predicts the whole grid at once.
    """

    model: PyTree
    contract: DataContract
    tile: TileSides | None = None

    @classmethod
    def of(cls, model: PyTree, record: ModelRecord, tile: TileSides | None = None) -> Forecaster:
        """Build a forecaster from a model and its record.

        **Arguments:**

        - `model`: the network of the record, or another one for the same data.
        - `record`: the content of the model file.
        - `tile`: as for the class.

        **Raises:** `FileError` if the file does not say what the model was trained on.
        """
        return cls(eqx.nn.inference_mode(model), scaled_contract(record), tile)

    def __reduce__(self) -> tuple[object, ...]:
        # Cached values are left out: a compiled step can be neither copied nor pickled.
        return type(self), (self.model, self.contract, self.tile)

    @property
    def schema(self) -> tuple[Field, ...]:
        """The fields that the model predicts, in channel order."""
        return self.contract.fields

    @property
    def constants(self) -> tuple[Field, ...]:
        """The fields that the model only reads, in channel order."""
        return self.contract.constants

    @cached_property
    def normalisation(self) -> Normalisation:
        """The scales of all fields."""
        return Normalisation.of_contract(self.contract)

    @cached_property
    def frames(self) -> Frames:
        """The layout of inputs and predictions."""
        return frames_of(self.contract)

    def check(self, source: Source, frames: int) -> None:
        """Refuse data that do not fit the model.

        **Arguments:**

        - `source`: the data.
        - `frames`: number of frames of each trajectory that are needed.

        **Raises:** `ArgumentError` that names what does not fit and what was expected; with `tile` also for a network
        that looks at the whole field at once.
        """
        check_contract(self.contract, source.contract)
        source.check_frames(frames)
        self.tiling(source.spatial)

    def tiling(self, spatial: Sequence[int]) -> Tiling | None:
        """Cut a grid into tiles; None if it is predicted at once.

        **Raises:** as `check`.
        """
        if self.tile is None:
            return None
        found = self._crop.tiling(spatial)
        return None if found.is_whole else found

    def start(self, source: Source, trajectories: Sequence[int], first: int = 0) -> MultiImage:
        """Read the normalised input that begins with frame `first` of some trajectories.

        **Arguments:**

        - `source`: data that `check` accepts.
        - `trajectories`: numbers of the trajectories, at least one.
        - `first`: index of the oldest of the `past_steps` frames.

        **Returns:** blocks `(len(trajectories), channels, *spatial, D, ..., D)`.

        **Raises:** as `Source.read`.
        """
        samples = [self._sample(source, each, first) for each in trajectories]
        blocks = {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}
        return MultiImage(blocks, self.contract.D, self.contract.is_torus)

    def roll_out(self, x: MultiImage, steps: int) -> Iterator[Fields]:
        """Predict step after step, each from the predictions before it.

        The step is compiled once. Values that overflow are returned as they are.

        **Arguments:**

        - `x`: normalised inputs from `start`.
        - `steps`: number of steps.

        **Returns:** an iterator over the predicted frames.
        """
        for _ in range(steps):
            frame, x = self.step(x)
            yield self.physical(frame)

    def step(self, x: MultiImage) -> tuple[MultiImage, MultiImage]:
        """Predict one frame in normalised units, tile by tile if there is a `tile`.

        **Arguments:**

        - `x`: normalised inputs, such as those from `start`.

        **Returns:** the predicted frame, with one channel per field, and the input of the next step.
        """
        tiling = self.tiling(x.get_spatial_dims())
        if tiling is None:
            return self._step(self.model, x)
        return step_by_tiles(self._step, self.model, x, tiling)

    def forecast(
        self,
        source: Source,
        trajectories: Sequence[int],
        *,
        steps: int,
        first: int = 0,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
    ) -> Fields:
        """Predict `steps` frames of some trajectories, several at once.

        **Arguments:**

        - `source`: data that `check` accepts.
        - `trajectories`: numbers of the trajectories, at least one.
        - `steps`: number of predictions, each made from those before it.
        - `first`: index of the oldest frame of the input.
        - `batch_size`: number of trajectories rolled out at once.
        - `progress`: called as `progress(done, total)`, counting trajectories times steps.

        **Returns:** by field, `(len(trajectories), steps, *spatial, D, ..., D)` in physical units.

        **Raises:** `NumericsError` if a rollout blows up; as `Source.read`.
        """
        chosen = [int(each) for each in trajectories]
        size, total = min(batch_size, len(chosen)), len(chosen) * steps
        found = {
            each.name: np.empty(
                (len(chosen), steps, *source.spatial, *(source.D,) * each.k),
                _digits(self.normalisation.of(each.name)),
            )
            for each in self.schema
        }
        for begin in range(0, len(chosen), size):
            part = chosen[begin : begin + size]
            # A smaller last batch would need another compilation. It is filled up instead, and the filling is dropped.
            x = self.start(source, part + part[-1:] * (size - len(part)), first)
            for step, frame in enumerate(self.roll_out(x, steps)):
                check_finite_prediction(frame, step + 1, part)
                for name, values in frame.items():
                    found[name][begin : begin + len(part), step] = values[: len(part)]
                if progress is not None:
                    progress(begin * steps + (step + 1) * len(part), total)
        return found

    def physical(self, frame: MultiImage) -> Fields:
        """Convert a normalised frame, with one channel per field, to physical units, by field name."""
        fields: Fields = {}
        for key, group in fields_by_key(self.schema).items():
            block = np.asarray(frame[key])
            for channel, each in enumerate(group):
                scale = self.normalisation.of(each.name)
                kept = _digits(scale)
                fields[each.name] = block[:, channel].astype(kept) * kept(scale.scale) + kept(scale.offset)
        return fields

    @cached_property
    def _step(self) -> BatchStep:
        return make_batch_step(self.frames)

    @cached_property
    def _crop(self) -> Crop:
        return Crop.of(self.model, self.contract, 1 if self.tile is None else self.tile, "tile")

    def _sample(
        self, source: Source, trajectory: int, first: int
    ) -> dict[Key, Float[np.ndarray, "channels *_field"]]:
        read = source.read(trajectory, first, first + self.frames.past_steps, precise=True)
        steady = source.read_constants(trajectory, precise=True) if self.constants else {}
        arrays = {each.name: read[each.name] for each in self.schema}
        arrays |= {each.name: steady[each.name][None] for each in self.constants}
        for name, values in arrays.items():
            if not np.isfinite(values).all():
                raise FileError(f"field '{name}' of trajectory {trajectory}", got="NaN or infinity")
        scaled = {name: self.normalisation.of(name).normalise(values) for name, values in arrays.items()}
        return {
            key: np.concatenate([scaled[each.name] for each in group], dtype=np.float32, casting="same_kind")
            for key, group in fields_by_key((*self.schema, *self.constants)).items()
        }


def _digits(scale: FieldScale) -> type[np.float32] | type[np.float64]:
    """Use double precision for a field whose variation about its mean would be lost in single precision."""
    rounding = float(np.finfo(np.float32).eps) * abs(scale.offset)
    return np.float64 if rounding > 1e-3 * scale.scale else np.float32


def check_finite_prediction(frame: Fields, step: int, trajectories: Sequence[int]) -> None:
    """Refuse a rollout that blew up.

    **Arguments:**

    - `frame`: the predictions of one step; those of `trajectories` come first.
    - `step`: number of the step, from 1.
    - `trajectories`: numbers of the trajectories.

    **Raises:** `NumericsError` that names the first trajectory with NaN or infinity.
    """
    for name, values in frame.items():
        finite = np.isfinite(values[: len(trajectories)]).reshape(len(trajectories), -1).all(axis=1)
        if not finite.all():
            lost = trajectories[int(np.argmin(finite))]
            raise NumericsError(
                f"prediction of field '{name}'",
                got=f"NaN or infinity at step {step} of trajectory {lost}",
                hint=f"Predict {step - 1} steps, or train with `unroll` or `noise` for longer rollouts."
                if step > 1
                else "Check the model with 'ginjax evaluate'.",
            )
