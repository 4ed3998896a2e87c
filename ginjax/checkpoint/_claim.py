"""Claims on files: one process at a time writes them, and an unfinished process leaves a record."""

import contextlib
import errno
import hashlib
import json
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from ginjax._text import storable
from ginjax.errors import FileError

from ._atomic import check_target, remove_left_behind, unwritable, with_name_of_its_own
from ._expect import expect
from ._processes import host_name, host_tag, is_running
from ._strict_json import JsonProblem, parse_json

_MOST_BYTES, _MOST_FILES = 2**20, 2**12
_LONGEST_NAME = 200
"""Most bytes of a name that are used in the name of its lock file."""

_PATIENCE = 0.1
"""Seconds to keep trying if a lock is held: a process that only tests the lock holds it for a moment."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


class Claim:
    """A claim of this process on some files, for as long as it works on them.

    A hidden lock file beside them says who writes. The system releases the lock when the process ends, in whatever way. If the
    process ended before `done` and left some of the files, the lock file stays. Then the same work may replace these files
    without `force`, because it would write the same files.

    **Arguments:**

    - `name`: the common name of the files, such as `folder/model`.
    - `files`: the files. A symbolic link in place of one of them is refused, except for `name` and the files in `named`.
    - `named`: those of the files that the user named explicitly.
    - `work`: a text that is equal for equal work; None for work that can continue from any state of the files.
    - `force`: replace existing files.

    **Raises:** `FileError` if another process writes the files, or as `check_target` for each file.
    """

    def __init__(
        self,
        name: Path,
        files: Sequence[Path],
        *,
        named: Sequence[Path] = (),
        work: str | None = None,
        force: bool = False,
    ):
        self.path = lock_path(name)
        self._files, self._force = tuple(files), force
        self._named = {name, *named}
        self._work = None if work is None else hashlib.sha256(work.encode()).hexdigest()
        self._done = False
        self._left = frozenset[str]()
        for file in files:
            check_target(file, force=True, links=file in self._named)  # whether it can be written at all
        self._descriptor = _lock(self.path, files[0])
        try:
            self._begin()
        except BaseException:
            if os.fstat(self._descriptor).st_size == 0:  # nobody left it
                self._unlink()
            os.close(self._descriptor)
            raise

    def replaces(self, file: Path) -> bool:
        """Whether a file may be replaced: if the same work left it, or with `force`."""
        return self._force or storable(file.name) in self._left

    def done(self) -> None:
        """Declare the work finished."""
        self._done = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unfinished = not self._done and any(
            os.path.lexists(file) for file in self._files if storable(file.name) in self._new
        )
        if not unfinished:
            self._unlink()
        os.close(self._descriptor)

    def _unlink(self) -> None:
        """Remove the lock file while it is still ours; Windows does not remove an open file."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            self.path.unlink()

    def _begin(self) -> None:
        before = _read(self.path, self._descriptor)
        if before and (before["work"] is None or before["work"] == self._work):
            self._left = frozenset(before["new"])
        for file in self._files:
            remove_left_behind(file)
            check_target(file, force=self.replaces(file), links=file in self._named)
        self._new = [
            name
            for file in self._files
            if (name := storable(file.name)) in self._left or not os.path.lexists(file)
        ]
        content = {
            "process": os.getpid(),
            "host": host_name(),
            "machine": host_tag(),
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
            "work": self._work,
            "new": self._new,
        }
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, (json.dumps(content, sort_keys=True) + "\n").encode())
        except OSError as error:
            raise unwritable(self.path, error) from error


def refuse_claimed(name: Path, file: Path) -> None:
    """Refuse to begin if another process writes the files; nothing is claimed.

    **Arguments:**

    - `name`: the common name of the files, as in `Claim`.
    - `file`: one of them, for the message.

    **Raises:** `FileError` that says which process writes, on which machine, and since when.
    """
    path = lock_path(name)
    if not os.path.lexists(path):
        return
    descriptor = _lock(path, file)
    if os.fstat(descriptor).st_size == 0:  # its owner has just removed it
        with contextlib.suppress(OSError):
            path.unlink()
    os.close(descriptor)


