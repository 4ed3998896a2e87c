"""The classical Runge-Kutta scheme."""

from __future__ import annotations

from collections.abc import Callable

from jax import Array


def runge_kutta_step(rate: Callable[[Array], Array], state: Array, dt: Array | float) -> Array:
    """Advance `du/dt = rate(u)` by one step of the classical scheme of fourth order.

    **Arguments:**

    - `rate`: the time derivative of a state.
    - `state`: an array of any shape.
    - `dt`: the time step.

    **Returns:** the state after `dt`. Waves stay bounded while `dt` times their angular frequency is below 2.8.
    """
    first = rate(state)
    second = rate(state + dt / 2 * first)
    third = rate(state + dt / 2 * second)
    fourth = rate(state + dt * third)
    return state + dt / 6 * (first + 2 * second + 2 * third + fourth)
