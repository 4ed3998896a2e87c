"""The default optimiser."""

from __future__ import annotations

import optax

from ginjax.errors import ArgumentError


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
    for name, value, fits, expected in (
        ("steps", steps, steps >= 1, "at least 1"),
        ("learning_rate", learning_rate, learning_rate > 0, "a positive number"),
        ("warmup", warmup, 0 <= warmup < 1, "a share of the steps, 0 <= warmup < 1"),
        ("weight_decay", weight_decay, weight_decay >= 0, "a number >= 0"),
        ("clip", clip, clip is None or clip > 0, "a positive number or None"),
    ):
        if not fits:
            raise ArgumentError(name, got=value, expected=expected)
    rising = min(round(warmup * steps), steps - 1)
    rate = optax.warmup_cosine_decay_schedule(
        init_value=0.0 if rising else learning_rate,
        peak_value=learning_rate,
        warmup_steps=rising,
        decay_steps=steps,
    )
    adamw = optax.adamw(rate, weight_decay=weight_decay)
    return adamw if clip is None else optax.chain(optax.clip_by_global_norm(clip), adamw)
