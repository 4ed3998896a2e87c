"""The tables of what was measured, as Markdown, and their place in the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

from transferbench._cells import METHODS, Case
from transferbench._results import Book, latest, undated
from transferbench._summary import Group, Spread, Worth, best_scratch, grouped, ratio, worths

BEGIN = "<!-- tables: written by benchmarks/transfer_bench.py --page -->"
END = "<!-- end of the tables -->"

TUNED = ("calibrated", "tuned", "tuned-plateau", "planes-tuned")
"""The methods of ours that use samples of the high dimension."""


def with_tables(text: str, book: Book) -> str:
    """A page with the tables between its two marks.

    **Raises:** `ValueError` for a page without them.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"a page without {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables(book)}\n{END}{after}"


def tables(book: Book) -> str:
    """All tables."""
    groups = grouped(book.results)
    cases = list(dict.fromkeys(group.case for group in groups))
    own = (_errors(groups, case) for case in cases)
    parts = [_overview(groups, cases), _worth(worths(groups)), _tuning(groups), *own]
    return "\n".join([*filter(None, parts), f"{_machines(book)}\n"])


def _machines(book: Book) -> str:
    """Where how many of the results were measured."""
    counts = Counter(undated(result.machine or book.machine) for result in latest(book.results))
    if len(counts) == 1:
        return f"Measured {book.machine}."
    parts = "; ".join(f"{count} on {machine}" for machine, count in counts.items())
    return f"Measured on more than one machine, whose seconds differ: {parts}."


def title(case: Case) -> str:
    """A case in words."""
    network = f"{case.channels} channels, {case.blocks} block{'s' * (case.blocks > 1)}"
    return f"{case.pde} {case.low}→{case.high}, {network}{', products' * case.product}"


