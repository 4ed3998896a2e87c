"""The tables of the measurement of tunings, in Markdown."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from _tuning_cells import RULES, STEPS, WAYS, Cell, geometric, ratios

RULE, MARGIN = "one step and last step", 0.9
"""What the library has."""

WORSE = 1.05
"""A case is worse if its error at one of `STEPS` is larger than so many times that of its start."""

NO_JUDGE = "-", "-", "-"
"""In place of what a rule keeps: calibrating ends in one set of weights, and nothing judges it."""

GROUPS = {"4 and 16 trajectories": (4, 16), "One trajectory": (1,)}


def report(cells: Sequence[Cell]) -> str:
    """All tables: geometric means of the error after tuning over that before it, on trajectories held out from everything."""
    parts = [f"{len(cells)} cases: {_counted(cells)}."]
    for title, counts in GROUPS.items():
        some = [cell for cell in cells if cell.samples in counts]
        if some:
            parts += [f"## {title}", _ways(some), _rules(some)]
    return "\n\n".join(parts) + "\n"


def _ways(cells: Sequence[Cell]) -> str:
    rows = []
    for way in WAYS:
        for rate in way.rates or (0.0,):
            part = [cell for cell in cells if (cell.way, cell.rate) == (way.name, rate)]
            if part:
                name = (way.name, f"{rate:g}" if rate else "-", len(part))
                kept = _figures(part, RULE, MARGIN) if rate else NO_JUDGE
                rows.append((*name, *_figures(part, "last"), *kept))
    steps = ", ".join(map(str, STEPS))
    figures = "worse", "worst"
    return _table(
        ("way", "rate", "cases", f"last weights: {steps}", *figures, f"kept: {steps}", *figures), rows
    )


def _rules(cells: Sequence[Cell]) -> str:
    judged = [cell for cell in cells if cell.rate]
    asked = [(rule, 1.0) for rule in RULES] + [(RULE, MARGIN)]
    names = [rule if margin == 1 else f"{rule}, better by a tenth" for rule, margin in asked]
    rows = [(name, *_figures(judged, *each)) for name, each in zip(names, asked, strict=True)]
    return _table(("kept by", ", ".join(map(str, STEPS)), "worse", "worst"), rows)


def _counted(cells: Iterable[Cell]) -> str:
    found: dict[str, set[int]] = {}
    for cell in cells:
        found.setdefault(cell.transfer, set()).add(cell.seed)
    return ", ".join(f"{transfer} ({len(seeds)} networks)" for transfer, seeds in found.items())


def _figures(cells: Sequence[Cell], rule: str, margin: float = 1.0) -> tuple[str, str, str]:
    """Geometric means at every step, the share of cases that are worse, and the largest ratio of all."""
    found = np.array(ratios(cells, rule, margin))
    means = ", ".join(f"{geometric(*column):.2f}" for column in found.T)
    return means, f"{100 * (found > WORSE).any(axis=1).mean():.0f} %", f"{found.max():.2f}"


def _table(head: Sequence[object], rows: Iterable[Iterable[object]]) -> str:
    line: Callable[[Iterable[object]], str] = lambda cells: f"| {' | '.join(map(str, cells))} |"  # noqa: E731
    return "\n".join([line(head), line("---:" if i else "---" for i in range(len(head))), *map(line, rows)])
