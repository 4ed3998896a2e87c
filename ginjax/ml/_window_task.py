"""Data cut into samples to train on, to validate on and to test on, under one normalisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ginjax.data import Field, Normalisation, Source, Windows, fields_by_key
from ginjax.geometric import Key
from ginjax.ml._batches import take
from ginjax.ml._evaluate import mean_loss
from ginjax.ml._frames import Frames
from ginjax.ml._one_step import OneStepError
from ginjax.ml._own_task import next_frame_error
from ginjax.ml._samples import Samples
from ginjax.ml._step import MapAndLoss, make_eval_step

HELD_BYTES = 2**28
"""Validation samples up to this size stay in memory."""

Chosen = tuple[Source, Sequence[int] | np.ndarray | None]
"""A source, and which of its trajectories to use (None: all)."""


@dataclass(frozen=True)
class WindowTask:
    """Samples of one prediction task.

    - `train`, `valid`: for the training loss; `valid` may be None.
    - `test`: of one step each, for the error in the end; may be None.
    - `frames`: the layout of inputs and predictions.
    """

    train: Windows
    valid: Windows | None
    test: Windows | None
    frames: Frames

    @property
    def normalisation(self) -> Normalisation:
        return self.train.normalisation

    def about(self) -> dict[str, Any]:
        """What a model file says about its data."""
        source, constants = self.train.source, self.train.source.constants
        about = {
            "inputs": [_described(each) for each in (*source.schema, *constants)],
            "outputs": [_described(each) for each in source.schema],
            "past_steps": self.train.past_steps,
            "spacing": source.spacing,
            "time_step": source.time_step,
            "normalisation": self.normalisation.to_json(),
            "origin": dict(source.origin),
        }
        if constants:
            about["constants"] = [each.name for each in constants]
        return about | ({"residual": True} if self.train.residual else {})

    def error(self, model: Any, batch_size: int = 32) -> OneStepError | None:
        """The one-step error of a model on the test samples, beside predicting no change; None without any."""
        if self.test is None:
            return None
        return next_frame_error(model, self.test, np.arange(len(self.test)), self.frames, batch_size)


def make_window_task(
    train: Chosen,
    valid: Chosen | None,
    test: Chosen | None,
    normalisation: Normalisation,
    *,
    past_steps: int = 1,
    unroll: int = 1,
    residual: bool = False,
) -> WindowTask:
    """Cut data into samples.

    **Arguments:**

    - `train`, `valid`, `test`: sources and which of their trajectories to use.
    - `normalisation`: of all of them; with `residual` it needs the scales of increments.
    - `past_steps`: frames in an input.
    - `unroll`: frames in a target of training and validation.
    - `residual`: whether targets are changes.

    **Raises:** `ArgumentError` if the trajectories are too short, or a field has no scale.
    """

    def windows(chosen: Chosen, future_steps: int) -> Windows:
        return Windows(
            chosen[0],
            normalisation,
            past_steps=past_steps,
            future_steps=future_steps,
            residual=residual,
            trajectories=chosen[1],
        )

    source = train[0]
    constants = {key: len(group) for key, group in fields_by_key(source.constants).items()}
    increments = _increments(source, normalisation) if residual else None
    return WindowTask(
        windows(train, unroll),
        None if valid is None else windows(valid, unroll),
        None if test is None else windows(test, 1),
        Frames(past_steps, constants, increments),
    )


def validator(samples: Samples, map_and_loss: MapAndLoss, batch_size: int) -> Callable[[Any, Any], float]:
    """The mean loss over all samples as a function `(model, aux_data) -> loss`, compiled once.

    **Arguments:**

    - `samples`: the samples; more than `HELD_BYTES` of them are read again for every look.
    - `map_and_loss`: as in training, without anything random.
    - `batch_size`: samples evaluated at once.
    """
    step = make_eval_step(map_and_loss)
    numbers = np.arange(len(samples))
    parts = [numbers[start : start + 8 * batch_size] for start in range(0, len(numbers), 8 * batch_size)]
    one = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(samples.take(numbers[:1])))
    held = samples.take(numbers) if one * len(samples) <= HELD_BYTES else None

    def evaluate(model: Any, aux_data: Any) -> float:
        total = 0.0
        for part in parts:
            X, Y = samples.take(part) if held is None else take(held, part)
            total += mean_loss(step, step, model, X, Y, batch_size, aux_data) * len(part)
        return total / len(samples)

    return evaluate


def _described(each: Field) -> dict[str, Any]:
    return {"name": each.name, "order": each.k, "parity": each.p, "unit": each.unit}


def _increments(source: Source, normalisation: Normalisation) -> dict[Key, np.ndarray]:
    """By key and field, the scale of a change divided by the scale of the field."""

    def ratio(name: str) -> float:
        scale = normalisation.of(name)
        return 1 / float(scale.normalise_increment(np.array([scale.scale]))[0])

    return {
        key: np.array([ratio(each.name) for each in group])
        for key, group in fields_by_key(source.schema).items()
    }
