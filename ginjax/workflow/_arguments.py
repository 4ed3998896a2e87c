"""Checks of the arguments that a user gives, made before any work."""

from __future__ import annotations

from types import UnionType

import numpy as np

from ginjax.errors import ArgumentError


def check_whole(name: str, value: object, *, least: int) -> int:
    """Check that an argument is a whole number.

    **Arguments:**

    - `name`: name of the argument.
    - `value`: what was given.
    - `least`: the smallest number that is accepted.

    **Raises:** `ArgumentError` for anything else.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(name, got=repr(value)[:60], expected=f"a whole number, {least} or more")
    return int(value)


def check_kind(name: str, value: object, kind: type | UnionType, expected: str) -> None:
    """Check that an argument is an object of a class, or None.

    **Raises:** `ArgumentError` for anything else.
    """
    if value is not None and not isinstance(value, kind):
        raise ArgumentError(name, got=repr(value)[:60], expected=expected)
