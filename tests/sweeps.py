"""Which cases of a sweep run every day."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings


def few(*cases: Any) -> list[Any]:
    """Cases of a sweep that run with `-m slow` only, because others of it say nearly as much."""
    return [pytest.param(case, marks=pytest.mark.slow) for case in cases]


def few_rows(*rows: tuple[Any, ...]) -> list[Any]:
    """The same of cases that are several arguments each."""
    return [pytest.param(*row, marks=pytest.mark.slow) for row in rows]


def all_but(cases: Iterable[str], *slow: str) -> list[Any]:
    """The cases of a sweep by name, of which some are for `-m slow`."""
    named = list(cases)
    assert set(slow) <= set(named)
    return [name for name in named if name not in slow] + few(*slow)


def sample(check: Callable, daily: int, slow: int, *strategies: Any) -> tuple[Callable, Callable]:
    """A check as two tests: of so many examples every day, and of so many with `-m slow`."""
    one, many = (
        settings(max_examples=count, deadline=None)(given(*strategies)(check)) for count in (daily, slow)
    )
    return one, pytest.mark.slow(many)
