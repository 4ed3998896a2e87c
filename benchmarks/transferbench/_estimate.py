"""How long the cells that are missing will take, from those that are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean

from transferbench._cells import Cell
from transferbench._results import Result


def expected(cell: Cell, results: Sequence[Result]) -> float | None:
    """Seconds of processor time of a cell: the mean of those most like it; None if there are none.

    Most like it are those of its case, method and number of samples; else of its case and method, of other equations
    on the same network, and so on.
    """
    likenesses: Sequence[Callable[[Cell], tuple]] = (
        lambda each: (each.case, each.method, each.samples),
        lambda each: (each.case, each.method, each.samples > 0),
        lambda each: (each.case.transfer, each.case.network, each.method, each.samples > 0),
        lambda each: (each.method, each.samples > 0),
    )
    for likeness in likenesses:
        found = [result.spent for result in results if likeness(result.cell) == likeness(cell)]
        if found:
            return mean(found)
    return None


def estimate(cells: Sequence[Cell], results: Sequence[Result]) -> str:
    """Minutes of processor time, in words."""
    each = [expected(cell, results) for cell in cells]
    known = [seconds for seconds in each if seconds is not None]
    unknown = f", without {len(each) - len(known)} of a kind that was never measured"
    return f"about {sum(known) / 60:.0f} minutes to go" + unknown * (len(known) < len(each))