@dataclass(frozen=True)
class Claimant:
    """The process that claims files, or claimed them and did not finish.

    **Arguments:**

    - `process`, `host`: number of the process, and name of its machine.
    - `since`: when it began, in ISO 8601.
    - `running`: whether it still holds the claim; otherwise it ended without finishing.
    - `new`: names of the files that it creates, which did not exist before.
    """

    process: int
    host: str
    since: str
    running: bool
    new: tuple[str, ...] = ()


def claimant(name: Path) -> Claimant | None:
    """The process that claims files or left them unfinished; None if there is none. Nothing is changed.

    **Arguments:**

    - `name`: the common name of the files, as in `Claim`.

    **Raises:** `FileError` for a lock file that cannot be read or was not made by ginjax.
    """
    path = lock_path(name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileError(f"{path}: is not a regular file", hint="Remove it.")
        held = _is_held(descriptor)
        owner = _read(path, descriptor)
    finally:
        os.close(descriptor)
    if owner is None:  # its owner has just made it, or is about to remove it
        return None
    if held is None:  # a file system without locks
        held = owner["machine"] != host_tag() or is_running(owner["process"])
    return Claimant(owner["process"], owner["host"], owner["since"], held, tuple(owner["new"]))


def _is_held(descriptor: int) -> bool | None:
    """Whether another process holds a lock file; None if the file system has no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return None
    return False


def lock_path(name: Path) -> Path:
    """The hidden lock file for the files with the common name `name`."""
    called = os.fsencode(with_name_of_its_own(name).name)
    if len(called) > _LONGEST_NAME:  # of the 255 bytes that most file systems allow
        mark = hashlib.sha256(called).hexdigest()[:16].encode()
        called = (
            os.fsencode(os.fsdecode(called[:_LONGEST_NAME]).encode(errors="ignore").decode()) + b"-" + mark
        )
    return name.with_name(f".{os.fsdecode(called)}.ginjax-lock")


def _lock(path: Path, file: Path) -> int:
    """Open and lock the lock file of a file.

    **Raises:** `FileError` if another process holds it.
    """
    check_target(path, force=True, links=False)
    while True:
        try:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            raise unwritable(file, error) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileError(f"{path}: is not a regular file", hint="Remove it.")
            _take(path, descriptor, file)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner has just removed it


def _take(path: Path, descriptor: int, file: Path) -> None:
    """Lock the lock file: by the system or, if the system has no locks, by its content."""
    try:
        import fcntl

        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= until:
                    _refuse(path, _read(path, descriptor), file)
                time.sleep(_PATIENCE / 20)
    except ImportError:  # Windows
        pass
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise unwritable(path, error) from error
    # A file system without locks: rely on the content of the file.
    owner = _read(path, descriptor)
    if owner is None:
        return
    gone = owner["process"] == os.getpid() or not is_running(
        owner["process"]
    )  # ours: from an earlier command
    if owner["machine"] != host_tag() or not gone:
        _refuse(path, owner, file)


def _read(path: Path, descriptor: int) -> dict[str, Any] | None:
    """The content that the owner wrote; None for an empty file.

    **Raises:** `FileError` for a file that was not made by ginjax.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    raw = os.read(descriptor, _MOST_BYTES + 1)
    if not raw:
        return None
    try:
        content = parse_json(raw)
        if len(raw) > _MOST_BYTES or not isinstance(content, dict):
            raise JsonProblem("it is no object")
        found: dict[str, Any] = {
            "process": expect(content, "process", int, where=path, least=1, most=2**31),
            "host": expect(content, "host", str, where=path, most=64),
            "machine": expect(content, "machine", str, where=path, most=64),
            "since": expect(content, "since", str, where=path, most=64),
            "new": expect(content, "new", list, where=path, most=_MOST_FILES),
            "work": content.get("work"),
        }
        if not all(isinstance(name, str) for name in found["new"]):
            raise JsonProblem("it names no files")
    except (JsonProblem, FileError) as error:
        raise FileError(
            f"{path}: is not a lock of ginjax, or was cut short",
            hint="If no other command writes here, remove it.",
        ) from error
    return found


def _refuse(path: Path, owner: dict[str, Any] | None, file: Path) -> NoReturn:
    who = (
        "another process"
        if owner is None
        else f"process {owner['process']} on {owner['host']!r}, since {owner['since']}"
    )
    raise FileError(
        f"{file}: is being written by {who}",
        hint=f"Wait for it or choose another output; if it no longer runs, remove {str(path)!r}.",
    )
