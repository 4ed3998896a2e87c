"""Damaged files by the thousand, in warm processes under limits of time and memory."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

COLUMNS = ("cases", "refused", "accepted right", "accepted wrong", "crashed", "hung", "over memory")
BAD = COLUMNS[3:]
LONGEST = 60.0
"""Seconds of processor time that a case may take."""

STANDING = 600.0
"""Seconds that it may take beside other work, or while it waits for something."""

TICKS = os.sysconf("SC_CLK_TCK")
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
        if self._line() != b"ready\n":
            raise RuntimeError("the process does not start")

    def case(self, name: str, number: int) -> dict[str, Any]:
        """What becomes of a case; the process is gone after one that it does not answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([name, number]).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._line()
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

    def _line(self) -> bytes | None:
        """The next line that it says, empty if it ended, None if it works or stands still for too long."""
        assert self._process.stdout is not None
        begun, worked = time.monotonic(), self._worked()
        while time.monotonic() - begun < STANDING and self._worked() - worked < LONGEST:
            if select.select([self._process.stdout], [], [], 1.0)[0]:
                return self._process.stdout.readline()
        return None

    def _worked(self) -> float:
        """Seconds of processor time that the process took so far."""
        try:
            said = Path(f"/proc/{self._process.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        return sum(map(int, said.rpartition(")")[2].split()[11:13])) / TICKS

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
