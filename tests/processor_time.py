"""Where the processor time of a run of the tests went: the dearest files, at its end.

Processor time, not the clock, which says as much of what else the computer does; that of the commands that a test starts
counts as well. What is imported or prepared for several tests counts to the first.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

SHOWN = 10
LONG = 60.0
"""Seconds of a run that is long enough to say so."""

_spent: Counter[str] = Counter()
"""Seconds by file, of all processes, in the one that began the run."""

_before = [0.0]
"""Of this process until the last report."""


def processor_time() -> float:
    """Seconds of this process and of those that it started and waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Each part of a test, its preparations among them, is reported with what was spent since the last."""
    report = yield
    now = processor_time()
    report.processor_time, _before[0] = now - _before[0], now
    return report


def pytest_runtest_logreport(report):
    _spent[file_of(report.nodeid)] += report.processor_time


def pytest_runtestloop():
    _before[0] = processor_time()


def pytest_terminal_summary(terminalreporter):
    if _spent.total() >= LONG:
        terminalreporter.section("processor time")
        for line in dearest(_spent):
            terminalreporter.write_line(line)


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def dearest(spent: Mapping[str, float]) -> Iterable[str]:
    """The files that took most, the dearest first, and all together."""
    yield f"{sum(spent.values()):8.1f} s  {len(spent)} files, without collecting them"
    for name, seconds in sorted(spent.items(), key=lambda each: -each[1])[:SHOWN]:
        yield f"{seconds:8.1f} s  {name}"
