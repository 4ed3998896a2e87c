"""Commands that are ended, killed or failed by the system, and then given again.

Right is: whatever has the name of an output is as a command left alone makes it, or is not there; a command that lives says in one
line what failed; given again (a training with `--resume` where a state waits) it ends as if nothing had happened, and leaves
nothing behind. Most kills leave the same behind as another one did, and a command goes by nothing else: it is given again the first
`SURE` times that this is left behind, and once in `EVERY` times after that.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from helpers import FIXTURES
from trust.files import TESTS

COLUMNS = (
    "cases",
    "given again",
    "right",
    "incomplete",
    "other result",
    "not run again",
    "left behind",
    "traceback",
    "hung",
)
BAD = COLUMNS[3:]
SURE, EVERY = 3, 10
MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@dataclass(frozen=True)
class Command:
    """A command to be interrupted.

    **Arguments:**

    - `argv`: its words.
    - `given`: makes what it reads, in its folder.
    - `growing`: outputs that grow while it lasts, and are compared when it has come to its end.
    """

    argv: tuple[str, ...]
    given: Callable[[Path], object] = lambda folder: None
    growing: tuple[str, ...] = field(default=())

    @property
    def resumable(self) -> bool:
        """Whether it goes on from a state."""
        return self.argv[0] == "train"


def _simulation(folder: Path) -> None:
    from ginjax.data import simulate, write_well

    write_well(
        folder / "given.h5", simulate("diffusion", 1, trajectories=2, steps=3, side=16), name="diffusion"
    )


COMMANDS = {
    "train": Command(
        ("train", "--arch", "series", "--channels", "2", "--size", "16", "--trajectories", "4", "--frames", "2", "--steps", "12",
         "--batch-size", "2", "--checkpoint-every", "3"),
        growing=("model.log.jsonl",),
    ),
    "convert-d": Command(("convert-d", MODEL, "--to-dim", "2", "-o", "out.safetensors")),
    "generate": Command(("data", "generate", "--dim", "1,2", "--size", "8", "--trajectories", "2", "--frames", "2")),
    "predict": Command(("predict", MODEL, "given.h5", "--steps", "2", "-o", "out.h5", "--gif"), _simulation),
    "evaluate": Command(
        ("evaluate", MODEL, "--steps", "2", "--trajectories", "2", "--size", "16", "-o", "found", "--csv", "found/all.csv"),
    ),
}  # fmt: skip


class Stage:
    """The warm process that forks commands.

    **Arguments:**

    - `compiled`: a folder for compiled programs, which every fork needs again.
    """

    def __init__(self, compiled: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trust.stage"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent), *sys.path]),
                "JAX_COMPILATION_CACHE_DIR": str(compiled),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
                "JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )
        self._answer()

    def load(self, modules: list[str]) -> None:
        """Have modules imported before the next fork."""
        self._ask(load=modules)

    def run(self, argv: tuple[str, ...], folder: Path, **how: Any) -> dict[str, Any]:
        """Run a command in a folder, disturbed in some way; see `trust.stage`."""
        return self._ask(argv=argv, folder=str(folder), **how)

    def _ask(self, **task: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        made = json.loads(self._process.stdout.readline())
        assert made.get("threads", 1) == 1, "threads do not outlive a fork"
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Trial:
    """A command beside what it makes when it is left alone.

    **Arguments:**

    - `command`: the command; `stage`: where it is run; `folder`: to work in.
    """

    def __init__(self, command: Command, stage: Stage, folder: Path):
        self._command, self._stage, self._folder = command, stage, folder
        self._met: Counter[Hashable] = Counter()
        (folder / "given").mkdir(parents=True)
        command.given(folder / "given")
        stage.load(self._alone(modules=True)["modules"])
        made = self._alone()
        self.events, self.seconds = made["events"], made["seconds"]
        self._expected = contents(self._folder / "work")

    def _alone(self, **more: Any) -> dict[str, Any]:
        folder = self._fresh()
        made = self._stage.run(self._command.argv, folder, **more)
        assert made["status"] == 0, made["stderr"]
        assert not hidden(folder), hidden(folder)
        return made

    def disturbed(self, **how: Any) -> dict[str, Any]:
        """What becomes of the command if it is disturbed, and given again."""
        folder = self._fresh()
        first = self._stage.run(self._command.argv, folder, **how)
        made = {"how": how, "status": first["status"]}
        ended = first["status"] in (77, -9)
        if first["hung"]:
            return made | {"what": "hung"}
        if first["status"] == 70 or "Traceback" in first["stderr"]:
            return made | {"what": "traceback", "why": first["stderr"][-600:]}
        if not ended and first["status"] not in (0, 1):
            return made | {
                "what": "traceback",
                "why": f"exit code {first['status']}: {first['stderr'][-300:]}",
            }
        if not ended and first["status"] == 1 and not _names_a_file(first["stderr"]):
            return made | {"what": "traceback", "why": f"no name in {first['stderr'][-300:]}"}
        wrong = self._unlike(folder)
        if wrong:
            return made | {"what": "incomplete", "why": wrong}
        if not ended and (left := [name for name in hidden(folder) if name.endswith(".tmp")]):
            return made | {"what": "left behind", "why": left}
        if first["status"] == 0:
            return made | self._whole(folder)
        left = left_behind(folder)
        self._met[left] += 1
        if self._met[left] > SURE and self._met[left] % EVERY:
            return made | {"what": "right"}
        made = self._again(folder) | made | {"again": True}
        if made["what"] != "right":
            self._met[left] = 0  # the next time as well
        return made

    def _again(self, folder: Path) -> dict[str, Any]:
        """What becomes of the command if it is given a second time."""
        state = folder / "model.run"
        again = (*self._command.argv, *(["--resume"] if self._command.resumable and state.exists() else []))
        second = self._stage.run(again, folder)
        if second["hung"]:
            return {"what": "hung", "why": "the second time"}
        if second["status"] == 1 and "exists already" in second["stderr"] and not self._missing(folder):
            # It was killed after the last of its outputs: what is there is whole, and replaced when that is asked for.
            second = self._stage.run((*again, "--force"), folder)
        if second["status"] != 0:
            return {"what": "not run again", "why": second["stderr"][-600:]}
        return self._whole(folder)

    def _whole(self, folder: Path) -> dict[str, Any]:
        """A command that came to its end has made everything, and left nothing else."""
        if wrong := self._unlike(folder, whole=True) or self._missing(folder):
            return {"what": "other result", "why": wrong}
        if left := [*hidden(folder), *sorted(contents(folder).keys() - self._expected.keys())]:
            return {"what": "left behind", "why": left}
        return {"what": "right"}

    def _missing(self, folder: Path) -> list[str]:
        return sorted(self._expected.keys() - contents(folder).keys())

    def _unlike(self, folder: Path, *, whole: bool = False) -> list[str]:
        """Outputs that are there and are not what they should be; those that grow are judged when they are whole."""
        return sorted(
            name
            for name, content in contents(folder).items()
            if name in self._expected
            and (whole or name not in self._command.growing)
            and _timeless(content) != _timeless(self._expected[name])
        )

    def _fresh(self) -> Path:
        folder = self._folder / "work"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._folder / "given", folder)
        return folder


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name, but for hidden ones and the state of a run."""
    return {
        name: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (name := str(path.relative_to(folder))).startswith(("model.run", "."))
        and not path.name.startswith(".")
    }  # fmt: skip


