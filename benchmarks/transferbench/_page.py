"""The tables of what was measured, as Markdown, and their place in the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median

from transferbench._cells import METHODS, Case
from transferbench._results import Book, latest, undated
from transferbench._summary import Group, Spread, Worth, grouped, ratio, worths

BEGIN = "<!-- tables: written by benchmarks/transfer_bench.py --page -->"
END = "<!-- end of the tables -->"


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
    parts = [_worth(worths(groups)), _tuning(groups), *(_errors(groups, case) for case in cases)]
    return "\n".join([f"{_machines(book)}\n", *filter(None, parts)])


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
            f"| {name} | {' | '.join(errors)} | {worth.scratch.samples} | {equal} | {worth.own_time:.2g} | {times} |"
        )
    return "\n".join(lines) + "\n"


def _tuning(groups: Sequence[Group]) -> str:
    rows = []
    scratch = {(each.case, each.samples): each for each in groups if each.method == "scratch"}
    for group in groups:
        other = scratch.get((group.case, group.samples))
        if other is None or group.method not in ("calibrated", "tuned", "tuned-plateau"):
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
            f"| {errors} | {100 * group.diverged:.0f} % | {group.seconds:.2g} |"
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


def _needed(sign: str, count: float) -> str:
    return f"{sign} {count:.0f}" if sign != "=" else f"{count:.1f}"


def _reached(times: Sequence[float]) -> str:
    """The median of the seconds, and how many seeds never came there."""
    never = sum(not math.isfinite(each) for each in times)
    if never == len(times):
        return "never"
    shown = f"{median(each for each in times if math.isfinite(each)):.2g}"
    return f"{shown} (never in {never} of {len(times)})" if never else shown
