"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

from collections.abc import Callable

import optax

from ginjax._registry import Registry
from ginjax.errors import ArgumentError

Rate = optax.Schedule
"""The learning rate as a function of the step."""

MakeOptimiser = Callable[[Rate, float], optax.GradientTransformation]
"""`(learning rate by step, weight decay) -> optimiser`."""

MakeSchedule = Callable[[float, int], Rate]
"""`(peak, steps) -> learning rate by step`; steps count from the end of the warm-up, and there are `steps` of them."""


def _check(name: str, make: object) -> None:
    if not callable(make):
        raise ArgumentError(f"{name!r}", got=type(make).__name__, expected="a function that makes it")


_OWN_OPTIMISERS: dict[str, MakeOptimiser] = {
    "adamw": lambda rate, decay: optax.adamw(rate, weight_decay=decay),
    "adam": lambda rate, decay: optax.adam(rate),
    "sgd": lambda rate, decay: optax.sgd(rate),
    "momentum": lambda rate, decay: optax.sgd(rate, momentum=0.9, nesterov=True),
    "lion": lambda rate, decay: optax.lion(rate, weight_decay=decay),
    "rmsprop": lambda rate, decay: optax.rmsprop(rate),
}

OPTIMISERS = Registry(
    "optimiser",
    _OWN_OPTIMISERS,
    home="ginjax.ml.training._optimiser:OPTIMISERS",
    group="ginjax.optimisers",
    check=_check,
)
"""Optimisers by name: the library's own, then those of `register_optimiser` and of installed packages."""

ENDLESS = "constant"
"""The only schedule that does not need to know when the training ends."""

_OWN_SCHEDULES: dict[str, MakeSchedule] = {
    "cosine": lambda peak, steps: optax.cosine_decay_schedule(peak, steps),
    "linear": lambda peak, steps: optax.linear_schedule(peak, 0.0, steps),
    ENDLESS: lambda peak, steps: optax.constant_schedule(peak),
}

SCHEDULES = Registry(
    "schedule",
    _OWN_SCHEDULES,
    home="ginjax.ml.training._optimiser:SCHEDULES",
    group="ginjax.schedules",
    check=_check,
)
"""Learning-rate schedules for the time after the warm-up, by name: the library's own, then those of `register_schedule`
and of installed packages.
"""


def register_optimiser(name: str, make: MakeOptimiser) -> MakeOptimiser:
    """Register an optimiser that trainings can use, until the program ends.

    **Arguments:**

    - `name`: name of the optimiser, as in `TrainSettings(optimiser=name)`.
    - `make`: `(learning rate by step, weight decay) -> optax transformation`.

    **Returns:** `make`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return OPTIMISERS.add(name, make)


def register_schedule(name: str, make: MakeSchedule) -> MakeSchedule:
    """Register a learning-rate schedule that trainings can use, until the program ends.

    **Arguments:**

    - `name`: name of the schedule, as in `TrainSettings(schedule=name)`.
    - `make`: `(peak, steps) -> learning rate by step`. It applies after the linear warm-up: its step 0 is the end of the
      warm-up, and `steps` is the rest of the training.

    **Returns:** `make`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return SCHEDULES.add(name, make)


def make_schedule(name: str, steps: int | None, *, learning_rate: float, warmup: float = 0.05) -> Rate:
    """Make the learning rate by step: a linear warm-up, followed by the schedule.

    With `w = warmup * steps` and `s = (t - w) / (steps - w)`, the rate at step `t` is `learning_rate` times `t / w`
    while `t < w`, and then times `(1 + cos(pi s)) / 2` (cosine), `1 - s` (linear) or 1 (constant).

    **Arguments:**

    - `name`: name of the schedule, in `SCHEDULES`.
    - `steps`: number of training steps; None if it is not known, which only `constant` allows.
    - `learning_rate`: peak of the learning rate.
    - `warmup`: fraction of the steps for the warm-up, in [0, 1). If `steps` is None, the warm-up has 100 steps.

    **Raises:** `ArgumentError` for a value out of range.
    """
    make = SCHEDULES.find(name)
    for what, value, fits, expected in (
        ("steps", steps, steps is None or steps >= 1, "at least 1"),
        ("steps", steps, steps is None or steps < 2**31, "less than 2^31, as 32 bits count them"),
        ("schedule", name, steps is not None or name == ENDLESS, "constant, as the steps are not known"),
        ("learning_rate", learning_rate, learning_rate > 0, "a positive number"),
        ("warmup", warmup, 0 <= warmup < 1, "a share of the steps, 0 <= warmup < 1"),
    ):
        if not fits:
            raise ArgumentError(what, got=value, expected=expected)
    rising = 100 if steps is None else min(round(warmup * steps), steps - 1)
    start = 0.0 if rising else learning_rate
    rise = optax.linear_schedule(start, learning_rate, max(rising, 1))
    after = make(learning_rate, 1 if steps is None else max(steps - rising, 1))
    return optax.join_schedules([rise, after], [rising])


def make_optimiser(
    name: str,
    schedule: Rate,
    *,
    weight_decay: float = 1e-5,
    clip: float | None = 1.0,
) -> optax.GradientTransformation:
    """Make an optimiser by name.

    **Arguments:**

    - `name`: name of the optimiser, in `OPTIMISERS`; `momentum` is Nesterov momentum with 0.9.
    - `schedule`: the learning rate by step, from `make_schedule`.
    - `weight_decay`: decoupled weight decay of `adamw` and `lion`; the other built-in optimisers have none.
    - `clip`: largest global norm of the gradient, or None for no limit.

    **Returns:** an optax transformation.

    **Raises:** `ArgumentError` for a value out of range.
    """
    make = OPTIMISERS.find(name)
    for what, value, fits, expected in (
        ("weight_decay", weight_decay, weight_decay >= 0, "a number >= 0"),
        ("clip", clip, clip is None or clip > 0, "a positive number or None"),
    ):
        if not fits:
            raise ArgumentError(what, got=value, expected=expected)
    optimiser = make(schedule, weight_decay)
    return optimiser if clip is None else optax.chain(optax.clip_by_global_norm(clip), optimiser)


def adamw_cosine(
    steps: int,
    *,
    learning_rate: float = 3e-3,
    warmup: float = 0.05,
    weight_decay: float = 1e-5,
    clip: float | None = 1.0,
) -> optax.GradientTransformation:
    """Make AdamW with a learning rate that rises linearly, then falls to zero along a cosine; see `make_schedule`.

    **Arguments:**

    - `steps`: number of training steps.
    - `learning_rate`: peak of the learning rate; 1e-3 to 1e-2 suit networks of this size.
    - `warmup`: fraction of the steps for the warm-up, in [0, 1).
    - `weight_decay`: decoupled weight decay.
    - `clip`: largest global norm of the gradient, or None for no limit.

    **Returns:** an optax transformation.

    **Raises:** `ArgumentError` for a value out of range.
    """
    schedule = make_schedule("cosine", steps, learning_rate=learning_rate, warmup=warmup)
    return make_optimiser("adamw", schedule, weight_decay=weight_decay, clip=clip)
