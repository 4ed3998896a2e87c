"""The measuring side: processes that hold prepared computations, and computations timed in turn."""

import contextlib
import json
import os
import selectors
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _serve import MEMORY_VARIABLE

HERE = Path(__file__).parent


class FailedError(Exception):
    """A computation that gave no number; the text says why."""


def usual_environment() -> dict[str, str]:
    """The environment without settings of Python and XLA, so that modules are compiled to bytecode once."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "XLA_FLAGS"))}


class Worker:
    """A process of one library; ended by `close`, by a time limit or by its own failure."""

    def __init__(self, python: Path, script: str, memory: int, timeout: float):
        """**Arguments:**

        - `python`: the interpreter of the library's environment.
        - `script`: a file beside this one.
        - `memory`: bytes of address space it may use.
        - `timeout`: seconds it may take to answer.
        """
        self.timeout = timeout
        self.process = subprocess.Popen(
            [str(python), str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**usual_environment(), MEMORY_VARIABLE: str(memory), "WANDB_MODE": "disabled"},
        )

    def ask(self, do: str, **request: Any) -> Any:
        """The answer to one request.

        **Raises:** `FailedError` with the reason, if there is none.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        if self.process.poll() is not None:
            raise FailedError(f"process ended with {self.process.returncode}")
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise FailedError(self._ending()) from None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(self.timeout):
                self.close()
                raise FailedError(f"no answer in {self.timeout:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise FailedError(self._ending())
        answer = json.loads(line)
        if isinstance(answer, dict) and "failed" in answer:
            raise FailedError(answer["failed"])
        return answer

    def _ending(self) -> str:
        code = self.process.wait()
        # Killed or aborted in the middle of an allocation: XLA does not survive a refused one.
        return "out of memory" if code in (-6, -9, -11) else f"process ended with {code}"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@dataclass
class Lane:
    """One of the computations compared: where it is prepared, and what is known about it.

    - `facts`: times of the first run and of building, number of filters, ...
    - `seconds`: of every run.
    - `failed`: why there are no numbers.
    - `has_memory`: whether its compiler says how much temporary memory it takes.
    """

    worker: Worker
    kind: str
    request: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    failed: str | None = None
    has_memory: bool = True

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = dict(self.facts)
        if self.seconds:
            record |= {**spread(self.seconds), "samples": self.seconds}
        return record if self.failed is None else {**record, "failed": self.failed}


def race(
    lanes: dict[str, Lane], rounds: int, budget: float, memory: bool = False, clock: str = "wall"
) -> None:
    """Time computations in turn, one after the other in every round, so that noise of the machine hits all.

    **Arguments:**

    - `lanes`: by name; their `facts`, `seconds` and `failed` are filled in.
    - `rounds`: runs of each.
    - `budget`: seconds after which no further round begins (two are always made).
    - `memory`: ask for the compiler's account of temporary memory too, of lanes that have one.
    - `clock`: of lanes that name none.
    """
    inner = {}
    for name, lane in lanes.items():
        try:
            request = {"clock": clock} | lane.request
            lane.facts |= lane.worker.ask("prepare", name=name, kind=lane.kind, **request)
            warm = statistics.median(lane.worker.ask("run", name=name, times=2))
            # Short runs are repeated to a twentieth of a second, against the grain of the clock and the pipe.
            inner[name] = max(1, round(0.05 / warm))
            if memory and lane.has_memory:
                lane.facts["temp_bytes"] = lane.worker.ask("memory", name=name)
        except FailedError as error:
            lane.failed = str(error)
    started = time.monotonic()
    for turn in range(rounds):
        if turn >= 2 and time.monotonic() - started > budget:
            break
        order = list(lanes) if turn % 2 == 0 else list(reversed(lanes))
        for name in order:
            lane = lanes[name]
            if lane.failed is not None:
                continue
            try:
                lane.seconds.append(statistics.fmean(lane.worker.ask("run", name=name, times=inner[name])))
            except FailedError as error:
                lane.failed, lane.seconds = str(error), []
    for name, lane in lanes.items():
        if lane.failed is None:
            lane.worker.ask("drop", name=name)


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return {"median": ordered[0], "q1": ordered[0], "q3": ordered[0]}
    q1, middle, q3 = statistics.quantiles(ordered, n=4, method="inclusive")
    return {"median": middle, "q1": q1, "q3": q3}


def paired(ours: list[float], other: list[float]) -> dict[str, float]:
    """Median and quartiles of the ratio of runs made in the same round."""
    return spread([a / b for a, b in zip(ours, other, strict=True)])
