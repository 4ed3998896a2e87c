"""One equation with several time steps or coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from ginjax._unknown_name import unknown_name
from ginjax.data.equations._pde import PDE
from ginjax.errors import ArgumentError

TIME_STEP = "time_step"


def varied(pde: PDE, values: Mapping[str, Sequence[float]]) -> tuple[PDE, ...]:
    """The equation with every combination of some numbers; those named last vary fastest.

    **Arguments:**

    - `pde`: the equation.
    - `values`: by name, the values of `time_step` or of a coefficient. For a longer `time_step` the solver takes more
      sub-steps, so that none of them is longer than before.

    **Raises:** `ArgumentError` for an unknown name, for no numbers, for a number given twice or not finite, or for a time step
    that is not positive.
    """
    known = (TIME_STEP, *pde.parameters)
    for name, numbers in values.items():
        if name not in known:
            raise unknown_name("`vary`", name, known)
        wrong = [each for each in numbers if not math.isfinite(each) or (name == TIME_STEP and each <= 0)]
        if wrong or not numbers:
            raise ArgumentError(
                f"`vary`: values of {name}",
                got=wrong[0] if wrong else "none",
                expected="positive numbers" if name == TIME_STEP else "finite numbers",
            )
        if len(set(numbers)) < len(numbers):
            raise ArgumentError(f"`vary`: values of {name}", got=list(numbers), expected="each once")
    return tuple(_with(pde, dict(zip(values, chosen, strict=True))) for chosen in product(*values.values()))


def number_of(pde: PDE, name: str) -> float:
    """The time step of an equation, or one of its coefficients."""
    return pde.time_step if name == TIME_STEP else pde.parameters[name]


def _with(pde: PDE, numbers: Mapping[str, float]) -> PDE:
    step = numbers.get(TIME_STEP, pde.time_step)
    parameters = {name: numbers.get(name, each) for name, each in pde.parameters.items()}
    sub_steps = math.ceil(pde.sub_steps * step / pde.time_step * (1 - 1e-9))
    return replace(pde, time_step=step, sub_steps=max(sub_steps, 1), parameters=parameters)
