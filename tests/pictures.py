"""Pictures are drawn for the tests that look at them; for all others a file of a picture holds no more than its beginning.

To lay out and draw one takes a second, and every training, evaluation and study writes some. Their figures are made in any
case. Marked `pictures` are the tests of pictures themselves, and one of each command that writes any; what is too slow for
every day has them drawn as well.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

BEGINNINGS: Mapping[str, bytes] = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-1.4\n", "svg": b"<svg/>\n"}
DRAWN = ("pictures", "slow", "trust")
"""Marks of tests for which pictures are drawn."""


@contextmanager
def not_drawn() -> Iterator[None]:
    def begin(figure: Any, stream: Any, form: str) -> None:
        stream.write(BEGINNINGS[form])

    with patch("ginjax.ml.draw._save._draw", begin):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    imported = "ginjax.ml.draw._save" in sys.modules  # which takes seconds that most tests need not spend
    if not imported or any(item.get_closest_marker(mark) for mark in DRAWN):
        return (yield)
    with not_drawn():
        return (yield)
