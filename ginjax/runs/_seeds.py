"""The same training with several seeds: its files, and the mean and spread of its errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ginjax._text import storable
from ginjax.checkpoint import JsonProblem, atomic_write, check_target, expect, parse_json, read_text
from ginjax.errors import ArgumentError, FileError
from ginjax.runs._names import MODEL_ENDING, RunNames
from ginjax.runs._run import Run, read_run
from ginjax.runs._spread import Spread, spread_of

MOST_SEEDS = 1000
_LARGEST_SEED = 2**32 - 1
_MOST_BYTES = 2**22


def parse_seeds(text: str) -> tuple[int, ...]:
    """Parse seeds: `0,1,2`, or `0-4` for a range.

    **Raises:** `ArgumentError` for anything else, a seed twice, or more than `MOST_SEEDS`.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else not last)):
            raise ArgumentError("`seeds`", got=repr(text)[:60], expected="whole numbers such as 0,1,2 or 0-4")
        low, high = int(first), int(last) if dash else int(first)
        if high < low or high - low >= MOST_SEEDS:
            raise ArgumentError(
                "`seeds`", got=part.strip()[:60], expected=f"a range of 1 to {MOST_SEEDS} seeds"
            )
        found += range(low, high + 1)
    return check_seeds(found)


def check_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Check that seeds are whole numbers from 0 to 2^32 - 1, each of them once, and return them.

    **Raises:** `ArgumentError` for anything else, or more than `MOST_SEEDS`.
    """
    found = tuple(seeds)
    for seed in found:
        if type(seed) is not int or not 0 <= seed <= _LARGEST_SEED:
            raise ArgumentError(
                "`seeds`", got=repr(seed)[:60], expected=f"whole numbers from 0 to {_LARGEST_SEED}"
            )
    if not found or len(set(found)) < len(found) or len(found) > MOST_SEEDS:
        raise ArgumentError(
            "`seeds`",
            got=f"{len(found)} seeds, {len(set(found))} of them different",
            expected=f"1 to {MOST_SEEDS}, each once",
        )
    return found


@dataclass(frozen=True)
class SeedFiles:
    """The files of a training with several seeds, all named after one output.

    **Arguments:**

    - `output`: a path such as `model.safetensors`; the models are then `model.seed0.safetensors` and so on.
    """

    output: Path

    def model(self, seed: int) -> Path:
        """The path of the model of one seed."""
        stem = RunNames(self.output).stem
        return stem.with_name(f"{stem.name}.seed{seed}{MODEL_ENDING}")

    @property
    def summary(self) -> Path:
        """The path of a JSON file with what was asked for and the results."""
        stem = RunNames(self.output).stem
        return stem.with_name(f"{stem.name}.seeds.json")

    def begin(
        self, asked: Mapping[str, object], seeds: Sequence[int], *, force: bool = False
    ) -> tuple[int, ...]:
        """Write down what is asked for, before any work; models of an earlier call that asked for the same are kept.

        **Arguments:**

        - `asked`: everything that determines the training except the seed, as JSON values.
        - `seeds`: the seeds.
        - `force`: begin anew, whatever is there.

        **Returns:** the seeds whose models exist already.

        **Raises:** `FileError` for existing models of other settings, or without a record of what was asked for.
        """
        asked = json.loads(json.dumps(storable(asked)))
        there = [seed for seed in seeds if self.model(seed).exists()]
        if not force:
            known = self._asked()
            if known is None:
                for seed in seeds:
                    check_target(self.model(seed), force=False)
            elif known != asked:
                name = next(n for n in sorted(known.keys() | asked.keys()) if known.get(n) != asked.get(n))
                raise FileError(
                    f"{self.summary}: {name}",
                    got=asked.get(name, "nothing"),
                    expected=f"{known.get(name, 'nothing')}, as the models there were trained",
                    hint="Choose another output, or begin anew (`force=True`).",
                )
        self._write({"asked": asked}, force=True)
        return () if force else tuple(there)

    def finish(self, asked: Mapping[str, object], seeds: Sequence[int]) -> SeedSummary:
        """Read the models of all seeds, and write down the results.

        **Arguments:**

        - `asked`, `seeds`: as in `begin`.

        **Raises:** `FileError` for a model that is missing, damaged, or trained on other data than the first.
        """
        summary = SeedSummary({seed: read_run(self.model(seed)) for seed in seeds})
        self._write({"asked": json.loads(json.dumps(storable(asked))), **summary.to_json()}, force=True)
        return summary

    def _asked(self) -> dict[str, Any] | None:
        """What an earlier call asked for; None if there was none."""
        if not self.summary.exists():
            return None
        text = read_text(self.summary, most=_MOST_BYTES)
        try:
            content = parse_json(text)
        except JsonProblem as error:
            raise FileError(f"{self.summary}: {error}", hint="Remove it.") from error
        if not isinstance(content, dict):
            raise FileError(f"{self.summary}: is no summary of a training", hint="Remove it.")
        return expect(content, "asked", dict, where=self.summary)

    def _write(self, content: Mapping[str, object], *, force: bool) -> None:
        text = json.dumps(storable(content), indent=1, sort_keys=True) + "\n"
        atomic_write(self.summary, text.encode(), force=force, links=False)


@dataclass(frozen=True)
class SeedSummary:
    """The results of one training with several seeds.

    **Arguments:**

    - `runs`: the runs by seed.

    **Raises:** `FileError` for a model that was trained on other data than the first.
    """

    runs: Mapping[int, Run]

    def __post_init__(self) -> None:
        simulated = all(
            "equation" in run.data for run in self.runs.values()
        )  # each seed simulates its own data
        digests = {seed: run.data.get("digest") for seed, run in self.runs.items() if not simulated}
        for seed, digest in digests.items():
            first = next(iter(digests))
            if digest != digests[first]:
                raise FileError(
                    f"{self.runs[seed].path}: data that it was trained on",
                    got=str(digest)[:12],
                    expected=f"{str(digests[first])[:12]}, those of seed {first}",
                    hint="The data have changed since: begin anew (`force=True`).",
                )

    @property
    def error(self) -> Spread | None:
        """Mean and standard deviation of the one-step error over the seeds; None if nothing was held out."""
        return self._of(lambda run: None if run.error is None else run.error.get("model"))

    @property
    def persistence(self) -> Spread | None:
        """Mean and standard deviation of the error of predicting no change, each seed on its own held-out part."""
        return self._of(lambda run: None if run.error is None else run.error.get("persistence"))

    @property
    def validation(self) -> Spread | None:
        """Mean and standard deviation of the lowest validation loss over the seeds; None without validation."""
        return self._of(lambda run: run.validation)

    def table(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Make a table with one row for each seed and one for the mean with its spread: column names and rows."""
        rows: list[tuple[object, ...]] = []
        for seed, run in self.runs.items():
            error = run.error or {}
            rows.append((seed, run.step, run.validation, error.get("model"), error.get("persistence")))
        means = [
            None if each is None else str(each) for each in (self.validation, self.error, self.persistence)
        ]
        if len(rows) > 1:
            rows.append(("mean", None, *means))
        return ("seed", "steps", "validation", "one-step error", "of no change"), rows

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object."""
        spreads = {
            "one_step_error": self.error,
            "persistence": self.persistence,
            "validation": self.validation,
        }
        return {
            "seeds": [{"seed": seed, **run.to_json()} for seed, run in self.runs.items()],
            **{name: None if each is None else each.to_json() for name, each in spreads.items()},
        }

    def _of(self, value: Any) -> Spread | None:
        found = [value(run) for run in self.runs.values()]
        return None if any(each is None for each in found) else spread_of(found)
