"""List the runs in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ginjax.checkpoint import claimant, file_kind, read_header, read_model
from ginjax.errors import FileError, GinjaxError
from ginjax.runs._log import read_log
from ginjax.runs._names import FOLDER_ENDING, LAST_ENDING, MODEL_ENDING, STATE_FILE, RunNames
from ginjax.runs._run import Run, read_run

_LOCK = re.compile(r"\.(.+)\.ginjax-lock", re.DOTALL)
_MOST_ENTRIES = 100_000


@dataclass(frozen=True)
class RunListing:
    """The runs of a folder.

    **Arguments:**

    - `runs`: the runs in alphabetical order.
    - `unread`: pairs of a path and the reason why it could not be read.
    """

    runs: tuple[Run, ...]
    unread: tuple[tuple[Path, str], ...]


def list_runs(folder: str | os.PathLike[str], *, recursive: bool = False) -> RunListing:
    """List models, running trainings and interrupted trainings.

    **Arguments:**

    - `folder`: the folder.
    - `recursive`: list the folders inside it too; links to folders are not followed.

    **Raises:** `FileError` for a path that is not a folder or cannot be listed.
    """
    folder = Path(folder)
    found: dict[Path, Run] = {}
    unread: list[tuple[Path, str]] = []
    for entry in _entries(folder, recursive):
        try:
            run = _read(entry)
        except GinjaxError as error:
            unread.append((entry, error.problem.removeprefix(f"{entry}: ")))
            continue
        except OSError as error:
            unread.append((entry, f"cannot be read: {error.strerror or error}"))
            continue
        if run is not None:
            key = run.names.stem
            found[key] = run if key not in found else _together(found[key], run)
    runs = [found[key] for key in sorted(found, key=os.fspath)]
    main = {run.names.stem for run in runs if run.state != "lost"}
    kept = [run for run in runs if not _is_last(run, main)]
    return RunListing(tuple(kept), tuple(unread))


def _entries(folder: Path, recursive: bool) -> Iterator[Path]:
    """Files and folders of runs, sorted by name within each folder."""
    waiting, seen = [folder], 0
    while waiting:
        place = waiting.pop(0)
        try:
            with os.scandir(place) as listed:
                entries = sorted(listed, key=lambda each: each.name)
        except OSError as error:
            if place != folder:
                continue
            raise FileError(
                f"{folder}: cannot be listed: {error.strerror or error}", expected="a folder"
            ) from error
        seen += len(entries)
        if seen > _MOST_ENTRIES:
            raise FileError(
                f"{folder}: files and folders in it", got=f"more than {_MOST_ENTRIES}", expected="fewer"
            )
        for entry in entries:
            path = place / entry.name
            try:
                is_folder = entry.is_dir() and not (
                    entry.name.endswith(FOLDER_ENDING) and (path / STATE_FILE).exists()
                )
            except OSError:  # a circular link, or no permission: reading it raises the error
                is_folder = False
            if not is_folder:
                yield path
            elif recursive and not entry.is_symlink() and not entry.name.startswith("."):
                waiting.append(path)


def _read(path: Path) -> Run | None:
    """Read the run that a file or a folder belongs to; None if it belongs to none."""
    lock = _LOCK.fullmatch(path.name)
    if lock is not None:
        return _claimed(path.with_name(lock[1]))
    if path.is_dir():
        return read_run(path)
    if not path.is_file():
        return None
    if file_kind(path).name == "model":
        return read_run(path, record=read_model(path))
    if path.name.endswith(MODEL_ENDING):
        read_header(path)  # raises an error that says what is wrong
    return None


def _claimed(stem: Path) -> Run | None:
    """Describe a training that has not saved anything, from its claim."""
    who, names = claimant(stem), RunNames(stem)
    if who is None:
        return None
    ours = {names.log.name, names.curve.name, names.last.name}
    if not (ours & set(who.new) or names.log.exists()):
        return None  # another command
    rows = read_log(names.log)
    return Run(
        names.log if names.log.exists() else names.state,
        "running" if who.running else "lost",
        step=max((row["step"] for row in rows), default=0),
        claimant=who,
        log=names.log if names.log.exists() else None,
    )


def _together(one: Run, other: Run) -> Run:
    """Merge two findings about the same run: a model, a saved state, a claim."""
    order = ("model", "interrupted", "running", "finished", "lost")
    known = [run for run in (one, other) if run.parameters is not None]
    best = min(known or [one, other], key=lambda run: order.index(run.state))
    # If a model is trained anew, or an older one lies beside a state to resume from, the state is the current one.
    unfinished = [run for run in known if run.path.name.endswith(FOLDER_ENDING)]
    if unfinished and any(run.state in ("running", "interrupted") for run in unfinished):
        best = unfinished[0]
    running = any(run.state == "running" for run in (one, other))
    return replace(best, state="running") if running else best


def _is_last(run: Run, main: set[Path]) -> bool:
    """Whether a model is the last one of a training whose best one is listed."""
    stem = run.names.stem
    return stem.name.endswith(LAST_ENDING) and stem.with_name(stem.name.removesuffix(LAST_ENDING)) in main