def _overview(groups: Sequence[Group], cases: Sequence[Case]) -> str:
    """Every method beside every other: medians after the first and the last horizon, a case after the other."""
    first, last = _ends(groups)
    heads = [f"{case.pde} {case.low}→{case.high}, {_steps(each)}" for case in cases for each in (first, last)]
    most = max(len(group.results) for group in groups)
    found = {(_of_a_row(group), group.case): group for group in groups}
    lines = [
        "### All methods\n",
        f"Medians of {most} seeds, or of as many as stand beside the number. An error above 1 is worse than predicting the mean of the",
        "field, `-` was not measured.\n",
        f"| method | samples | {' | '.join(heads)} |",
        f"|---|---:|{'---:|' * len(heads)}",
    ]
    for name, samples in _rows_in_order(groups):
        cells = []
        for case in cases:
            group = found.get(((name, samples), case))
            cells += ["-", "-"] if group is None else [_short(group, each, most) for each in (first, last)]
        lines.append(f"| {name} | {samples} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _of_a_row(group: Group) -> tuple[str, int]:
    return METHODS[group.method].label + variant(group), group.samples


def _rows_in_order(groups: Sequence[Group]) -> list[tuple[str, int]]:
    """By number of samples, then in the order of the methods."""
    methods = list(METHODS)
    chosen = sorted(
        groups, key=lambda each: (each.samples, methods.index(each.method), each.rule, each.cover)
    )
    return list(dict.fromkeys(map(_of_a_row, chosen)))


def _short(group: Group, horizon: int, most: int) -> str:
    """The median, and of how many seeds where that is not all."""
    error, seeds = group.error(horizon).median, len(group.results)
    shown = _number(error) if error <= 1 else "> 1"
    return shown if seeds == most else f"{shown} ({seeds})"


def _worth(found: Sequence[Worth]) -> str:
    if not found:
        return ""
    first, last = min(found[0].zero.horizons), max(found[0].zero.horizons)
    heads = [
        f"{what}, {_steps(horizon)}" for horizon in (first, last) for what in ("converted", "from scratch")
    ]
    lines = [
        "### Without a sample of the high dimension\n",
        f"| case | {' | '.join(heads)} | samples | worth in samples | seconds | seconds from scratch to equal error |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for worth in found:
        groups = worth.zero, worth.scratch
        errors = [_spread(group.error(horizon)) for horizon in (first, last) for group in groups]
        equal = ", ".join(_needed(*worth.samples[horizon]) for horizon in (first, last))
        times = "; ".join(_reached([pair[which] for pair in worth.times]) for which in (0, 1))
        done = {"calibrated": ", calibrated", "planes": ", tuned on planes"}.get(worth.zero.method, "")
        name = title(worth.zero.case) + done + variant(worth.zero)
        lines.append(
            f"| {name} | {' | '.join(errors)} | {worth.scratch.samples} | {equal} | {_seconds(worth.own_time)} | {times} |"
        )
    return "\n".join(lines) + "\n"


def _tuning(groups: Sequence[Group]) -> str:
    rows = []
    for group in groups:
        other = best_scratch(groups, group.case, group.samples)
        if other is None or group.method not in TUNED:
            continue
        found = [ratio(group, other, each) for each in _ends(groups)]
        shown = " | ".join("-" if each is None else _spread(each) for each in found)
        name = METHODS[group.method].label + variant(group)
        rows.append(f"| {title(group.case)} | {name} | {group.samples} | {shown} |")
    if not rows:
        return ""
    first, last = map(_steps, _ends(groups))
    heads = [
        "### Converted over from scratch to its plateau, with the same samples\n",
        f"| case | method | samples | {first} | {last} |",
        "|---|---|---:|---:|---:|",
    ]
    return "\n".join(heads + rows) + "\n"


def _ends(groups: Sequence[Group]) -> tuple[int, int]:
    """The first and the last horizon."""
    return min(groups[0].horizons), max(groups[0].horizons)


def _steps(horizon: int) -> str:
    return f"{horizon} step{'s' * (horizon > 1)}"


def _errors(groups: Sequence[Group], case: Case) -> str:
    own = [group for group in groups if group.case == case]
    horizons = own[0].horizons
    heads = " | ".join(map(_steps, horizons))
    lines = [
        f"### {title(case)}\n",
        f"| method | samples | parameters | {heads} | diverged | seconds |",
        f"|---|---:|---:|{'---:|' * len(horizons)}---:|---:|",
    ]
    unchanged = [median(result.unchanged[each] for result in own[0].results) for each in horizons]
    lines.append(f"| no change | 0 | - | {' | '.join(f'{each:.2g}' for each in unchanged)} | - | - |")
    for group in own:
        errors = " | ".join(_spread(group.error(each)) for each in horizons)
        mark = "" if group.levelled else "*"
        lines.append(
            f"| {METHODS[group.method].label}{variant(group)}{mark} | {group.samples} | {group.results[0].parameters} "
            f"| {errors} | {100 * group.diverged:.0f} % | {_seconds(group.seconds)} |"
        )
    if not all(group.levelled for group in own):
        lines.append(
            "\n\\* still improving by 5 % or more from half the largest number of steps to all of them."
        )
    return "\n".join(lines) + "\n"


def variant(group: Group) -> str:
    """The rule, where it is not the default one, and the data, where they cover the high dimension."""
    rule = f" ({group.rule})" if group.rule not in ("", "compatibility") else ""
    return rule + " (covering data)" * group.cover


def _spread(spread: Spread) -> str:
    if spread.least == spread.most:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "no number"


def _seconds(value: float) -> str:
    """Two digits, and never a power of ten."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _needed(sign: str, count: float) -> str:
    return f"{sign} {count:.0f}" if sign != "=" else f"{count:.1f}"


def _reached(times: Sequence[float]) -> str:
    """The median of the seconds, and how many seeds never came there."""
    never = sum(not math.isfinite(each) for each in times)
    if never == len(times):
        return "never"
    shown = _seconds(median(each for each in times if math.isfinite(each)))
    return f"{shown} (never in {never} of {len(times)})" if never else shown
