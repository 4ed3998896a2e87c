"""The comparison of two transfer rules as tables, and what the criterion for a default says of each cell."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

LARGEST_RATIO = 1.05
"""Of the median over seeds, in every cell."""

MEAN_RATIO = 0.95
"""Of the geometric mean over cells."""

WORTHLESS = 1.0
"""The nRMSE of predicting zero: a larger error says no more than that the rollout is lost."""

_CELL = ("pde", "low", "high", "network", "data", "training")


def tables(rows: Sequence[dict[str, Any]], rules: tuple[str, str], steps: Sequence[int]) -> str:
    """One line for each cell, and the verdict.

    **Arguments:**

    - `rows`: as `measure` makes them.
    - `rules`: the rule that is the default and the one that may become it.
    - `steps`: at which errors are given.
    """
    lines = [
        f"Median nRMSE over the seeds, {rules[0]} / {rules[1]}, and the share of rollouts that diverged within "
        f"{max(steps)} steps.",
        "",
        "| equation | step | network | data | training | seeds | "
        + " | ".join(f"error at {step}" for step in steps)
        + " | diverged | holds |",
        "|---" * (8 + len(steps)) + "|",
    ]
    cells = list(_cells(rows, rules, steps))
    for name, seeds, errors, lost in cells:
        ratios = _ratios(errors)
        pde, low, high, *others = name
        lines.append(
            f"| {pde} | {low} -> {high} | {' | '.join(others)} | {seeds} | "
            + " | ".join(f"{a:.4f} / {b:.4f}" for a, b in errors.T)
            + f" | {lost[0]:.2f} / {lost[1]:.2f} | {_verdict(ratios, lost)} |"
        )
    return "\n".join([*lines, "", *_summary(cells, steps)])


def _cells(
    rows: Sequence[dict[str, Any]], rules: tuple[str, str], steps: Sequence[int]
) -> Iterator[tuple[tuple[Any, ...], int, np.ndarray, np.ndarray]]:
    """Name, number of seeds, median errors `(2, steps)`, and the share that diverged `(2,)`, of each cell."""
    names = list(dict.fromkeys(tuple(row[key] for key in _CELL) for row in rows if row["rule"] in rules))
    for name in names:
        own = [row for row in rows if tuple(row[key] for key in _CELL) == name]
        by_rule = [[row for row in own if row["rule"] == rule] for rule in rules]
        errors = [
            np.median([[_number(row["errors"][str(step)]) for step in steps] for row in each], axis=0)
            for each in by_rule
        ]
        lost = [np.mean([row["diverged"] for row in each]) for each in by_rule]
        yield name, len(by_rule[0]), np.array(errors), np.array(lost)


def _number(error: float | None) -> float:
    return np.inf if error is None else error


def _ratios(errors: np.ndarray) -> np.ndarray:
    """New to default at each step, errors beyond `WORTHLESS` counting as that."""
    default, new = np.minimum(errors, WORTHLESS)
    return new / default


def _verdict(ratios: np.ndarray, lost: np.ndarray) -> str:
    if lost[1] > lost[0]:
        return "no: diverges"
    return f"no: x {ratios.max():.3f}" if ratios.max() > LARGEST_RATIO else "yes"


def _summary(cells: Sequence[tuple[Any, ...]], steps: Sequence[int]) -> Iterator[str]:
    """The geometric means of the ratios, and how many cells hold, for each training and network."""
    for training, network in dict.fromkeys((name[-1], name[3]) for name, *_ in cells):
        chosen = [each for each in cells if (each[0][-1], each[0][3]) == (training, network)]
        yield _means(f"Training {training}, {network}", chosen, steps)
        left = [each for each in chosen if each[3].min() < 1]
        if 0 < len(left) < len(chosen):
            yield _means("Without those in which every rollout diverges by either rule", left, steps)


def _means(title: str, cells: Sequence[tuple[Any, ...]], steps: Sequence[int]) -> str:
    ratios = np.array([_ratios(errors) for _, _, errors, _ in cells])
    means = np.exp(np.log(ratios).mean(axis=0))
    held = (ratios <= LARGEST_RATIO).sum(axis=0)
    more = sum(lost[1] > lost[0] for *_, lost in cells)
    return (
        f"{title}, {len(cells)} cells: geometric mean of the ratios "
        + ", ".join(f"{mean:.3f} at {step}" for mean, step in zip(means, steps, strict=True))
        + f" (at most {MEAN_RATIO} is asked for); within {LARGEST_RATIO} in "
        + ", ".join(f"{count} at {step}" for count, step in zip(held, steps, strict=True))
        + f"; more rollouts diverge in {more}."
    )
