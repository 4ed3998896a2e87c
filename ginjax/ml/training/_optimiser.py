"""Optimisers and schedules of the learning rate by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import optax

from ginjax.errors import ArgumentError

OptimiserName = Literal["adamw", "adam", "sgd", "momentum", "lion", "rmsprop"]
ScheduleName = Literal["cosine", "linear", "constant"]

_OPTIMISERS: dict[str, Callable[[Any, float], optax.GradientTransformation]] = {
    "adamw": lambda rate, decay: optax.adamw(rate, weight_decay=decay),
    "adam": lambda rate, decay: optax.adam(rate),
    "sgd": lambda rate, decay: optax.sgd(rate),
    "momentum": lambda rate, decay: optax.sgd(rate, momentum=0.9, nesterov=True),
    "lion": lambda rate, decay: optax.lion(rate, weight_decay=decay),
    "rmsprop": lambda rate, decay: optax.rmsprop(rate),
}


def make_schedule(
    name: ScheduleName, steps: int | None, *, learning_rate: float, warmup: float = 0.05
) -> Callable[[Any], Any]:
    """The learning rate by step: a linear rise, then a fall to zero or none.

    With `w = warmup * steps` and `s = (t - w) / (steps - w)` the rate at step `t` is `learning_rate` times `t / w`
    while `t < w`, then `(1 + cos(pi s)) / 2` (cosine), `1 - s` (linear) or 1 (constant).

    **Arguments:**

    - `name`: of the schedule.
    - `steps`: number of training steps; None, for an end that is not known, only suits `constant`.
    - `learning_rate`: its peak.
    - `warmup`: share of the steps spent rising, in [0, 1). Without a number of steps, 100 steps.

    **Raises:** `ArgumentError` for a value out of range.
    """
    for what, value, fits, expected in (
        ("schedule", name, name in get_args(ScheduleName), " or ".join(get_args(ScheduleName))),
        ("steps", steps, steps is None or steps >= 1, "at least 1"),
        ("schedule", name, steps is not None or name == "constant", "constant, as the steps are not known"),
        ("learning_rate", learning_rate, learning_rate > 0, "a positive number"),
        ("warmup", warmup, 0 <= warmup < 1, "a share of the steps, 0 <= warmup < 1"),
    ):
        if not fits:
            raise ArgumentError(what, got=value, expected=expected)
    rising = 100 if steps is None else min(round(warmup * steps), steps - 1)
    start = 0.0 if rising else learning_rate
    if name == "cosine" and steps is not None:
        return optax.warmup_cosine_decay_schedule(
            init_value=start, peak_value=learning_rate, warmup_steps=rising, decay_steps=steps
        )
    rise = optax.linear_schedule(start, learning_rate, max(rising, 1))
    if name == "linear" and steps is not None:
        after = optax.linear_schedule(learning_rate, 0.0, max(steps - rising, 1))
    else:
        after = optax.constant_schedule(learning_rate)
    return optax.join_schedules([rise, after], [rising])


def make_optimiser(
    name: OptimiserName,
    schedule: Callable[[Any], Any],
    *,
    weight_decay: float = 1e-5,
    clip: float | None = 1.0,
) -> optax.GradientTransformation:
    """An optimiser by name.

    **Arguments:**

    - `name`: of the optimiser; `momentum` is Nesterov's with 0.9.
    - `schedule`: the learning rate by step, from `make_schedule`.
    - `weight_decay`: decoupled weight decay of `adamw` and `lion`; the others have none.
    - `clip`: largest global norm of the gradient, or None for no limit.

    **Returns:** an optax transformation.

    **Raises:** `ArgumentError` for a value out of range.
    """
    for what, value, fits, expected in (
        ("optimiser", name, name in _OPTIMISERS, " or ".join(_OPTIMISERS)),
        ("weight_decay", weight_decay, weight_decay >= 0, "a number >= 0"),
        ("clip", clip, clip is None or clip > 0, "a positive number or None"),
    ):
        if not fits:
            raise ArgumentError(what, got=value, expected=expected)
    optimiser = _OPTIMISERS[name](schedule, weight_decay)
    return optimiser if clip is None else optax.chain(optax.clip_by_global_norm(clip), optimiser)


def adamw_cosine(
    steps: int,
    *,
    learning_rate: float = 3e-3,
    warmup: float = 0.05,
    weight_decay: float = 1e-5,
    clip: float | None = 1.0,
) -> optax.GradientTransformation:
    """AdamW whose learning rate rises linearly, then falls to zero along a cosine.

    `rate(t) = learning_rate * t / w` for `t < w = warmup * steps`, then
    `learning_rate * (1 + cos(pi (t - w) / (steps - w))) / 2`.

    **Arguments:**

    - `steps`: number of training steps.
    - `learning_rate`: its peak; 1e-3 to 1e-2 suit networks of this size.
    - `warmup`: share of the steps spent rising, in [0, 1).
    - `weight_decay`: decoupled weight decay.
    - `clip`: largest global norm of the gradient, or None for no limit.

    **Returns:** an optax transformation.

    **Raises:** `ArgumentError` for a value out of range.
    """
    schedule = make_schedule("cosine", steps, learning_rate=learning_rate, warmup=warmup)
    return make_optimiser("adamw", schedule, weight_decay=weight_decay, clip=clip)
