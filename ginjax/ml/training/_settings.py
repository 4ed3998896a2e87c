"""The settings of a training, with all defaults, except those of the network and the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import expect
from ginjax.errors import ArgumentError
from ginjax.ml.score import DEFAULT_LOSS, LOSSES
from ginjax.ml.training._devices import Placement
from ginjax.ml.training._optimiser import ENDLESS, OPTIMISERS, SCHEDULES, Rate, make_schedule
from ginjax.ml.training._precision import Precision

STEPS: Mapping[int, int] = {1: 1200, 2: 300, 3: 100}
"""Number of training steps by dimension, unless given."""

BATCH_SIZES: Mapping[int, int] = {1: 32, 2: 8, 3: 4}
"""Samples in a step by dimension, unless given."""

LEARNING_RATE = 3e-3
"""Peak learning rate of a new network, unless given."""

TUNING_RATE = 3e-4
"""Peak learning rate for training a trained model further, unless given; see the guide on tuning."""

VALIDATIONS, TUNING_VALIDATIONS = 20, 10
"""Number of validations in a training and in a tuning, unless given; a validation of a tuning is a set of rollouts."""

MOST_COUNTED = 2**31 - 1
"""The most steps: they are counted on the device, in 32 bits."""

_LARGEST_SEED = 2**63 - 1
_COUNTED = ("steps", "batch_size", "unroll", "validate_every", "accumulate")
_AT_LEAST_0 = ("warmup", "weight_decay", "clip", "noise", "patience", "seed")


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a training: length, objective, optimiser, validation, memory; all defaults are here.

    **Arguments:**

    - `steps`: number of optimisation steps, over which the learning rate decays.
    - `epochs`: number of passes over the training data, instead of `steps`.
    - `seconds`: the most time in seconds that training may take, without interruptions. Without `steps` or `epochs`, only the
      time ends the training. Without any of the three, the number of steps is `STEPS`.
    - `batch_size`: samples in a mini-batch; `BATCH_SIZES` if None, and never more than there are samples.
    - `loss`: the training objective, a name in `LOSSES`.
    - `learning_rate`: peak learning rate; if None `LEARNING_RATE`, or `TUNING_RATE` if a trained model is trained further.
    - `optimiser`: a name in `OPTIMISERS`. `weight_decay`: for "adamw" and "lion", see `make_optimiser`.
    - `clip`: gradient clipping, the largest global norm of the gradient; 0 for none.
    - `schedule`: decay of the learning rate after the warm-up, a name in `SCHEDULES`. If None, "cosine", or "constant" if
      only the time ends the training. `warmup`: fraction of the steps for the warm-up.
    - `noise`: standard deviation of white noise on the inputs, in units of the normalised fields.
    - `unroll`: number of predictions in the objective, each made from those before it.
    - `validate_every`: steps between two validations. If None, there are `VALIDATIONS` in total, or `TUNING_VALIDATIONS` if a
      trained model is trained further, after equal numbers of steps (equal times if only the time ends the training).
    - `patience`: early stopping after more than so many validations since the one with the lowest loss; None for never.
    - `freeze`: groups of parameters that stay unchanged, see `frozen_names`.
    - `accumulate`: gradient accumulation over so many parts of a mini-batch, to save memory.
    - `remat`: gradient checkpointing: compute the inside of blocks twice instead of keeping it, to save memory.
    - `precision`: precision of the activations; "bfloat16" is mixed precision.
    - `crop`: train on randomly drawn parts of the grid of so many pixels along every axis, or by axis name (`{"x": 64}`; other
      axes are whole). Each part is shown with the surroundings on which its predictions depend. None for the whole grid.
    - `seed`: seed of the initial weights, the crops, the order of the samples and the noise; these share no random numbers.

    **Raises:** `ArgumentError` for values that are out of range or contradict each other.
    """

    steps: int | None = None
    epochs: float | None = None
    seconds: float | None = None
    batch_size: int | None = None
    loss: str = DEFAULT_LOSS
    learning_rate: float | None = None
    optimiser: str = "adamw"
    schedule: str | None = None
    warmup: float = 0.05
    weight_decay: float = 1e-5
    clip: float = 1.0
    noise: float = 0.0
    unroll: int = 1
    patience: int | None = None
    validate_every: int | None = None
    freeze: tuple[str, ...] = ()
    accumulate: int = 1
    remat: bool = False
    precision: Precision = "float32"
    crop: int | Mapping[str, int] | tuple[tuple[str, int], ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (*_COUNTED, "patience", "seed"):
            value = getattr(self, name)
            if value is not None and (type(value) is bool or not isinstance(value, int)):
                raise ArgumentError(name, got=repr(value)[:60], expected="a whole number")
        for name in _COUNTED:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ArgumentError(name, got=value, expected="1 or more")
            if value is not None and value > MOST_COUNTED:
                raise ArgumentError(name, got=value, expected=f"at most {MOST_COUNTED}")
        if self.batch_size is not None:
            Placement().check_batch(self.batch_size, self.accumulate)
        for name in _AT_LEAST_0:
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ArgumentError(name, got=value, expected="0 or more")
        if self.seed > _LARGEST_SEED:
            raise ArgumentError("seed", got=self.seed, expected=f"at most {_LARGEST_SEED}")
        for name in ("epochs", "seconds", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ArgumentError(name, got=value, expected="a positive number")
        if self.crop is not None:
            object.__setattr__(self, "crop", _checked_crop(self.crop))
        LOSSES.find(self.loss)
        OPTIMISERS.find(self.optimiser)
        if self.schedule is not None:
            SCHEDULES.find(self.schedule)
        if self.precision not in get_args(Precision):
            raise unknown_name("precision", self.precision, get_args(Precision))
        if self.steps is not None and self.epochs is not None:
            raise ArgumentError("`steps` and `epochs`", got="both", expected="one of them")
        if self.endless and self.schedule not in (None, ENDLESS):
            raise ArgumentError(
                "schedule",
                got=f"{self.schedule} where time alone ends the training",
                expected="constant, or a number of steps that it can fall over",
            )

    @property
    def endless(self) -> bool:
        """Whether only the time ends the training."""
        return self.seconds is not None and self.steps is None and self.epochs is None

    def resolved(self, D: int, samples: int, *, tuning: bool = False) -> TrainSettings:
        """Fill in a number for everything that follows from the data.

        **Arguments:**

        - `D`: the dimension of the network.
        - `samples`: number of training samples.
        - `tuning`: whether the initial weights are those of a trained model.

        **Returns:** settings with a batch size, a learning rate and a schedule, and with steps unless only the time ends the
        training. Resolving them again changes nothing.
        """
        batch = min(self.wanted_batch(D), samples)
        steps = self.steps
        if self.epochs is not None:
            steps = math.ceil(min(self.epochs * samples / batch, MOST_COUNTED + 1))
        elif steps is None and self.seconds is None:
            steps = STEPS.get(D, STEPS[3])
        schedule = self.schedule or (ENDLESS if steps is None else "cosine")
        rate = self.learning_rate or (TUNING_RATE if tuning else LEARNING_RATE)
        return replace(
            self, steps=steps, epochs=None, batch_size=batch, schedule=schedule, learning_rate=rate
        )

    def wanted_batch(self, D: int) -> int:
        """The number of samples in a mini-batch if there are enough samples.

        **Arguments:**

        - `D`: the dimension of the network.
        """
        return self.batch_size or BATCH_SIZES.get(D, BATCH_SIZES[3])

    def looks_every(self, *, tuning: bool = False) -> int | None:
        """Steps between two validations, for resolved settings; None if `looks_seconds` gives a time instead."""
        if self.validate_every is not None or self.steps is None:
            return self.validate_every
        return max(1, self.steps // (TUNING_VALIDATIONS if tuning else VALIDATIONS))

    def looks_seconds(self, *, tuning: bool = False) -> float | None:
        """Seconds between two validations, for resolved settings; None if `looks_every` gives a number of steps instead."""
        if self.validate_every is not None or self.steps is not None or self.seconds is None:
            return None
        return self.seconds / (TUNING_VALIDATIONS if tuning else VALIDATIONS)

    def make_schedule(self) -> Rate:
        """Make the learning rate by step, for resolved settings; see `ginjax.ml.make_schedule`."""
        name = self.schedule or (ENDLESS if self.steps is None else "cosine")
        return make_schedule(
            name, self.steps, learning_rate=self.learning_rate or LEARNING_RATE, warmup=self.warmup
        )

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, for resolved settings.

        **Arguments:**

        - `step`: counted from 0.
        """
        rate: Any = self.make_schedule()(step)
        return float(rate)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object without values that are None, False or empty; `from_json` reads it.

        The default loss is left out, because earlier versions knew no other loss. So their interrupted trainings can be resumed.
        """
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: dict(value) if name == "crop" and isinstance(value, tuple) else _listed(value)
            for name, value in found.items()
            if value is not None
            and value is not False
            and value != ()
            and (name, value) != ("loss", DEFAULT_LOSS)
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: object = "settings") -> TrainSettings:
        """Read what `to_json` wrote; other names, which steps of provenance have, are ignored.

        **Arguments:**

        - `data`: a JSON object.
        - `where`: the file it comes from, for error messages.

        **Raises:** `FileError` for a value of another type, `ArgumentError` for a value out of range.
        """
        defaults, found = cls(), dict[str, Any]()
        for each in fields(cls):
            if data.get(each.name) is None:
                continue
            by_axis = each.name == "crop" and isinstance(data["crop"], Mapping)
            kind = dict if by_axis else _KINDS.get(each.name) or type(getattr(defaults, each.name))
            found[each.name] = expect(data, each.name, kind, where=where)
        if "freeze" in found:
            found["freeze"] = tuple(str(name) for name in found["freeze"])
        return cls(**found)


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _checked_crop(crop: object) -> int | tuple[tuple[str, int], ...]:
    """Return pixels along all axes, or pairs of axis and pixels.

    **Raises:** `ArgumentError` for anything else.
    """
    pairs = list(crop.items()) if isinstance(crop, Mapping) else crop
    if type(pairs) is int and pairs >= 1:
        return pairs
    if isinstance(pairs, list | tuple) and pairs and all(isinstance(each, list | tuple) for each in pairs):
        named = {each[0]: each[1] for each in pairs if len(each) == 2}
        if len(named) == len(pairs) and all(
            isinstance(axis, str) and type(side) is int and side >= 1 for axis, side in named.items()
        ):
            return tuple(sorted(named.items()))
    raise ArgumentError(
        "`crop`", got=repr(crop)[:60], expected="a number of pixels, or one by the name of the axis"
    )


_KINDS: Mapping[str, type] = {
    "steps": int,
    "epochs": float,
    "seconds": float,
    "learning_rate": float,
    "batch_size": int,
    "schedule": str,
    "patience": int,
    "crop": int,
    "validate_every": int,
    "freeze": list,
}
