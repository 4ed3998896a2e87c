"""Damaged files by the thousand, in warm processes under limits of time and memory."""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

COLUMNS = ("cases", "refused", "accepted right", "accepted wrong", "crashed", "hung", "over memory")
BAD = COLUMNS[3:]
LONGEST = 60.0
"""Seconds that a case may take."""

STARTING = 300.0
TESTS = Path(__file__).parent.parent


class Worker:
    """A warm process that reads damaged files.

    **Arguments:**

    - `seed`: of the damages; `folder`: to work in.
    """

    def __init__(self, seed: int, folder: Path):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trust.worker", str(seed), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "TRUST_DEBUG" not in os.environ else None,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent), *sys.path])},
        )
        if self._line(STARTING) != b"ready\n":
            raise RuntimeError("the process does not start")

    def case(self, name: str, number: int) -> dict[str, Any]:
        """What becomes of a case; the process is gone after one that it does not answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([name, number]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._line(LONGEST)
        if line is None:
            return {"number": number, "way": "?", "what": "hung", "why": f"{LONGEST:g} s"}
        if not line:
            return {
                "number": number,
                "way": "?",
                "what": "crashed",
                "why": f"ended with {self._process.wait()}",
            }
        return json.loads(line)

    @property
    def gone(self) -> bool:
        """Whether another one has to go on."""
        return self._process.poll() is not None

    def _line(self, seconds: float) -> bytes | None:
        assert self._process.stdout is not None
        ready = select.select([self._process.stdout], [], [], seconds)[0]
        return self._process.stdout.readline() if ready else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with self._process:
            pass


def count(
    asked: Iterable[tuple[str, int]],
    seed: int,
    told: Callable[[str, dict[str, Any]], object] = lambda name, made: None,
) -> dict[str, Counter[str]]:
    """The rows of the table, by format.

    **Arguments:**

    - `asked`: formats and numbers of cases; `seed`: of the damages.
    - `told`: hears of every case.
    """
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    waiting = list(asked)[::-1]
    with tempfile.TemporaryDirectory(prefix="ginjax-trust-") as folder:
        while waiting:
            with Worker(seed, Path(folder)) as worker:
                while waiting and not worker.gone:
                    name, number = waiting.pop()
                    made = worker.case(name, number)
                    rows[name].update(["cases", made["what"]])
                    told(name, made)
                    if made["what"] == "hung":
                        break
    return rows
