"""Held-out windows by which a tuning is judged: short rollouts, which it must not make worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ginjax.data import Normalisation, Source, Windows

HORIZON = 8
"""The most steps of a rollout by which a tuning is judged."""

MOST_ROLLS, MOST_STEPS = 4, 16
"""The most rollouts and single steps of one validation: together about as much work as four training steps on batches of four."""

HELD_SHARE = 4
"""If no trajectory can be held out, one frame in so many is held out, at the end of each trajectory."""

Chosen = tuple[Source, Sequence[int] | Int[np.ndarray, " _trajectories"] | None]
"""A source, and the numbers of its trajectories to use (None: all)."""

Spans = list[tuple[int, int]]
"""For each trajectory, the first frame and the frame after the last."""


@dataclass(frozen=True)
class Judged:
    """Frames that no step trains on, by which the weights of a tuning are chosen.

    **Arguments:**

    - `ones`: windows with one frame after each input.
    - `rolls`: windows with as many frames after each input as a rollout has steps.
    - `at_ends`: True if the windows lie at the ends of trajectories whose beginnings are trained on: then only the last
      frames of a rollout are not trained on. False if they are from the validation part.
    """

    ones: Windows
    rolls: Windows
    at_ends: bool

    @property
    def steps(self) -> int:
        """Number of predictions in a rollout."""
        return self.rolls.future_steps

    @property
    def one_indices(self) -> Int[np.ndarray, " _batch"]:
        """Numbers of the single steps to use, evenly spread."""
        return _spread(range(len(self.ones)), MOST_STEPS)

    @property
    def roll_indices(self) -> Int[np.ndarray, " _batch"]:
        """Numbers of the rollouts to use: they start from the first frames of trajectories, where most happens."""
        located = [self.rolls.locate(i)[0] for i in range(len(self.rolls))]
        firsts = [i for i, trajectory in enumerate(located) if i == 0 or trajectory != located[i - 1]]
        return _spread(firsts, MOST_ROLLS)

    def __str__(self) -> str:
        steps = "one step" if self.steps == 1 else f"one step and rollouts of {self.steps} steps"
        if self.at_ends:
            return f"{steps} into the last frames of each trajectory, which are not trained on"
        held, there = len(self.ones.trajectories), self.ones.source.trajectories
        if held < there:
            return f"{steps} on {held} of {there} trajectories given for training, which are not trained on"
        return f"{steps} on the part for validation"


def judged_part(
    chosen: Chosen, normalisation: Normalisation, past_steps: int, ends: Spans | None = None
) -> Judged | None:
    """Take rollouts as long as all trajectories of some data allow, at most `HORIZON` steps; None if they allow none.

    **Arguments:**

    - `chosen`: the data.
    - `normalisation`: scales of their fields.
    - `past_steps`: frames in an input.
    - `ends`: the frames at the ends of the trajectories, from `held_ends`; None for the validation part.
    """
    source, numbers = chosen[0], _numbers(chosen)
    held = [not ends or stop > first for first, stop in ends or [(0, 0)] * len(numbers)]
    lengths = [source.frames_of(each) for each, used in zip(numbers, held, strict=True) if used]
    steps = min([HORIZON, *(length - past_steps for length in lengths)])
    if steps < 1 or not lengths:
        return None

    def windows(future_steps: int, spans: Spans | None) -> Windows:
        return Windows(
            source,
            normalisation,
            past_steps=past_steps,
            future_steps=future_steps,
            trajectories=numbers,
            spans=spans,
        )

    rolls = ends and [(stop - steps - past_steps, stop) if stop else (0, 0) for _, stop in ends]
    return Judged(windows(1, ends), windows(steps, rolls), ends is not None)


def held_ends(chosen: Chosen, past_steps: int, unroll: int) -> tuple[Spans, Spans] | None:
    """Split each trajectory into frames to train on, and frames at its end that rollouts predict.

    The inputs of the rollouts are frames that are trained on; the frames that they predict are not. A trajectory that is too
    short to be split is used for training as a whole.

    **Arguments:**

    - `chosen`: the training part.
    - `past_steps`, `unroll`: frames in an input and in a target of training.

    **Returns:** spans to train on and spans at the ends, for each trajectory; None if all trajectories are too short.
    """
    train, ends = Spans(), Spans()
    for each in _numbers(chosen):
        frames = chosen[0].frames_of(each)
        kept = frames - max(1, frames // HELD_SHARE)
        parted = kept >= past_steps + unroll
        train.append((0, kept if parted else frames))
        ends.append((kept - past_steps, frames) if parted else (0, 0))
    return (train, ends) if any(stop for _, stop in ends) else None


def _numbers(chosen: Chosen) -> list[int]:
    source, trajectories = chosen
    return [int(each) for each in (range(source.trajectories) if trajectories is None else trajectories)]


def _spread(numbers: Sequence[int], most: int) -> Int[np.ndarray, " _batch"]:
    """Choose at most `most` of some numbers, evenly spread."""
    places = np.linspace(0, len(numbers) - 1, min(len(numbers), most)).round().astype(int)
    return np.asarray(numbers)[places]
