"""Measuring cells, and choosing the learning rates that they are trained with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import PyTree

from ginjax.ml import FOLDS
from transferbench._cells import METHODS, Case, Cell, Method
from transferbench._families import FAMILIES, parameters
from transferbench._results import Book, Result, Seconds
from transferbench._rollouts import diverged, rollout_errors, unchanged_errors
from transferbench._settings import kind
from transferbench._stage import CALIBRATED_FROM, Options, Stage
from transferbench._training import fit_steps, fit_to_plateau, score


@dataclass
class Bench:
    """Measures cells into a book; whole seeds in a row share what they trained.

    **Arguments:**

    - `most`: trajectories of the high dimension that any cell is trained on at most.
    """

    book: Book
    options: Options
    most: int
    stages: dict[tuple[Case, int], Stage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.book.settings

    def key(self, cell: Cell) -> tuple[str, str, bool]:
        """Under which the book has it: from scratch no conversion has a part, but for the time that it took."""
        if not METHODS[cell.method].converted and METHODS[cell.method].how != "equal-time":
            return cell.name, "", False
        rule = self.options.rule if METHODS[cell.method].family == "ours" else ""
        if METHODS[cell.method].how == "calibrated":
            rule = CALIBRATED_FROM
        return cell.name, rule, self.options.cover

    def measure(self, cell: Cell) -> Result:
        """One network from its data to its errors; the result is not in the book yet."""
        begin = time.process_time()
        stage = self._stage(cell.case, FOLDS["test"] + cell.seed)
        made = self._made(stage, cell)
        errors = rollout_errors(made.model, stage.data.test)
        means, unchanged = errors.mean(axis=1), unchanged_errors(stage.data.test).mean(axis=1)
        horizons = self.settings.horizons
        _, rule, cover = self.key(cell)
        return Result(
            cell,
            rule,
            cover,
            rate=made.rate,
            steps=made.steps,
            levelled=made.levelled,
            parameters=parameters(made.model),
            errors={each: _finite(means[each - 1]) for each in horizons},
            diverged=diverged(errors[: max(horizons)]),
            unchanged={each: float(unchanged[each - 1]) for each in horizons},
            validation=stage.look(made.model),
            seconds=replace(
                made.seconds, high_data=made.seconds.high_data + stage.data.high_seconds(cell.samples)
            ),
            curve=made.curve,
            noise=made.noise,
            spent=time.process_time() - begin,
        )

    def _stage(self, case: Case, first_seed: int) -> Stage:
        if (case, first_seed) not in self.stages:
            # The validation fold of the case at hand serves all its seeds; what else there is is let go.
            chosen = FOLDS["validation"]
            self.stages = {key: stage for key, stage in self.stages.items() if key == (case, chosen)}
            self.stages[case, first_seed] = Stage(case, self.settings, self.options, first_seed, self.most)
        return self.stages[case, first_seed]

    def _made(self, stage: Stage, cell: Cell) -> _Made:
        method, samples = METHODS[cell.method], cell.samples
        low_rate = self.low_rate(cell.case, method.family) if method.family else 0.0
        if method.how == "equal-time":
            return self._equal_time(stage, cell)
        if method.converted:
            start, before = stage.converted(method.family, low_rate)
        else:
            start, before = stage.untrained(method.family, cell.case.high), Seconds()
        if method.how == "calibrated":
            model, seconds = stage.calibrated(low_rate, samples)
            return _Made(model, replace(before, high_training=seconds))
        if method.how.startswith("planes"):
            planes = self._on_planes(stage, cell, start, before)
            if method.how == "planes":
                return planes
            start, before = planes.model, planes.seconds
        if samples == 0:
            return _Made(start, before)
        if method.how == "tuned":
            model, steps, batch = stage.tuned(low_rate, samples)
            seconds = steps * stage.pace(samples) * batch / self.settings.batch
            return _Made(model, replace(before, high_training=seconds), 0.0, steps)
        rate = self.rate(cell.case, method, samples)
        noise = self.noise(cell.case, method, samples, rate) if method.noisy else 0.0
        lengths = self.settings.lengths[kind(cell.case.scalar)]
        trainer = stage.trainer(samples, noise)
        fitted = fit_to_plateau(start, trainer, rate, lengths, stage.look, self.settings.gain)
        seconds = replace(before, high_training=before.high_training + fitted.seconds)
        return _Made(fitted.model, seconds, rate, fitted.steps, fitted.levelled, fitted.curve, noise)

    def _equal_time(self, stage: Stage, cell: Cell) -> _Made:
        """From scratch for as long as converting and tuning by the defaults took."""
        tuned = self._of_book(replace(cell, method="tuned"))
        seconds = tuned.seconds.before + tuned.seconds.high_training
        steps = max(1, round(seconds / stage.pace(cell.samples)))
        rate = self.rate(cell.case, METHODS["scratch"], cell.samples)
        fitted = fit_steps(stage.untrained("ours", cell.case.high), stage.trainer(cell.samples), steps, rate)
        return _Made(fitted.model, Seconds(high_training=fitted.seconds), rate, steps)

    def _on_planes(self, stage: Stage, cell: Cell, start: PyTree, before: Seconds) -> _Made:
        """Tuned on fields that vary in a plane only, which alone choose the rate and judge."""
        rate = self.plane_rate(cell.case, METHODS[cell.method])
        lengths = self.settings.lengths[kind(cell.case.scalar)]
        fitted = stage.tuned_on_planes or fit_to_plateau(
            start, stage.trainer_on_planes(), rate, lengths, stage.look_at_planes, self.settings.gain
        )
        stage.tuned_on_planes = fitted
        seconds = replace(before, high_data=stage.data.planes[1], high_training=fitted.seconds)
        return _Made(fitted.model, seconds, rate, fitted.steps, fitted.levelled, fitted.curve)

    def _of_book(self, cell: Cell) -> Result:
        key = self.key(cell)
        for result in reversed(self.book.results):
            if result.key == key and self.book.at_hand(result):
                return result
        result = self.measure(cell)
        self.book.add(result)
        return result

    def low_rate(self, case: Case, family: str) -> float:
        """The rate of the training in the low dimension, chosen there."""
        stage = self._stage_of_choice(case)
        name = f"{case.name}/low/{FAMILIES[family].low}"
        return self._chosen(name, self.settings.low_rates, lambda rate: stage.low_score(family, rate))

    def rate(self, case: Case, method: Method, samples: int) -> float:
        """The rate of a training in the high dimension, chosen by short ones on the validation fold."""
        name = f"{case.name}/{method.family if method.converted else 'scratch'}/n{samples}"
        rates = self.settings.tune_rates if method.converted else self.settings.scratch_rates

        return self._chosen(name, rates, lambda rate: self._tried(case, method, samples, rate))

    def noise(self, case: Case, method: Method, samples: int, rate: float) -> float:
        """The noise on the inputs of such a training, chosen in the same way after its rate."""
        name = f"{case.name}/{method.family if method.converted else 'scratch'}/n{samples}/noise"
        noises = self.settings.noises
        return self._chosen(name, noises, lambda noise: self._tried(case, method, samples, rate, noise))

    def _tried(self, case: Case, method: Method, samples: int, rate: float, noise: float = 0.0) -> float:
        """The score of a short training on the validation fold."""
        stage = self._stage_of_choice(case)
        if method.converted:
            start, _ = stage.converted(method.family, self.low_rate(case, method.family))
        else:
            start = stage.untrained(method.family, case.high)
        steps = self.settings.trial_steps[kind(case.scalar)]
        return stage.score(fit_steps(start, stage.trainer(samples, noise), steps, rate).model)

    def plane_rate(self, case: Case, method: Method) -> float:
        """The rate of a training on planes, chosen by short ones on planes of the validation fold."""

        def tried(rate: float) -> float:
            stage = self._stage_of_choice(case)
            start, _ = stage.converted(method.family, self.low_rate(case, method.family))
            steps = self.settings.trial_steps[kind(case.scalar)]
            return score(stage.look_at_planes(fit_steps(start, stage.trainer_on_planes(), steps, rate).model))

        return self._chosen(f"{case.name}/{method.family}/planes", self.settings.tune_rates, tried)

    def _stage_of_choice(self, case: Case) -> Stage:
        chosen = case, FOLDS["validation"]
        if chosen not in self.stages:
            self.stages[chosen] = Stage(case, self.settings, self.options, FOLDS["validation"], self.most)
        return self.stages[chosen]

    def _chosen(self, name: str, rates: tuple[float, ...], tried: Any) -> float:
        """The rate, or noise, of the lowest score, noted in the book."""
        name += "/cover" if self.options.cover else ""
        if name not in self.book.rates:
            self.book.rates[name] = min(rates, key=tried) if len(rates) > 1 else rates[0]
        return self.book.rates[name]


@dataclass(frozen=True)
class _Made:
    """A network of the high dimension and how it came about."""

    model: PyTree
    seconds: Seconds
    rate: float = 0.0
    steps: int = 0
    levelled: bool | None = None
    curve: tuple[tuple[float, float, float], ...] = ()
    noise: float = 0.0


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
