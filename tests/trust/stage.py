"""Runs commands in forks of a warm process, and ends, kills or fails them at a file event.

    python -m trust.stage

A task is a line of JSON on standard input: `argv`, `folder`, and how it is to be disturbed: `{"how": "exit", "at": 3}`, or
`{"after": 0.7}` for `kill -9` after so many seconds of processor time. The answer is a line with its status, its file events, its
seconds of processor time and what it wrote to standard error. A task `{"load": [...]}` has modules imported, so that the forks need
not; JAX itself is started in each fork, for its threads do not outlive one.
"""

import builtins
import contextlib
import errno
import gc
import io
import json
import math
import os
import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import IO, Any

CALLS = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"}
LONGEST, STANDING = 120.0, 900.0
"""Seconds of processor time that a command may take, and seconds that it may last."""

_ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}


class Disturbance:
    """Counts the file events of a command within a folder, and disturbs one of them.

    **Arguments:**

    - `how`: "none", "exit" (the process is gone), "ENOSPC" (this and every later write fails), "EIO" (this one fails), or
      "short" (every write takes a part of what it is given).
    - `at`: the number of the event, from 0.
    - `folder`: where events count.
    """

    def __init__(self, how: str, at: int, folder: Path):
        self._how, self._at, self._folder = how, at, f"{folder}{os.sep}"
        self._open = builtins.open
        self.count = 0

    def install(self) -> None:
        """From now on, for the rest of this process."""
        write, fsync, nameless, disturb = os.write, os.fsync, tempfile.TemporaryFile, self

        class Slow(io.FileIO):
            def write(self, content: Any) -> int | None:
                return super().write(disturb.part(content))

        def opened(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
            if mode == "wb" and isinstance(file, int):
                return io.BufferedWriter(Slow(file, "wb"), 4096)
            return disturb._open(file, mode, *args, **more)

        def scratch(*_: Any, dir: Any = None, **__: Any) -> Any:
            with nameless(dir=dir) as made:
                return io.BufferedRandom(Slow(os.dup(made.fileno()), "rb+"), 4096)

        def written(descriptor: int, content: Any) -> int:
            return write(descriptor, disturb.part(content) if descriptor > 2 else content)

        def synced(descriptor: int) -> None:
            self._event(writes=True)
            fsync(descriptor)

        builtins.open = opened
        os.write, os.fsync, tempfile.TemporaryFile = written, synced, scratch  # type: ignore[assignment]
        sys.addaudithook(self._hear)

    def part(self, content: Any) -> Any:
        """What of a write goes through."""
        self._event(writes=True)
        view = memoryview(content).cast("B")
        return view[: max(1, len(view) // 2)] if self._how == "short" else view

    def _hear(self, name: str, given: tuple[Any, ...]) -> None:
        if name not in CALLS or not given or not isinstance(given[0], str | bytes | os.PathLike):
            return
        path = os.path.join(os.getcwd(), os.fsdecode(given[0]))
        if not path.startswith(self._folder):
            return
        if name == "open" and not (
            isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ):
            return
        self._event(writes=name not in ("os.remove", "os.rmdir", "os.chmod"))

    def _event(self, *, writes: bool) -> None:
        number, self.count = self.count, self.count + 1
        if self._how == "exit" and number == self._at:
            os._exit(77)
        if (
            self._how in _ERRORS
            and writes
            and (number == self._at or (self._how == "ENOSPC" and number > self._at))
        ):
            raise OSError(_ERRORS[self._how], os.strerror(_ERRORS[self._how]))


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a fork."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as counted:
        return _run(task, said, counted)


def _run(task: dict[str, Any], said: IO[bytes], counted: IO[bytes]) -> dict[str, Any]:
    sys.stdout.flush()
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _command(task, Path(task["folder"]), said.fileno(), counted.fileno())
    hung, ended, kill_after = False, 0, task.get("after", math.inf)
    while True:
        ended, state, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
        worked = _worked(child)
        hung = worked > LONGEST or time.monotonic() - begun > STANDING
        if hung or worked >= kill_after:
            os.kill(child, signal.SIGKILL)
            _, state, used = os.wait4(child, 0)
            break
        time.sleep(0.001)
    said.seek(0)
    counted.seek(0)
    return {
        "status": os.waitstatus_to_exitcode(state),
        "hung": hung,
        "seconds": used.ru_utime + used.ru_stime,
        "stderr": said.read().decode("utf-8", "replace")[-3000:],
        **json.loads(counted.read() or '{"events": 0, "modules": []}'),
    }


def _worked(process: int) -> float:
    """Seconds of processor time that another process took; the number of its clock is as Linux makes it."""
    try:
        return time.clock_gettime(~process << 3 | 2)
    except OSError:
        return 0.0  # it has just ended


def _command(task: dict[str, Any], folder: Path, said: int, counted: int) -> None:
    """In the fork: never returns."""
    code, disturbance = 70, Disturbance(task.get("how", "none"), task.get("at", 0), folder)
    write = os.write
    try:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(said, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        from command_line import app

        disturbance.install()
        try:
            app(task["argv"], prog_name="ginjax")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        code = 70
        write(2, traceback.format_exc().encode())
    finally:
        modules = [*sys.modules] if task.get("modules") else []
        write(counted, json.dumps({"events": disturbance.count, "modules": modules}).encode())
        os._exit(code)


def load(names: list[str]) -> dict[str, int]:
    """Import what a command needed; how many threads there are then."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(ImportError):
                import_module(name)
    if "matplotlib.figure" in names:
        _draw()
    gc.collect()
    gc.freeze()  # what is collected in no fork stays shared by all
    return {"threads": len(os.listdir("/proc/self/task"))}


def _draw() -> None:
    """Have matplotlib find and read its fonts."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    figure.subplots().semilogy([1, 10], label="a")
    figure.savefig(io.BytesIO())


def main() -> None:
    """Start nothing, and wait for tasks."""
    sys.argv = ["ginjax"]
    gc.set_threshold(50_000)  # as the program does
    print(json.dumps(load(["command_line"])), flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(load(task["load"]) if "load" in task else run(task)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("MPLBACKEND", "agg")
    main()
