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


def sampled(*strategies: Any, daily: int, slow: int) -> Callable[[Callable], Callable]:
    """A check of drawn examples as a test, which draws so many every day and so many with `-m slow`, always the same."""

    def as_test(check: Callable) -> Callable:
        @pytest.mark.parametrize("examples", [daily, *few(slow)])
        def test(examples):
            draw = settings(max_examples=examples, deadline=None, derandomize=True)
            draw(given(*strategies)(check))()

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return as_test
