"""What a row of the results is, and how rows are filled."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _cases import Case
from _workers import FailedError, Lane, Worker, paired, race, spread

from ginjax.cpu_devices import usable_cores

OURS, UPSTREAM, TORCH = "_worker_ours.py", "_worker_upstream.py", "_worker_torch.py"


@dataclass
class Row:
    """One line of the results.

    - `lanes`: what each side measured, by name.
    - `ratios`: `{"of", "to", "median", "q1", "q3", "target"}`; `target` is None where none was set.
    - `at_most`: what our own median may be, where the target is no ratio.
    """

    name: str
    title: str
    unit: str
    lanes: dict[str, dict[str, Any]]
    ratios: list[dict[str, Any]] = field(default_factory=list)
    case: dict[str, Any] | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Bench:
    """What the measurements share.

    - `pythons`: interpreter by worker script; a missing one is not measured.
    - `rounds`, `budget`: runs of every lane and seconds after which no further round begins.
    - `scratch`: a folder for files.
    - `clock`: what counts as a second, one of `_serve.CLOCKS`.
    """

    pythons: dict[str, Path]
    memory: int
    timeout: float
    rounds: int
    budget: float
    quick: bool
    scratch: Path
    clock: str = "wall"

    def start(self, script: str) -> Worker:
        return Worker(self.pythons[script], script, self.memory, self.timeout)

    @property
    def cores(self) -> int:
        """Cores that the measured processes may use; those of `ginjax train` are as many devices."""
        return usable_cores()

    @property
    def with_upstream(self) -> bool:
        return UPSTREAM in self.pythons

    @property
    def with_torch(self) -> bool:
        return TORCH in self.pythons


def raced(
    bench: Bench, name: str, title: str, case: Case, lanes: dict[str, Lane], memory: bool = False
) -> Row:
    try:
        race(lanes, bench.rounds, bench.budget, memory, bench.clock)
    finally:
        for lane in lanes.values():
            lane.worker.close()
    return Row(name, title, "seconds", {n: lane.to_json() for n, lane in lanes.items()}, case=case.to_json())


def ask_fresh(
    bench: Bench,
    row: Row,
    requests: Mapping[str, tuple[str, dict[str, Any]]],
    times: int,
    take: str | None,
    once: Collection[str] = (),
) -> None:
    """Ask every lane in turn, each time in a new process, and record the seconds it answers.

    **Arguments:**

    - `requests`: worker script and request by lane.
    - `times`: processes of each lane; a lane that failed is not asked again.
    - `take`: the number to take from the answer; None if the answer is the number.
    - `once`: lanes that one process has to do for.
    """
    seconds: dict[str, list[float]] = {lane: [] for lane in requests}
    for turn in range(times):
        for lane, (script, request) in requests.items():
            facts = row.lanes.setdefault(lane, {})
            if "failed" in facts or (turn and lane in once):
                continue
            worker = bench.start(script)
            clock = {"clock": bench.clock} if request["do"] == "prepare" else {}
            try:
                answer = worker.ask(**clock | request)
                facts |= {} if take is None else answer
                seconds[lane].append(answer if take is None else answer[take])
            except FailedError as error:
                facts["failed"], seconds[lane] = str(error), []
            finally:
                worker.close()
    fill(row, seconds)


def fill(row: Row, seconds: Mapping[str, list[float]]) -> None:
    """Statistics of the runs of each lane."""
    for lane, values in seconds.items():
        if values:
            row.lanes.setdefault(lane, {}).update(spread(values), samples=values)


def compare(row: Row, of: str, to: str, target: float | None = None) -> None:
    """Add the ratio of two lanes: run by run if they ran as often, else of their medians."""
    if not {of, to} <= row.lanes.keys():
        return
    a, b = row.lanes[of], row.lanes[to]
    ratio: dict[str, float] = {}
    if "median" in a and "median" in b:
        samples = a.get("samples", ()), b.get("samples", ())
        if len(samples[0]) == len(samples[1]) > 0:
            ratio = paired(*samples)
        else:
            ratio = spread([a["median"] / b["median"]])
    row.ratios.append({"of": of, "to": to, "target": target, **ratio})


def words(case: Case) -> str:
    """A case as a phrase."""
    fields = "scalar+vector" if case.orders == (0, 1) else "scalar"
    each = " each" if len(case.orders) > 1 else ""
    size = f"D={case.D} N={case.N} batch {case.batch}, {case.support} M={case.M}"
    net = f", {case.blocks} block{'s' if case.blocks > 1 else ''}" if case.blocks else ""
    return f"{size}, {fields}, {case.channels} channels{each}{net}"