def hidden(folder: Path) -> list[str]:
    """What nobody asked for: temporary files and locks."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*"))


def _names_a_file(said: str) -> bool:
    """Whether the error is one line that names what failed."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    return len(errors) == 1 and any(
        mark in errors[0]
        for mark in (".safetensors", ".h", ".json", ".png", ".gif", "model", "found", "data", ".ginjax")
    )


def _timeless(content: bytes) -> bytes:
    """A file without what differs from one time to the next."""
    return _TIMES.sub(b"", content)


_TIMES = re.compile(rb'"(process|since|rate|seconds)": ("[^"]*"|[^,}]+)')
_MARK = re.compile(r"-[0-9]+-[0-9a-f]{16}\.tmp$")


def left_behind(folder: Path) -> Hashable:
    """Everything in a folder, but for times, and numbers of processes and those made from chance in names."""
    return tuple(
        (
            _MARK.sub(".tmp", str(path.relative_to(folder))),
            path.lstat().st_mode,
            path.is_file() and hashlib.sha256(_timeless(path.read_bytes())).digest(),
        )
        for path in sorted(folder.rglob("*"))
    )


KINDS = ("ended", "full disk", "error of the disk", "short writes", "killed")
_HOW = {"ended": "exit", "full disk": "ENOSPC", "error of the disk": "EIO"}


def cases(name: str, trial: Trial, seed: int, most: int) -> list[tuple[float, str, str, dict[str, Any]]]:
    """Each file event of a command in each way, and then `kill -9` at random until there are `most` of them.

    **Returns:** for each case where it stands among those of its kind, from 0 to 1, the command, the kind and how to disturb it.
    """
    asked = {kind: [{"how": how, "at": at} for at in range(trial.events)] for kind, how in _HOW.items()}
    asked["short writes"] = [{"how": "short"}]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    killed = max(most - sum(map(len, asked.values())), most // 10)
    asked["killed"] = [{"after": float(u * 1.1 * trial.seconds)} for u in rng.uniform(size=killed)]
    return [(n / len(all_), name, kind, how) for kind, all_ in asked.items() for n, how in enumerate(all_)]
