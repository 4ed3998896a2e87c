"""What was measured, one JSON value a line, written whole after every cell."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ginjax.checkpoint import atomic_write
from transferbench._cells import Case, Cell
from transferbench._settings import Settings

SCHEMA = 1


@dataclass(frozen=True)
class Seconds:
    """Processor time that one network took, compiling and validating not counted.

    **Arguments:**

    - `low_data`, `low_training`, `conversion`: before the high dimension; 0 from scratch.
    - `high_data`, `high_training`: there.
    """

    low_data: float = 0.0
    low_training: float = 0.0
    conversion: float = 0.0
    high_data: float = 0.0
    high_training: float = 0.0

    @property
    def before(self) -> float:
        return self.low_data + self.low_training + self.conversion

    @property
    def total(self) -> float:
        return self.before + self.high_data + self.high_training


@dataclass(frozen=True)
class Result:
    """One measured network.

    **Arguments:**

    - `rule`, `cover`: of the conversion and of the low-dimensional data; empty and False from scratch.
    - `rate`, `steps`: of the training in the high dimension, 0 without one.
    - `noise`: on the inputs of that training, in normalised units.
    - `levelled`: whether that reached its plateau; None where none was asked for.
    - `parameters`: of the network in the high dimension.
    - `errors`: nRMSE on the test fold after each of the horizons, mean over its trajectories; None for a forecast that
      is no number.
    - `diverged`: share of the trajectories on which the forecast is off by more than the mean of the field is.
    - `unchanged`: nRMSE of predicting no change.
    - `validation`: errors on the validation fold after one step and several.
    - `curve`: of the trainings: seconds since the beginning of each, and these two errors.
    - `spent`: processor time of everything that the cell asked for, with compiling and choosing of rates.
    - `machine`: where it was measured, if not on the machine of the book.
    """

    cell: Cell
    rule: str
    cover: bool
    rate: float
    steps: int
    levelled: bool | None
    parameters: int
    errors: Mapping[int, float | None]
    diverged: float
    unchanged: Mapping[int, float]
    validation: tuple[float, float]
    seconds: Seconds
    curve: tuple[tuple[float, float, float], ...] = ()
    spent: float = 0.0
    machine: str = ""
    noise: float = 0.0

    @property
    def key(self) -> tuple[str, str, bool]:
        return self.cell.name, self.rule, self.cover

    @property
    def one_step(self) -> float:
        return self.error(min(self.errors))

    def error(self, horizon: int) -> float:
        found = self.errors[horizon]
        return math.inf if found is None else found


@dataclass
class Book:
    """A file of results: settings in its first line, then a line for each learning rate chosen and each cell.

    **Arguments:**

    - `machine`: where the first of them were measured.
    - `here`: where those to come are, with its date first; `machine` if empty.
    """

    path: Path
    settings: Settings
    machine: str
    results: list[Result] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    here: str = ""

    def add(self, result: Result) -> None:
        """Note a result, and replace the file as a whole."""
        self.results.append(replace(result, machine=self.elsewhere))
        self.write()

    @property
    def elsewhere(self) -> str:
        """This machine, if it is not that of the book; the day does not matter."""
        return self.here if undated(self.here) not in ("", undated(self.machine)) else ""

    def at_hand(self, result: Result) -> bool:
        """Whether a result was measured on this machine, so that its seconds can be compared with new ones."""
        return undated(result.machine) == undated(self.elsewhere)

    def write(self) -> None:
        head = {"schema": SCHEMA, "settings": asdict(self.settings), "machine": self.machine}
        lines = [
            head,
            *({"rate": rate, "of": name} for name, rate in self.rates.items()),
            *map(_plain, self.results),
        ]
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(self.path, text.encode(), force=True)


def read_book(path: Path, settings: Settings | None = None, machine: str = "") -> Book:
    """The results of a file; an empty book if there is none.

    **Arguments:**

    - `settings`: what is to be measured with; those of the file if None.

    **Raises:** `ValueError` for a file that was made with other settings.
    """
    if not path.exists():
        return Book(path, settings or Settings(), machine)
    head, *lines = map(json.loads, path.read_text("utf-8").splitlines())
    if head["schema"] != SCHEMA:
        raise ValueError(f"{path}: schema {head['schema']}, and not {SCHEMA}")
    names = Settings.__dataclass_fields__
    values = {name: _tuples(value) for name, value in head["settings"].items() if name in names}
    found = Settings(**values)  # what a file does not have yet was not used for it
    if settings is not None and settings != found:
        raise ValueError(f"{path} was measured with other settings: name another file with --out")
    book = Book(path, found, head["machine"], here=machine)
    for line in lines:
        if "of" in line:
            book.rates[line["of"]] = line["rate"]
        else:
            book.results.append(_result(line))
    return book


def latest(results: Iterable[Result]) -> list[Result]:
    """One result for each key."""
    return list({result.key: result for result in results}.values())


def undated(machine: str) -> str:
    """A machine without the day in front of it."""
    return machine.partition(", ")[2]


def _plain(result: Result) -> dict[str, Any]:
    found = asdict(result)
    cell = found.pop("cell")
    for name in ("errors", "unchanged"):
        found[name] = {str(horizon): _rounded(value) for horizon, value in found[name].items()}
    found["curve"] = [[_rounded(value, 4) for value in point] for point in result.curve]
    found["validation"] = [_rounded(value) for value in result.validation]
    found["seconds"] = {name: _rounded(value, 4) for name, value in found["seconds"].items()}
    found["spent"] = round(result.spent, 2)
    for name in ("machine", "noise"):
        if not found[name]:
            del found[name]
    return cell.pop("case") | cell | found


def _rounded(value: float | None, digits: int = 5) -> float | None:
    """A few digits of a number; None for what JSON does not have."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{digits}g}")


def _result(line: dict[str, Any]) -> Result:
    case = Case(**{name: line.pop(name) for name in Case.__dataclass_fields__})
    cell = Cell(case, *(line.pop(name) for name in ("method", "samples", "seed")))
    for name in ("errors", "unchanged"):
        line[name] = {int(horizon): value for horizon, value in line[name].items()}
    line["curve"] = tuple(tuple(_number(value) for value in point) for point in line["curve"])
    line["validation"] = tuple(map(_number, line["validation"]))
    return Result(cell, seconds=Seconds(**line.pop("seconds")), **line)


def _number(value: float | None) -> float:
    return math.inf if value is None else value


def _tuples(value: Any) -> Any:
    """JSON has no tuples."""
    if isinstance(value, dict):
        return {name: _tuples(each) for name, each in value.items()}
    return tuple(value) if isinstance(value, list) else value
