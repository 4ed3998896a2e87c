"""The tables of the measurement of tunings, in Markdown."""

from collections.abc import Callable, Iterable

import numpy as np
from _tuning_cells import RULES, STEPS, WAYS, Cell, geometric, ratios

RULE = "one step and last step"
"""The rule that the library has."""

WORSE = 1.05
"""A model with a larger error than so many times that of its start is worse."""


def report(cells: list[Cell]) -> str:
    """All tables."""
    asked = [(way.name, rate) for way in WAYS for rate in way.rates or (0.0,)]
    counts = sorted({cell.samples for cell in cells})
    parts = [
        f"{len(cells)} cells: {_counted(cells)}.",
        "## Ways and rates, the last weights and those kept",
        _table(
            ("way", "rate", *_heads("last"), "worse", *_heads("kept"), "worse", "worst"),
            [
                (way, f"{rate:g}" if rate else "-", *_means(part, "last"), *_means(part, RULE), _worst(part))
                for way, rate in asked
                if (part := [cell for cell in cells if (cell.way, cell.rate) == (way, rate)])
            ],
        ),
        "## By the number of trajectories, weights kept",
        _table(
            (
                "way",
                "rate",
                *(head for n in counts for head in (f"{n}: {', '.join(map(str, STEPS))}", "worse")),
            ),
            [
                (
                    way,
                    f"{rate:g}" if rate else "-",
                    *(text for n in counts for text in _short(cells, way, rate, n)),
                )
                for way, rate in asked
            ],
        ),
        "## Rules, over all ways and rates",
        _table(
            ("kept by", *_heads(""), "worse", "worst"),
            [(rule, *_means(cells, rule), _worst(cells, rule)) for rule in RULES],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _counted(cells: Iterable[Cell]) -> str:
    found: dict[str, set[int]] = {}
    for cell in cells:
        found.setdefault(cell.transfer, set()).add(cell.seed)
    return "; ".join(f"{transfer}, {len(seeds)} seeds" for transfer, seeds in found.items())


def _heads(what: str) -> list[str]:
    return [f"{what} {step}".strip() for step in STEPS]


def _means(cells: list[Cell], rule: str) -> list[str]:
    """Geometric mean of the ratios at every step, and the share of cells that became worse at any of them."""
    found = np.array([each for _, each in ratios(cells, rule)])
    means = [f"{geometric(*column):.2f}" for column in found.T]
    return [*means, f"{100 * (found > WORSE).any(axis=1).mean():.0f} %"]


def _worst(cells: list[Cell], rule: str = RULE) -> str:
    return f"{max(max(each) for _, each in ratios(cells, rule)):.2f}"


def _short(cells: list[Cell], way: str, rate: float, samples: int) -> list[str]:
    part = [cell for cell in cells if (cell.way, cell.rate, cell.samples) == (way, rate, samples)]
    if not part:
        return ["-", "-"]
    *means, worse = _means(part, RULE)
    return [", ".join(means), worse]


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    line: Callable[[Iterable[object]], str] = lambda cells: f"| {' | '.join(map(str, cells))} |"  # noqa: E731
    heads = list(head)
    return "\n".join([line(heads), line("---:" if i else "---" for i in range(len(heads))), *map(line, rows)])
