"""Find the differences between several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ginjax.runs._run import Run

RunAspect = Literal["network", "data", "training"]


@dataclass(frozen=True)
class RunDifference:
    """One difference between runs.

    **Arguments:**

    - `aspect`: "network", "data" or "training".
    - `name`: name of an option, a setting, or a fact about the data.
    - `values`: one value for each run, None if the run does not state it.
    """

    aspect: RunAspect
    name: str
    values: tuple[Any, ...]


def compare_runs(runs: Sequence[Run]) -> tuple[RunDifference, ...]:
    """List every difference between the networks, the data and the settings of runs.

    **Arguments:**

    - `runs`: two or more, from `read_run`.
    """
    parts: dict[RunAspect, list[Mapping[str, Any]]] = {
        "network": [{"dimension": run.D, "parameters": run.parameters} | dict(run.network) for run in runs],
        "data": [run.data for run in runs],
        "training": [{"steps so far": ", ".join(run.history)} | dict(run.settings) for run in runs],
    }
    found: list[RunDifference] = []
    for aspect, described in parts.items():
        for name in dict.fromkeys(name for each in described for name in each):
            values = tuple(each.get(name) for each in described)
            if any(value != values[0] for value in values[1:]):
                found.append(RunDifference(aspect, name, values))
    return tuple(found)
