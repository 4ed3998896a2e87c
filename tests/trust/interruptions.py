"""Commands that are ended, killed or failed by the system, and then given again.

Right is: whatever has the name of an output is as a command left alone makes it, or is not there; a command that lives says in one
line what failed; given again (a training with `--resume` where a state waits) it ends as if nothing had happened, and leaves
nothing behind.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from helpers import FIXTURES
from trust.files import TESTS

COLUMNS = (
    "cases",
    "right",
    "incomplete",
    "other result",
    "not run again",
    "left behind",
    "traceback",
    "hung",
)
BAD = COLUMNS[2:]
MODEL = str(FIXTURES / "diffusion_1d.safetensors")


@dataclass(frozen=True)
class Command:
    """A command to be interrupted.

    **Arguments:**

    - `argv`: its words.
    - `given`: makes what it reads, in its folder.
    - `growing`: outputs that grow while it lasts, or hold times: they are there or not, and that is all.
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
        growing=("model.log.jsonl", "model.curve.png"),
    ),
    "convert-d": Command(("convert-d", MODEL, "--to-dim", "2", "-o", "out.safetensors")),
    "generate": Command(("data", "generate", "--dim", "1,2", "--size", "8", "--trajectories", "2", "--frames", "2")),
    "predict": Command(("predict", MODEL, "given.h5", "--steps", "2", "-o", "out.h5"), _simulation),
    "evaluate": Command(
        ("evaluate", MODEL, "--steps", "2", "--trajectories", "2", "--size", "16", "-o", "found"),
        growing=("found/evaluation.json",),
    ),
}  # fmt: skip


class Stage:
    """The warm process that forks commands."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trust.stage"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent), *sys.path])},
        )
        assert self._process.stdout is not None
        self.threads = json.loads(self._process.stdout.readline())["threads"]

    def run(self, argv: tuple[str, ...], folder: Path, **how: Any) -> dict[str, Any]:
        """Run a command in a folder, disturbed in some way; see `trust.stage`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"argv": argv, "folder": str(folder), **how}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

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
        alone = self._fresh()
        made = stage.run(command.argv, alone)
        assert made["status"] == 0, made["stderr"]
        self.events, self.seconds = made["events"], made["seconds"]
        self._expected = contents(alone)
        assert not hidden(alone), hidden(alone)

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
        state = folder / "model.run"
        again = (*self._command.argv, *(["--resume"] if self._command.resumable and state.exists() else []))
        second = self._stage.run(again, folder)
        if second["hung"]:
            return made | {"what": "hung", "why": "the second time"}
        if second["status"] == 1 and "exists already" in second["stderr"] and not self._missing(folder):
            # It was killed after the last of its outputs: what is there is whole, and replaced when that is asked for.
            second = self._stage.run((*again, "--force"), folder)
        if second["status"] != 0:
            return made | {"what": "not run again", "why": second["stderr"][-600:]}
        return made | self._whole(folder)

    def _whole(self, folder: Path) -> dict[str, Any]:
        """A command that came to its end has made everything, and left nothing else."""
        if wrong := self._unlike(folder) or self._missing(folder):
            return {"what": "other result", "why": wrong}
        if left := [*hidden(folder), *sorted(contents(folder).keys() - self._expected.keys())]:
            return {"what": "left behind", "why": left}
        return {"what": "right"}

    def _missing(self, folder: Path) -> list[str]:
        return sorted(self._expected.keys() - contents(folder).keys())

    def _unlike(self, folder: Path) -> list[str]:
        """Outputs that are there and are not what they should be."""
        found = contents(folder)
        return sorted(
            name
            for name, content in found.items()
            if name in self._expected
            and name not in self._command.growing
            and content != self._expected[name]
        )

    def _fresh(self) -> Path:
        folder = self._folder / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._command.given(folder)
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
        for mark in (".safetensors", ".h", ".json", ".png", "model", "found", "data", ".ginjax")
    )


def _trials(command: Command, todo: Callable[[Trial], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="ginjax-trust-") as folder, Stage() as stage:
        trial = Trial(command, stage, Path(folder))
        for how in todo(trial):
            yield trial.disturbed(**how)


def ended_at_every_event(command: Command, seed: int, done: int, most: int) -> Iterator[dict[str, Any]]:
    """The process is gone at each of its file events."""
    return _trials(
        command, lambda trial: ({"how": "exit", "at": n} for n in range(done, min(trial.events, most)))
    )


def failed_at_every_event(command: Command, seed: int, done: int, most: int) -> Iterator[dict[str, Any]]:
    """A full disk from each event on, an error of the disk at each, and writes that take a part only."""

    def todo(trial: Trial) -> Iterator[dict[str, Any]]:
        every = [{"how": how, "at": n} for how in ("ENOSPC", "EIO") for n in range(trial.events)]
        yield from [*every, {"how": "short"}][done:most]

    return _trials(command, todo)


def killed_at_random(command: Command, seed: int, done: int, most: int) -> Iterator[dict[str, Any]]:
    """`kill -9` at a random time."""

    def todo(trial: Trial) -> Iterator[dict[str, Any]]:
        for number in range(done, most):
            yield {"after": float(np.random.default_rng([seed, number]).uniform(0, 1.1 * trial.seconds))}

    return _trials(command, todo)


KINDS = {
    "ended at every event": ended_at_every_event,
    "failed at every event": failed_at_every_event,
    "kill -9": killed_at_random,
}
AT_RANDOM = ("kill -9",)
