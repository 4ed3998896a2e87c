"""Data cut into samples for training, validation and testing, with one normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import PyTree

from ginjax.checkpoint import OWN_CONDITIONS, Condition, DataContract, DataPart
from ginjax.data import (
    Crops,
    Normalisation,
    Windows,
    condition_ranges,
    source_digest,
    trajectory_digests,
)
from ginjax.ml.task._crop import Crop
from ginjax.ml.task._frames import Frames, make_frames
from ginjax.ml.task._judged import Chosen, Judged, Spans, held_ends, judged_part
from ginjax.ml.task._next_frame import OneStepError, next_frame_error


@dataclass(frozen=True)
class WindowTask:
    """The samples of one prediction task.

    **Arguments:**

    - `train`, `valid`: samples for the training loss; `valid` may be None.
    - `test`: samples of one step each, for the error at the end; may be None.
    - `frames`: the layout of inputs and predictions.
    - `judged`: the frames by which a tuning is judged. None for a training from random weights, which is judged by its
      training loss on `valid`.
    - `crop`: the parts of the grid that samples show and that are predicted one after the other; None for the whole grid.
    """

    train: Windows
    valid: Windows | None
    test: Windows | None
    frames: Frames
    judged: Judged | None = None
    crop: Crop | None = None

    @property
    def training(self) -> Windows | Crops:
        """The samples to train on."""
        return self._cropped(self.train)

    @property
    def validation(self) -> Windows | Crops | None:
        """The samples to validate on; with `crop`, all tiles of the grid."""
        return None if self.valid is None else self._cropped(self.valid)

    def _cropped(self, windows: Windows) -> Windows | Crops:
        if self.crop is None:
            return windows
        return Crops(windows, self.crop.tiling(windows.source.spatial, windows.future_steps))

    @property
    def points(self) -> int:
        """Number of grid points of a sample to train on."""
        training = self.training
        return math.prod(training.tiling.block if isinstance(training, Crops) else training.source.spatial)

    @property
    def normalisation(self) -> Normalisation:
        """The scales of all fields."""
        return self.train.normalisation

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions that are inputs of the network, and their ranges in the training part."""
        return condition_ranges(self.train.source, self.train.trajectories)

    @property
    def contract(self) -> DataContract:
        """The contract of a model that is trained on these samples; values that are conditions of trajectories are None in it."""
        source = self.train.source
        told = {each.name for each in self.conditions}
        return replace(
            source.contract,
            conditions=self.conditions,
            **{name: None for name in OWN_CONDITIONS if name in told},
            scales=tuple(self.normalisation.of(each.name) for each in (*source.schema, *source.constants)),
            past_steps=self.train.past_steps,
            residual=self.train.residual,
            parts=self.parts,
        )

    @cached_property
    def parts(self) -> Mapping[str, DataPart]:
        """The identity of the data of each part: digests, and numbers of the trajectories."""
        digests: dict[int, str] = {}
        found = {}
        for name, windows in (("train", self.train), ("valid", self.valid), ("test", self.test)):
            if windows is None:
                continue
            source = windows.source
            digest = digests.setdefault(id(source), "") or source_digest(source)
            digests[id(source)] = digest
            whole = len(windows.trajectories) == source.trajectories
            chosen = np.sort(windows.trajectories)
            each = trajectory_digests(source, trajectories=chosen)
            found[name] = DataPart(digest, None if whole else tuple(map(int, chosen)), each)
        return found

    def error(self, model: PyTree, batch_size: int = 32) -> OneStepError | None:
        """Measure the one-step error of a model, and that of predicting no change.

        It is measured on the test samples; if there are none, on the validation frames; if there are none either, on the
        frames by which a tuning is judged. Without any of these it is None.
        """
        held = self.test or self.valid or (None if self.judged is None else self.judged.ones)
        if held is None:
            return None
        # Validation windows have as many steps as the training loss, and judged windows hold fields instead of changes.
        samples = Windows(
            held.source,
            held.normalisation,
            past_steps=held.past_steps,
            residual=self.train.residual,
            trajectories=held.trajectories,
            spans=held.spans,
        )
        indices = np.arange(len(samples))
        return next_frame_error(model, samples, indices, self.frames, batch_size, crop=self.crop)


def make_window_task(
    train: Chosen,
    valid: Chosen | None,
    test: Chosen | None,
    normalisation: Normalisation,
    *,
    past_steps: int = 1,
    unroll: int = 1,
    residual: bool = False,
    judge: bool = False,
) -> WindowTask:
    """Cut data into samples.

    **Arguments:**

    - `train`, `valid`, `test`: sources and the numbers of their trajectories to use.
    - `normalisation`: scales of all fields; `residual` needs the scales of increments too.
    - `past_steps`: frames in an input.
    - `unroll`: frames in a target of training and validation.
    - `residual`: whether targets are changes.
    - `judge`: whether to make rollouts by which a tuning is judged. They are taken from `valid`. Without `valid` they predict
      the last frames of the training part, which are then not trained on.

    **Raises:** `ArgumentError` if the trajectories are too short, or a field has no scale.
    """

    def windows(chosen: Chosen, future_steps: int, spans: Spans | None = None) -> Windows:
        return Windows(
            chosen[0],
            normalisation,
            past_steps=past_steps,
            future_steps=future_steps,
            residual=residual,
            trajectories=chosen[1],
            spans=spans,
        )

    source = train[0]
    judged, spans = None, None
    if judge and valid is not None:
        judged = judged_part(valid, normalisation, past_steps)
    elif judge and (parted := held_ends(train, past_steps, unroll)) is not None:
        spans, ends = parted
        judged = judged_part(train, normalisation, past_steps, ends)
    return WindowTask(
        windows(train, unroll, spans),
        None if valid is None else windows(valid, unroll),
        None if test is None else windows(test, 1),
        make_frames(source.schema, source.constants, normalisation, past_steps, residual),
        judged,
    )
