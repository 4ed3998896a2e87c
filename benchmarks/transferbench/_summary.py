"""Seeds brought together, and what a conversion is worth: in error, in samples, in time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from transferbench._cells import METHODS, Case
from transferbench._results import Result


@dataclass(frozen=True)
class Spread:
    """Median and range over the seeds; infinite where a forecast is no number."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = list(values)
        return cls(median(found), min(found), max(found))


@dataclass(frozen=True)
class Group:
    """The seeds of one method at one number of samples.

    **Arguments:**

    - `rule`, `cover`: see `Result`.
    """

    case: Case
    method: str
    samples: int
    rule: str
    cover: bool
    results: tuple[Result, ...]

    @property
    def horizons(self) -> tuple[int, ...]:
        return tuple(self.results[0].errors)

    def error(self, horizon: int) -> Spread:
        return Spread.of(result.error(horizon) for result in self.results)

    @property
    def diverged(self) -> float:
        return float(np.mean([result.diverged for result in self.results]))

    @property
    def seconds(self) -> float:
        return median(result.seconds.total for result in self.results)

    @property
    def levelled(self) -> bool:
        """Whether every training that was to reach its plateau did."""
        return all(result.levelled is not False for result in self.results)


def grouped(results: Iterable[Result]) -> list[Group]:
    """By case, in the order of `METHODS`, then by samples."""
    found: dict[tuple, dict[int, Result]] = {}
    for result in results:
        cell = result.cell
        key = cell.case, cell.method, cell.samples, result.rule, result.cover
        found.setdefault(key, {})[cell.seed] = result
    cases = list(dict.fromkeys(key[0] for key in found))
    methods = list(METHODS)
    groups = [Group(*key, tuple(seeds[seed] for seed in sorted(seeds))) for key, seeds in found.items()]
    return sorted(
        groups,
        key=lambda each: (
            cases.index(each.case),
            methods.index(each.method),
            each.rule,
            each.cover,
            each.samples,
        ),
    )


def samples_needed(error: float, by_samples: Mapping[int, float]) -> tuple[str, float]:
    """How many samples training from scratch needs for an error, interpolated where it was measured.

    Errors are interpolated linearly in their logarithm and that of the number.

    **Arguments:**

    - `error`: to be reached.
    - `by_samples`: the error from scratch by number of samples.

    **Returns:** `"="` and the number, `"<"` and the smallest that was measured, or `">"` and the largest.
    """
    counts = sorted(by_samples)
    reached = [count for count in counts if by_samples[count] <= error]
    if not reached:
        return ">", counts[-1]
    first = reached[0]
    if first == counts[0]:
        return "<" if by_samples[first] < error else "=", first
    before = counts[counts.index(first) - 1]
    high, low = by_samples[before], by_samples[first]
    if not math.isfinite(high):
        return "=", first
    share = math.log(high / error) / math.log(high / low)
    return "=", math.exp(math.log(before) + share * math.log(first / before))


def time_to_equal(scratch: Result, error: float, which: int) -> float:
    """Processor time in which training from scratch had an error, with its data; infinite if it never had.

    Of the trainings of several lengths it is the fastest that counts.

    **Arguments:**

    - `error`: on the validation fold.
    - `which`: 1 for the error after one step, 2 for that after several, as in `Result.curve`.
    """
    reached = [point[0] for point in scratch.curve if point[which] <= error]
    return min(reached) + scratch.seconds.high_data if reached else math.inf


@dataclass(frozen=True)
class Worth:
    """What the converted network without any sample of the high dimension is worth.

    **Arguments:**

    - `zero`, `scratch`: the conversion alone, and training from scratch to its plateau on most samples, see `best_scratch`.
    - `samples`: by horizon, see `samples_needed`.
    - `times`: of each seed, the seconds of both after which the errors are equal, after one step and after several.
    """

    zero: Group
    scratch: Group
    samples: Mapping[int, tuple[str, float]]
    times: Sequence[tuple[float, float]]

    @property
    def own_time(self) -> float:
        return median(result.seconds.total for result in self.zero.results)


FROM_SCRATCH = ("scratch", "scratch-noise")
"""Trainings from scratch to their plateau."""


def best_scratch(groups: Sequence[Group], case: Case, samples: int) -> Group | None:
    """Training from scratch with or without noise, whichever has the smaller product of the errors after one step and after
    the most; None where neither was measured.
    """
    own = [e for e in groups if (e.case, e.samples) == (case, samples) and e.method in FROM_SCRATCH]
    ends = min, max
    return min(own, key=lambda e: math.prod(e.error(end(e.horizons)).median for end in ends), default=None)


def worths(groups: Sequence[Group]) -> list[Worth]:
    """One for every conversion that was measured beside training from scratch."""
    found = []
    for zero in groups:
        if zero.method not in ("zero-shot", "calibrated", "planes") or zero.samples:
            continue
        counts = {e.samples for e in groups if e.case == zero.case and e.method in FROM_SCRATCH}
        if not counts:
            continue
        most = best_scratch(groups, zero.case, max(counts))
        assert most is not None
        scratch = [e for e in groups if (e.case, e.method) == (zero.case, most.method)]
        samples = {}
        for horizon in zero.horizons:
            errors = {each.samples: each.error(horizon).median for each in scratch}
            samples[horizon] = samples_needed(zero.error(horizon).median, errors)
        found.append(Worth(zero, most, samples, list(_times(zero, most))))
    return found


def _times(zero: Group, scratch: Group) -> Iterable[tuple[float, float]]:
    by_seed = {result.cell.seed: result for result in scratch.results}
    for result in zero.results:
        other = by_seed.get(result.cell.seed)
        if other is not None:
            one, several = (
                time_to_equal(other, error, which) for which, error in enumerate(result.validation, 1)
            )
            yield one, several


def ratio(group: Group, against: Group, horizon: int) -> Spread | None:
    """The error of one method over that of another, seed by seed; None without a seed of both."""
    by_seed = {result.cell.seed: result for result in against.results}
    found = [
        _ratio(result.error(horizon), by_seed[result.cell.seed].error(horizon))
        for result in group.results
        if result.cell.seed in by_seed
    ]
    return Spread.of(found) if found else None


def _ratio(mine: float, other: float) -> float:
    if math.isfinite(mine):
        return mine / other if math.isfinite(other) else 0.0
    return math.inf
